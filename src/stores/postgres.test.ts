import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { databases } from "../../tests/servers/databases.ts";
import { gateTo } from "../../tests/servers/gate.ts";
import { freePort, type PostgresServer, postgresServer } from "../../tests/servers/postgres.ts";
import type { Entry } from "../core/entries.ts";
import { InvalidOptionError, StoreNewerError, StoreUnavailableError } from "../core/errors.ts";
import type { Append, RunFilter, RunSummary, Store } from "../ports/store.ts";
import { testStore } from "../testing/test-store.ts";
import { postgres } from "./postgres.ts";

const newSchema = (): string => `t_${randomUUID().replaceAll("-", "")}`;

databases("postgres", "a store in Postgres", () => {
  let server: PostgresServer;
  let admin: pg.Pool;
  beforeAll(async () => {
    server = await postgresServer();
    admin = new pg.Pool({ connectionString: server.url, max: 1 });
    admin.on("error", () => {}); // the server is ended now and then
  });
  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  const toClose: { close(): Promise<void> }[] = [];
  const open = (schema: string): Store => {
    const store = postgres(server.url, { schema, connections: 3 });
    toClose.push(store);
    return store;
  };
  afterEach(async () => {
    for (const one of toClose.splice(0)) await one.close();
  });

  testStore(
    "postgres",
    async () => {
      const options = { schema: newSchema(), connections: 4 };
      return { store: postgres(server.url, options), reopen: async () => postgres(server.url, options) };
    },
    { describe, it },
  );

  it("is made once, however many processes come first", async () => {
    const schema = newSchema();
    const stores = Array.from({ length: 6 }, () => open(schema));
    const answers = await Promise.all(stores.map((store) => store.acquire({ ...request, create: true })));
    expect(answers.filter(({ outcome }) => outcome === "granted")).toHaveLength(1);
  });

  it("refuses a schema that a newer Flujo has made, and one that is not Flujo's, and changes neither", async () => {
    const [newer, foreign] = [newSchema(), newSchema()];
    await open(newer).list({});
    await admin.query(`UPDATE ${newer}.format SET version = 99`);
    await expect(open(newer).list({})).rejects.toThrow(StoreNewerError);
    await admin.query(`CREATE SCHEMA ${foreign}; CREATE TABLE ${foreign}.customer(id int)`);
    await expect(open(foreign).list({})).rejects.toThrow(/tables that are not Flujo's/);
    const { rows } = await admin.query("SELECT tablename FROM pg_tables WHERE schemaname = $1", [foreign]);
    expect(rows).toEqual([{ tablename: "customer" }]);
  });

  it("says what is wrong with an address, and keeps the password to itself", async () => {
    for (const address of ["", "localhost", "mysql://localhost/x"])
      expect(() => postgres(address)).toThrow(InvalidOptionError);
    expect(() => postgres(server.url, { schema: "no; such" })).toThrow(/is no name for a schema/);
    expect(() => postgres(`${server.url}?connections=0`)).toThrow(/from 1 to 1000/);
    const { host } = new URL(server.url);
    const { name } = postgres(`postgres://me:secret@${host}/app?schema=jobs`);
    expect(name).toBe(`postgres://me@${host}/app?schema=jobs`);
    const nobody = postgres(`postgres://me:secret@127.0.0.1:${await freePort()}/app`);
    const refused = await nobody.list({}).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(StoreUnavailableError);
    expect(refused).toMatchObject({ retryable: true, message: expect.not.stringContaining("secret") });
    const elsewhere = postgres(server.url.replace(/\/postgres$/, "/nowhere"));
    await expect(elsewhere.list({})).rejects.toThrow(/there is no such database/);
    await Promise.all([nobody.close(), elsewhere.close()]);
  });

  it("goes on after its server has been killed and started again; what was acknowledged is there", async () => {
    const store = open(newSchema());
    await store.acquire({ ...request, create: true });
    expect(await store.commit([append(0, "a")])).toEqual(["appended"]);
    await server.restart();
    let acknowledged = 1;
    for (let seq = 1; seq < 200; seq += 1) {
      if (seq === 100) void server.restart();
      const known = (await retried(() => store.read("r", 0, 1_000)))?.length ?? 0;
      expect(known).toBeGreaterThanOrEqual(acknowledged);
      // What was written without being acknowledged is found, as by a run's next owner.
      const done = await store.commit([append(known, `${known}`)]).catch((error: unknown) => error);
      if (done instanceof Error) expect(done).toBeInstanceOf(StoreUnavailableError);
      else acknowledged = known + 1;
    }
    await retried(() => store.list({}));
    const entries = await store.read("r", 0, 1_000);
    expect(entries?.map(({ seq }) => seq)).toEqual(entries?.map((_, i) => i));
  });

  it("lives on when its server is killed between two statements of a transaction", async () => {
    const store = open(newSchema());
    await store.acquire({ ...request, create: true });
    expect(await store.commit([append(0, "a")])).toEqual(["appended"]); // which keeps the lease, too
    const quote = { model: "m", inputTokens: 0, outputTokens: { wanted: 1, least: 1 } };
    const hold = { kind: "hold", runId: "r", fence: 1, path: "/p", now: 0, patienceMs: 1, quote } as const;
    const accounts = [{ scope: "a", limits: {}, alertAt: [] }];
    for (let round = 0; round < 5; round += 1) {
      let isBack = false;
      const restarted = server.restart().then(() => {
        isBack = true;
      });
      for (let i = 0; !isBack; i += 1) {
        const error = await store.ledger({ ...hold, accounts, id: `${round} ${i}` }).catch((e: unknown) => e);
        if (error instanceof Error) expect(error).toBeInstanceOf(StoreUnavailableError);
      }
      await restarted;
    }
    const answer = await retried(() => store.ledger({ ...hold, accounts, id: "last" }));
    expect(answer).toMatchObject({ outcome: "granted" });
  });

  it("comes back by itself from a network that swallows what is said, and tells nobody", async () => {
    const gate = await gateTo(server.url);
    const store = postgres(gate.url, { schema: newSchema(), connections: 2, patience: "1s" });
    toClose.push(store, { close: () => gate.shut() });
    await store.acquire({ ...request, create: true });
    gate.swallow();
    const lost = await store.commit([append(0, "a")]).catch((error: unknown) => error);
    expect(lost).toMatchObject({ code: "store-unavailable", retryable: true });
    await gate.open();
    expect(await retried(() => store.read("r", 0, 9))).toEqual([]);
    expect(await retried(() => store.commit([append(0, "b")]))).toEqual(["appended"]);
  });

  it("may hear late of what was sent by who has given up: a fence shuts it out", async () => {
    const gate = await gateTo(server.url);
    const schema = newSchema();
    const store = postgres(gate.url, { schema, connections: 2, patience: "1s" });
    const other = open(schema);
    toClose.push(store, { close: () => gate.shut() });
    await store.acquire({ ...request, create: true });
    gate.hold();
    await expect(store.commit([append(0, "late")])).rejects.toThrow(StoreUnavailableError);
    const { runId } = request;
    const mine = await other.acquire({ ...request, supersede: 1 });
    expect(mine).toMatchObject({ outcome: "granted", lease: { fence: 2 } });
    await gate.open();
    expect(await retried(() => store.commit([append(0, "later")]))).toEqual(["fenced"]);
    expect(await other.read(runId, 0, 9)).toEqual([]);
  });

  it("removes no value that a commit brings while it sweeps", async () => {
    const schema = newSchema();
    const [store, other] = [open(schema), open(schema)];
    const blob = { hash: "h", text: "kept" };
    await store.acquire({ ...request, create: true });
    await store.commit([{ ...append(0, "a"), blobs: [blob] }]);
    for (let seq = 1; seq < 60; seq += 1) {
      // Whoever sweeps keeps what is referred to by then. A commit that comes later brings the value again.
      const used = async () => new Set(((await other.read("r", 0, 100)) ?? []).length > seq ? ["h"] : []);
      await Promise.all([other.sweep(["h"], used), store.commit([{ ...append(seq, "b"), blobs: [blob] }])]);
      expect(await store.blob("h")).toBe("kept");
    }
  });

  it("makes runs that begin together, and gives back the leases of those that end together, in a few statements", async () => {
    const schema = newSchema();
    const [store, other] = [open(schema), open(schema)];
    await Promise.all([store.list({}), other.list({})]);
    const written = async (): Promise<number> => {
      const { rows } = await admin.query("SELECT pg_current_xact_id()::text AS id"); // which takes one itself
      return Number(rows[0].id);
    };
    const ids = Array.from({ length: 200 }, (_, i) => `run-${i}`);
    const before = await written();
    const makers = [store, other, store].map((by, i) =>
      ids.toReversed().map((runId) => by.acquire({ ...request, runId, owner: `owner ${i}`, create: true })),
    );
    const answers = await Promise.all(makers.flat());
    const granted = answers.filter((answer) => answer.outcome === "granted");
    expect(new Set(granted.map(({ lease }) => lease.runId)).size).toBe(200);
    expect(granted).toHaveLength(200);
    expect(answers.filter(({ outcome }) => outcome === "exists")).toHaveLength(400);
    const stale = { runId: "run-0", owner: "late", fence: 0, expiresAt: 0 };
    await Promise.all([stale, ...granted.map(({ lease }) => lease)].map((lease) => store.release(lease)));
    expect((await written()) - before).toBeLessThan(20);
    const again = await Promise.all(ids.map((runId) => other.acquire({ ...request, runId })));
    expect(again.every((answer) => answer.outcome === "granted" && answer.lease.fence === 2)).toBe(true);
    const twice = ["first", "second"].map((owner) =>
      store.acquire({ ...request, runId: "twice", owner, create: true }),
    );
    expect((await Promise.all(twice)).map(({ outcome }) => outcome)).toEqual(["granted", "exists"]);
    expect(await other.acquire({ ...request, runId: "twice" })).toMatchObject({ lease: { owner: "first" } });
  });

  it("is brought up to date when it is of the first format", async () => {
    const schema = newSchema();
    const before = open(schema);
    await before.acquire({ ...request, create: true });
    await before.commit([{ ...append(0, "kept"), summary }]);
    await before.close();
    const indexes = ["change", "pipeline", "status"].map((name) => `DROP INDEX ${schema}.run_by_${name};`);
    const view = async () =>
      (await admin.query("SELECT pg_get_viewdef($1::regclass) AS sql", [`${schema}.messages`])).rows;
    const made = await view();
    await admin.query(`${indexes.join(" ")} DROP FUNCTION ${schema}.add; UPDATE ${schema}.format SET version = 1;
      CREATE OR REPLACE VIEW ${schema}.messages AS SELECT NULL::text COLLATE "C" AS run_id, NULL::text AS path,
        NULL::int AS seq, NULL::int AS position, NULL::text AS direction, NULL::text AS role, NULL::text AS kind,
        NULL::text AS tool, NULL::text AS text`);
    const updated = [open(schema), open(schema)];
    await Promise.all(updated.map((store) => store.list({})));
    expect(await updated[0]?.commit([append(1, "x")])).toEqual(["appended"]);
    expect(await updated[1]?.read("r", 0, 9)).toHaveLength(2);
    const { rows } = await admin.query(
      "SELECT count(*)::int AS count FROM pg_indexes WHERE schemaname = $1 AND indexname ~ '^run_by_(change|pipeline|status)$'",
      [schema],
    );
    expect(rows).toEqual([{ count: 3 }]);
    expect(await view()).toEqual(made);
  });

  it("looks at few rows, whatever it is asked, also among many runs: nothing is passed over to find others", async () => {
    const schema = newSchema();
    const store = open(schema);
    await store.list({});
    // What is asked for is old and rare: whoever walks the wrong way passes over all the others.
    await admin.query(
      `INSERT INTO ${schema}.run(id, fence, owner, expires, pipeline, fingerprint, status, created, updated, pico_usd,
         input_tokens, output_tokens, calls, wake_at, heard)
       SELECT 'r' || n, 1, NULL, CASE WHEN n > 97000 THEN 90000 ELSE 0 END, CASE WHEN n < 20 THEN 'rare' ELSE 'p' END, 'f',
         CASE WHEN n < 10 OR n > 97000 THEN 'running' WHEN n < 20 THEN 'waiting' WHEN n < 30 THEN 'failed' ELSE 'completed' END,
         n, n, 0, 0, 0, 0, CASE WHEN n BETWEEN 10 AND 19 THEN n END, CASE WHEN n BETWEEN 10 AND 19 THEN 0 END
       FROM generate_series(1, 100000) AS n`,
    );
    await admin.query(`INSERT INTO ${schema}.entry SELECT n, 0, '[]' FROM generate_series(1, 100000) AS n`);
    await admin.query(
      `INSERT INTO ${schema}.account SELECT 'a' || n, 0, '{"scope":"a"}' FROM generate_series(1, 10000) AS n`,
    );
    await admin.query(
      `INSERT INTO ${schema}.note SELECT 'a' || n, 'v', '1' FROM generate_series(1, 10000) AS n`,
    );
    for (const table of ["run", "entry", "account", "note"]) await admin.query(`ANALYZE ${schema}.${table}`);
    const rowsRead = async (): Promise<number> => {
      await admin.query("SELECT pg_stat_clear_snapshot()");
      const { rows } = await admin.query(
        `SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE schemaname = $1 AND relname <> 'format')
           + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE schemaname = $1) AS read`,
        [schema],
      );
      return Number(rows[0].read);
    };
    const before = await settled(rowsRead);
    const now = 50_000;
    const found = async (filter: RunFilter): Promise<number> => (await store.list(filter)).length;
    expect(await found({ limit: 10 })).toBe(10);
    expect(await found({ limit: 10, after: { createdAt: now, runId: "r50000" } })).toBe(10);
    expect(await found({ dueBefore: now, limit: 100, pipeline: ["rare", "p"] })).toBe(10);
    expect(await found({ leaseEndsBefore: 1, limit: 100, pipeline: ["rare", "p"] })).toBe(9);
    expect(await found({ status: ["waiting"], limit: 1_000 })).toBe(10);
    expect(await found({ status: ["running", "waiting", "failed"], limit: 25 })).toBe(25);
    expect(await found({ pipeline: "rare", limit: 1_000 })).toBe(19);
    expect(await found({ pipeline: ["rare", "none"], limit: 1_000 })).toBe(19);
    expect(await found({ updatedFrom: 99_990, limit: 1_000 })).toBe(11);
    expect(await found({ idPrefix: "r7777", pipeline: "p", limit: 1_000 })).toBe(11);
    expect(
      await found({ idPrefix: "r77", createdFrom: 77, after: { createdAt: 77, runId: "r77-" }, limit: 1 }),
    ).toBe(1);
    const answer = await store.acquire({ ...request, runId: "r77" });
    expect(answer).toMatchObject({ outcome: "granted", lease: { fence: 2 } });
    const lease = { runId: "r77", owner: "me", fence: 2, expiresAt: 0 };
    expect(await store.renew(lease, 2_000)).toBe(true);
    const own = { runId: "r77", fence: 2 };
    expect(await store.commit([{ ...append(1, "x"), ...own }])).toEqual(["appended"]);
    const blobs = [{ hash: "h", text: "kept" }];
    expect(await store.commit([{ ...append(2, "x"), ...own, summary, blobs }])).toEqual(["appended"]);
    expect(await store.read("r77", 1, 10)).toHaveLength(2);
    expect(await store.send("r77", { id: "s", path: "/p", data: 1, at: 0 })).toBe(true);
    expect(await store.signals("r77")).toHaveLength(1);
    await store.ledger({ kind: "amend", scope: "team", set: { calls: 1 } });
    expect(await store.accounts({ scopes: ["team"] })).toHaveLength(1);
    expect(await store.accounts({ heldBy: "r77" })).toEqual([]);
    expect(await store.putNote("z", 1, undefined)).toBeDefined();
    expect(await store.notes({ prefix: "z" })).toHaveLength(1);
    await store.release(lease);
    await store.close(); // a connection tells what it has done when it ends
    expect((await settled(rowsRead)) - before).toBeLessThan(1_000);
  });
});

const request = { runId: "r", owner: "me", now: 0, ttlMs: 1_000 };

const summary: RunSummary = {
  pipeline: "p",
  fingerprint: "f",
  status: "running",
  createdAt: 77,
  updatedAt: 78,
  picoUsd: "0",
  inputTokens: 0,
  outputTokens: 0,
  calls: 0,
};

function append(seq: number, output: string): Append {
  const entry: Entry = { type: "operation-completed", path: "/t", kind: "run", output, took: 0, seq, at: 0 };
  return { runId: "r", fence: 1, entries: [entry], blobs: [] };
}

async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

/** A figure that comes late, once it stays as it is. */
async function settled(figure: () => Promise<number>): Promise<number> {
  for (let last = await figure(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const now = await figure();
    if (now === last) return now;
    last = now;
  }
}
