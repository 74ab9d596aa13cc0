/** What a server is set to, or is, and what becomes of the promises. */
import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { databases } from "../../../tests/servers/databases.ts";
import { hasOwnPostgres, type PostgresServer, postgresServer } from "../../../tests/servers/postgres.ts";
import { append, request, summary } from "../../../tests/stores/small-run.ts";
import type { Store } from "../../ports/store.ts";
import { type PostgresOptions, postgres } from "../postgres.ts";

databases("postgres", "a server of Postgres", () => {
  let server: PostgresServer;
  let admin: pg.Pool;
  beforeAll(async () => {
    // It answers before anything is on its disk, and nothing gets there by itself for a while.
    server = await postgresServer({ synchronous_commit: "off", wal_writer_delay: "10s", autovacuum: "off" });
    admin = new pg.Pool({ connectionString: server.url, max: 1 });
    admin.on("error", () => {}); // the server is ended now and then
  });
  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  const toClose: Store[] = [];
  afterEach(async () => {
    for (const store of toClose.splice(0)) await store.close();
  });
  const open = (url = server.url, options: PostgresOptions = { schema: newName() }): Store => {
    const store = postgres(url, options);
    toClose.push(store);
    return store;
  };
  /** Another database of the server. */
  const database = async (how = ""): Promise<{ readonly name: string; readonly url: string }> => {
    const name = newName();
    await admin.query(`CREATE DATABASE ${name} ${how}`);
    return { name, url: server.url.replace(/[^/]*$/, name) };
  };

  describe.runIf(hasOwnPostgres)("that answers before anything is on its disk, and dies", () => {
    const acts: {
      readonly [what: string]: readonly [act: Act, look: (store: Store) => Promise<unknown>, found: unknown];
    } = {
      "an operation": [
        (store) => store.commit([append(1)]),
        (store) => store.read("r", 1, 9),
        [expect.objectContaining({ seq: 1 })],
      ],
      "a step, with all that comes with it": [
        (store) => store.commit([{ ...append(1), summary: { ...summary, calls: 7 } }]),
        async (store) => (await store.list({}))[0]?.calls,
        7,
      ],
      "something that was sent": [
        (store) => store.send("r", { id: "s", path: "/p", data: 1, at: 0 }),
        async (store) => (await store.signals("r")).length,
        1,
      ],
      "a new note": [(store) => store.putNote("new", 1, undefined), newValue, 1],
      "a note that was changed": [
        async (store) => store.putNote("kept", 2, await versionOf(store)),
        async (store) => (await store.notes({ prefix: "kept" }))[0]?.value,
        2,
      ],
      "that a note is gone": [
        async (store) => store.dropNote("kept", (await versionOf(store)) ?? ""),
        (store) => store.notes({ prefix: "kept" }),
        [],
      ],
      "a limit that was set": [
        (store) => store.ledger({ kind: "amend", scope: "team", set: { calls: 3 } }),
        async (store) => (await store.accounts({}))[0]?.limits.calls,
        3,
      ],
      "that a run is gone": [
        (store) => store.drop({ ...request, fence: 1, expiresAt: 0 }),
        (store) => store.read("r", 0, 9),
        undefined,
      ],
    };
    it.each(Object.entries(acts))("keeps %s", async (_, [act, look, found]) => {
      const options = { schema: newName() };
      const store = open(server.url, options);
      await store.acquire({ ...request, create: true });
      await store.putNote("kept", 1, undefined);
      await store.commit([{ ...append(0), summary }]);
      expect(await act(store)).toBeTruthy();
      await server.restart();
      expect(await look(open(server.url, options))).toEqual(found);
    });
  });

  it("is refused where it cannot hold every text, before anything is made there", async () => {
    const { url } = await database("ENCODING 'LATIN1' TEMPLATE template0");
    const error = await open(url)
      .list({})
      .catch((e: unknown) => e);
    expect(error).toMatchObject({
      code: "store-unavailable",
      retryable: false,
      message: /as LATIN1/,
      hint: /UTF8/,
    });
    const tables = new pg.Client({ connectionString: url });
    await tables.connect();
    const { rows } = await tables.query("SELECT 1 FROM pg_tables WHERE schemaname LIKE 't_%'");
    await tables.end();
    expect(rows).toEqual([]);
  });

  it("that lets nothing take long does not keep tables from being made, or from being waited for", async () => {
    const { name, url } = await database();
    await admin.query(`ALTER DATABASE ${name} SET statement_timeout = '1s'`);
    const schema = newName();
    const rival = new pg.Client({ connectionString: url });
    await rival.connect();
    await rival.query("BEGIN");
    await rival.query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [`flujo format "${schema}"`]);
    let isOver = false;
    const made = open(url, { schema, patience: "1s" })
      .list({})
      .finally(() => {
        isOver = true;
      });
    made.catch(() => {}); // is awaited below
    const longAgo = `SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND application_name = 'flujo'
      AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '1.2 s'`;
    while (!isOver && (await admin.query(longAgo, [name])).rows.length === 0);
    await rival.query("COMMIT");
    await rival.end();
    expect(await made).toEqual([]);
  });

  it("that takes no writes says so, and is told what to name instead", async () => {
    const { name, url } = await database();
    const options = { schema: newName() };
    await open(url, options).list({});
    await admin.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`);
    const store = open(url, options);
    expect(await store.list({})).toEqual([]);
    const error = await store.acquire({ ...request, create: true }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: "store-unavailable", retryable: true, message: /takes no writes/ });
  });
});

type Act = (store: Store) => Promise<unknown>;

const newName = (): string => `t_${randomUUID().replaceAll("-", "")}`;

const newValue = async (store: Store): Promise<unknown> => (await store.notes({ prefix: "new" }))[0]?.value;
const versionOf = async (store: Store): Promise<string | undefined> =>
  (await store.notes({ prefix: "kept" }))[0]?.version;
