/** What may come between two statements, or two transactions: somebody else's, or the end of the server. */
import { randomUUID } from "node:crypto";
import { connect, createServer } from "node:net";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { databases } from "../../../tests/servers/databases.ts";
import { hasOwnPostgres, type PostgresServer, postgresServer } from "../../../tests/servers/postgres.ts";
import { append as appendOf, hold, request, summary } from "../../../tests/stores/small-run.ts";
import type { Append, Lease, Store } from "../../ports/store.ts";
import { postgres } from "../postgres.ts";

databases("postgres", "transactions in Postgres", () => {
  let server: PostgresServer;
  let admin: pg.Client;
  beforeAll(async () => {
    server = await postgresServer();
    admin = await connected(server.url);
  });
  afterAll(async () => {
    await admin?.end();
    await server?.stop();
  });

  const toClose: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of toClose.splice(0).reverse()) await close();
  });
  const connected = async (url: string): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url });
    client.on("error", () => {}); // the server is ended now and then
    await client.connect();
    return client;
  };

  /** As it is made, and as its owner may have set it: for a user who may not do much. */
  const places = {
    "as it is made": async () => server.url,
    "that has other habits": async () => {
      const name = `d_${randomUUID().replaceAll("-", "")}`;
      await admin.query(`CREATE ROLE ${name} LOGIN`);
      await admin.query(`CREATE DATABASE ${name}`);
      await admin.query(`GRANT CREATE ON DATABASE ${name} TO ${name}`);
      for (const setting of [
        "default_transaction_isolation = 'repeatable read'",
        "search_path = ''",
        "timezone = 'Asia/Kathmandu'",
        "datestyle = 'SQL, DMY'",
        "bytea_output = 'escape'",
        "standard_conforming_strings = off",
      ])
        await admin.query(`ALTER DATABASE ${name} SET ${setting}`);
      const url = new URL(server.url);
      url.username = name;
      url.pathname = `/${name}`;
      return url.href;
    },
  };

  describe.each(Object.entries(places))("in a database %s", (_, place) => {
    let url: string;
    let rival: pg.Client;
    beforeAll(async () => {
      url = await place();
      rival = await connected(url);
    });
    afterAll(() => rival?.end());

    const open = (schema: string): Store => {
      const store = postgres(url, { schema, connections: 4 });
      toClose.push(() => store.close());
      return store;
    };
    const begun = async () => {
      const schema = newSchema();
      const store = open(schema);
      const answer = await store.acquire({ ...request, create: true });
      expect(answer).toMatchObject({ outcome: "granted" });
      await store.commit([{ ...append(0), summary }]);
      return { schema, store };
    };

    /** What a call answers that comes while somebody has done something and not committed it. */
    async function meanwhile<T>(sql: string, call: () => Promise<T>): Promise<T> {
      await rival.query(`BEGIN; ${sql}`);
      let isOver = false;
      const answer = call().finally(() => {
        isOver = true;
      });
      answer.catch(() => {}); // is awaited below
      const waits = `SELECT 1 FROM pg_stat_activity
        WHERE datname = $1 AND application_name = 'flujo' AND wait_event_type = 'Lock'`;
      while (!isOver && (await admin.query(waits, [new URL(url).pathname.slice(1)])).rows.length === 0);
      await rival.query("COMMIT");
      return answer;
    }
    const takeOver = (schema: string): string =>
      `UPDATE ${schema}.run SET fence = 2, owner = 'you' WHERE id = 'r'`;

    it("nothing is added under a fence that somebody is about to raise", async () => {
      const { schema, store } = await begun();
      expect(await meanwhile(takeOver(schema), () => store.commit([append(1)]))).toEqual(["fenced"]);
      const more = await begun();
      const many = [{ ...append(1), summary, blobs: [{ hash: "h", text: "x" }] }];
      expect(await meanwhile(takeOver(more.schema), () => more.store.commit(many))).toEqual(["fenced"]);
      expect(await more.store.read("r", 0, 9)).toHaveLength(1);
      expect(await more.store.blob("h")).toBeUndefined();
    });

    it("what comes after all where the same was sent once more is known as such", async () => {
      const { schema, store } = await begun();
      const late = `SELECT ${schema}.add('r', 1, 1, 1, '[{"seq":1}]', true)`;
      await expect(meanwhile(late, () => store.commit([append(1)]))).rejects.toThrow(/goes on at 2/);
      const more = await begun();
      const again = `SELECT ${more.schema}.add('r', 1, 1, 1, '[{"seq":1}]', true)`;
      const step = { ...append(1), summary };
      await expect(meanwhile(again, () => more.store.commit([step]))).rejects.toThrow(/goes on at 2/);
    });

    it("nothing is held under a fence that somebody is about to raise", async () => {
      const { schema, store } = await begun();
      const answer = await meanwhile(takeOver(schema), () => store.ledger({ ...hold, id: "1" }));
      expect(answer).toEqual({ outcome: "fenced" });
    });

    it("a lease that is renewed while somebody takes it for ended stays whose it is", async () => {
      const { schema, store } = await begun();
      const renew = `UPDATE ${schema}.run SET expires = 9000 WHERE id = 'r'`;
      const answer = await meanwhile(renew, () => store.acquire({ ...request, owner: "you", now: 5_000 }));
      expect(answer).toMatchObject({ outcome: "held", lease: { owner: "me", expiresAt: 9_000 } });
    });

    it("a lease that was taken and given back meanwhile leaves its fence to nobody else", async () => {
      const { schema, store } = await begun();
      await store.release(lease);
      const takeAndGiveBack = `UPDATE ${schema}.run SET fence = 2 WHERE id = 'r'`;
      const answer = await meanwhile(takeAndGiveBack, () => store.acquire({ ...request, owner: "you" }));
      expect(answer).toMatchObject({ outcome: "granted", lease: { fence: 3 } });
    });

    it("what waits for no sync leaves its connection as it was", async () => {
      const { schema, store } = await begun();
      await rival.query(`CREATE FUNCTION ${schema}.tell() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN NEW.value = to_json(pg_catalog.current_setting(''synchronous_commit'')); RETURN NEW; END'`);
      await rival.query(`CREATE TRIGGER tell BEFORE INSERT ON ${schema}.cached
        FOR EACH ROW EXECUTE FUNCTION ${schema}.tell()`);
      for (const act of [() => store.renew(lease, 2_000), () => store.ledger({ ...hold, id: "1" })]) {
        await act();
        await store.cachePut("k", { value: "" });
        expect(await store.cacheGet("k", 0)).toEqual({ value: "on" });
      }
    });

    it("nothing is sent to a run that is about to be removed, and none is removed that is about to be sent something", async () => {
      const { schema, store } = await begun();
      const remove = `SELECT ${schema}.remove('r', 1)`;
      expect(await meanwhile(remove, () => store.send("r", { id: "s", path: "/p", data: 1, at: 0 }))).toBe(
        false,
      );
      const more = await begun();
      const send = `SELECT ${more.schema}.send('r', '"s"', '{"id":"s"}')`;
      expect(await meanwhile(send, () => more.store.drop(lease, 0))).toBe(false);
      expect(await more.store.signals("r")).toHaveLength(1);
      expect(await more.store.drop(lease, 1)).toBe(true);
      const left = `SELECT FROM ${more.schema}.entry UNION ALL SELECT FROM ${more.schema}.signal`;
      expect((await rival.query(left)).rows).toEqual([]);
    });

    it("a value that is brought while somebody sweeps stays", async () => {
      const { schema, store } = await begun();
      const blobs = [{ hash: "h", text: "x" }];
      await store.commit([{ ...append(1), blobs }]);
      // What a commit does that brings the value again, and refers to it.
      const bring = `DELETE FROM ${schema}.condemned WHERE hash = 'h';
        INSERT INTO ${schema}.entry SELECT num, 2, '[{"seq":2}]' FROM ${schema}.run`;
      const used = async () => new Set((await store.read("r", 2, 9))?.length === 1 ? ["h"] : []);
      expect(await meanwhile(bring, () => store.sweep(["h"], used))).toBe(0);
      expect(await store.blob("h")).toBe("x");
    });

    it("who stops while he has shut an account is thrown out", async () => {
      const { schema } = await begun();
      await rival.query("BEGIN");
      await rival.query(`SELECT FROM ${schema}.shut('{a}')`);
      const { rows } = await rival.query("SHOW idle_in_transaction_session_timeout");
      await rival.query("ROLLBACK");
      expect(rows).toEqual([{ idle_in_transaction_session_timeout: "10s" }]);
    });

    it("what two write at once of one account is the sum of both", async () => {
      const schema = newSchema();
      const stores = Array.from({ length: 4 }, () => open(schema));
      const made = await Promise.all(stores.map((store) => store.acquire({ ...request, create: true })));
      expect(made.filter(({ outcome }) => outcome === "granted")).toHaveLength(1);
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, i) => stores[i % 4]?.ledger({ ...hold, id: `${i}` })),
      );
      expect(answers.map((answer) => answer?.outcome)).toEqual(answers.map(() => "granted"));
      const [account] = (await stores[0]?.accounts({})) ?? [];
      expect(account?.holds).toHaveLength(40);
    });
  });

  it.runIf(hasOwnPostgres)(
    "a commit is whole or not there, whichever statement of it the server dies before",
    async () => {
      const line = await lineTo(server.url);
      const store = postgres(line.url, { schema: newSchema(), connections: 1 });
      toClose.push(line.close, () => store.close());
      await store.acquire({ ...request, create: true });
      await store.ledger({ ...hold, id: "1" });
      await store.commit([{ ...append(0), summary }]); // which keeps the hold, too
      const seen = async () => ({
        entries: (await store.read("r", 0, 9))?.length,
        calls: (await store.list({}))[0]?.calls,
        kept: await store.blob("h"),
        holds: (await store.accounts({}))[0]?.holds.length,
        posted: (await store.accounts({}))[0]?.posted.calls,
      });
      const before = { entries: 1, calls: 0, kept: undefined, holds: 1, posted: 0 };
      const after = { entries: 2, calls: 1, kept: "text", holds: 0, posted: 1 };
      const amount = { picoUsd: "7", inputTokens: 1, outputTokens: 1, calls: 1, toolCalls: 0 };
      const whole: Append = {
        ...append(1),
        summary: { ...summary, calls: 1 },
        blobs: [{ hash: "h", text: "text" }],
        postings: [{ scope: "a", hold: "1", amount }],
      };
      let deaths = 0;
      for (let isThere = false; !isThere; ) {
        line.kill(deaths, () => server.restart());
        isThere = await store.commit([whole]).then(
          () => true,
          () => false,
        );
        await line.isBack();
        expect(await seen()).toEqual(isThere ? after : before);
        if (!isThere) deaths += 1;
      }
      expect(deaths).toBeGreaterThanOrEqual(5); // at its beginning, three times in between, and before its end
    },
  );
});

const newSchema = (): string => `t_${randomUUID().replaceAll("-", "")}`;
const append = (seq: number): Append => appendOf(seq, "é");
const lease: Lease = { runId: "r", owner: "me", fence: 1, expiresAt: 1_000 };

/** A way to a server that somebody ends before it hears something. */
async function lineTo(serverUrl: string) {
  const url = new URL(serverUrl);
  const to = { host: url.hostname, port: Number(url.port) };
  let left = Number.POSITIVE_INFINITY;
  let end = async (): Promise<void> => {};
  let ended = Promise.resolve();
  const proxy = createServer((near) => {
    const far = connect(to);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => {}); // its end follows
      one.once("close", () => other.destroy());
    }
    far.on("data", (bytes) => near.write(bytes));
    near.on("data", (bytes) => {
      left -= 1;
      if (left !== -1) return void far.write(bytes);
      near.pause();
      ended = end();
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as { port: number }; // a TCP server that listens has one
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    /** Ends the server when it is to hear the next thing but so many. */
    kill(after: number, how: () => Promise<void>) {
      [left, end] = [after, how];
    },
    /** It is not ended any more, and answers. */
    async isBack() {
      left = Number.POSITIVE_INFINITY;
      await ended;
    },
    close: () => void proxy.close(),
  };
}
