/** What a SQL client reads of Postgres is what it reads of SQLite, which is held to lens beside its code. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { agent } from "../../src/agents/agent.ts";
import { models } from "../../src/agents/models.ts";
import { pipeline, step } from "../../src/core/compose.ts";
import { Flujo } from "../../src/flujo.ts";
import { everyJournal } from "../../src/lens/every-run.ts";
import { wholeRun } from "../../src/lens/whole.ts";
import type { Store } from "../../src/ports/store.ts";
import { postgres } from "../../src/stores/postgres.ts";
import { sqlite } from "../../src/stores/sqlite.ts";
import { scene } from "../../src/testing/scene.ts";
import { scriptedModel } from "../../src/testing/scripted-model.ts";
import { simulateShared } from "../../src/testing/simulation/shared.ts";
import { simulate } from "../../src/testing/simulation.ts";
import { databases } from "../servers/databases.ts";
import { type PostgresServer, postgresServer } from "../servers/postgres.ts";

databases("postgres", "the views in Postgres", () => {
  let server: PostgresServer;
  let client: pg.Pool;
  beforeAll(async () => {
    server = await postgresServer();
    client = new pg.Pool({ connectionString: server.url, max: 1 });
    client.on("error", () => {}); // the server ends before its connections do
  });
  afterAll(async () => {
    await client?.end();
    await server?.stop();
  });

  /** Does something on a store in SQLite, and compares what the views say of it with those of a copy in Postgres. */
  async function compared(work: (store: Store) => Promise<unknown>): Promise<number> {
    const folder = mkdtempSync(join(tmpdir(), "flujo-views-"));
    const path = join(folder, "flujo.db");
    const here = sqlite(path, { durability: "relaxed" });
    const schema = `v_${randomUUID().replaceAll("-", "")}`;
    const there = postgres(server.url, { schema });
    await work(here);
    await copied(here, there);
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      let rows = 0;
      for (const [view, order] of Object.entries(orders)) {
        const expected = db
          .prepare(`SELECT * FROM ${view} ORDER BY ${order}`)
          .all()
          .map((row) => plain({ ...row, ...parsed(row) }));
        const { rows: found } = await client.query(
          `SELECT * FROM ${schema}.${view} ORDER BY ${collated(order)}`,
        );
        expect([view, found.map(plain)]).toEqual([view, expected]);
        rows += found.length;
      }
      return rows;
    } finally {
      db.close();
      await Promise.all([here.close(), there.close()]);
      rmSync(folder, { recursive: true });
    }
  }

  it("are those of SQLite, of random runs among crashes", async () => {
    let rows = 0;
    for (let seed = 1; seed <= 6; seed += 1) {
      rows += await compared((store) => {
        const stores = [undefined, store]; // the run without faults comes first
        return simulate({ seed, store: () => stores.shift() ?? store });
      });
    }
    expect(rows).toBeGreaterThan(500);
  });

  it("of runs that share budgets", async () => {
    expect(await compared((store) => simulateShared({ seed: 2, store: () => store }))).toBeGreaterThan(50);
  });

  it("of values kept aside, streamed answers, and values of every kind", async () => {
    const rows = await compared(async (store) => {
      const on = scene({ store });
      const long = "word ".repeat(4_000);
      const streamed = scriptedModel({ replies: [{ text: long }, { text: "short" }] });
      const say = (name: string, stream: boolean) => agent(name, { model: streamed, system: long, stream });
      const made = pipeline(
        "p",
        say("one", true)
          .to("cut", () => "go")
          .to(say("two", true))
          .to("big", () => long),
      );
      const cast = on.cast(made, { models: models({ prices: streamed.prices }), budget: "$1" });
      expect((await cast.run("Go", { runId: "r" })).status).toBe("completed");
      const values: unknown[] = ["text", 1.5, true, null, [1, "a"], { a: { b: null } }, "1", ""];
      for (const [i, value] of values.entries())
        await on
          .cast(
            pipeline(
              "p",
              step("a", () => value),
            ),
          )
          .run(1, { runId: `v${i}` });
    });
    expect(rows).toBeGreaterThan(50);
  });

  it("show what Postgres cannot hold, and let nothing be written", async () => {
    const schema = `v_${randomUUID().replaceAll("-", "")}`;
    const store = postgres(server.url, { schema });
    await using flujo = new Flujo(
      pipeline(
        "p",
        step("a", () => 1),
      ),
      { store },
    );
    expect((await flujo.run(1, { runId: "r" })).status).toBe("completed");
    for (const [text, shown] of [
      ["a\0b", "a\uFFFDb"],
      ["\ud800", "\uFFFD"],
      ["x\udc00y", "x\uFFFDy"],
      ["\ud83d\ude00", "\ud83d\ude00"],
    ]) {
      const { rows } = await client.query(`SELECT ${schema}.as_json($1) AS value`, [JSON.stringify([text])]);
      expect(rows).toEqual([{ value: [shown] }]);
    }
    for (const view of Object.keys(orders))
      await expect(client.query(`DELETE FROM ${schema}.${view}`)).rejects.toThrow(
        /cannot delete from view|nothing can be written/,
      );
    await store.close();
  });
});

const orders = {
  runs: "run_id",
  entries: "run_id, seq",
  spend: "run_id, seq",
  operations: "run_id, path",
  messages: "run_id, path, seq, direction, position",
};

/** As SQLite orders texts. */
const collated = (order: string): string =>
  order.replaceAll(/run_id|path|direction/g, (column) => `${column} COLLATE "C"`);

async function copied(from: Store, to: Store): Promise<void> {
  const standing = new Map((await from.list({ limit: 1_000 })).map((run) => [run.runId, run]));
  for await (const { runId, entries } of everyJournal(from)) {
    const { blobs } = await wholeRun(from, runId, entries);
    await to.acquire({ runId, owner: "copy", now: 0, ttlMs: 1, create: true });
    const { runId: _, lease: __, unheard: ___, ...summary } = standing.get(runId) ?? raise(runId);
    const values = Object.entries(blobs).map(([hash, text]) => ({ hash, text }));
    await to.commit([{ runId, fence: 1, entries, blobs: values, summary }]);
  }
}

function raise(runId: string): never {
  throw new Error(`${runId} is in no list`);
}

/** What both say, said alike: SQLite has texts for moments and JSON, and numbers for truth and money. */
function plain(row: Record<string, unknown>): unknown {
  const said = Object.entries(row).map(([name, value]) => {
    if (name === "cost_usd") return [name, Number(value).toPrecision(12)];
    if (value === null) return [name, null];
    if (/_at$/.test(name)) return [name, new Date(value as string).getTime()];
    if (name === "cached") return [name, Boolean(value)];
    if (
      typeof value === "string" &&
      /^(pico_usd|.*_tokens|calls|tool_calls|.*_ms|seq|position|failed_attempts)$/.test(name)
    )
      return [name, Number(value)];
    return [name, value];
  });
  return Object.fromEntries(said);
}

/** The columns of JSON, which SQLite gives as texts. */
const parsed = (row: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    ["output", "entry", "accounts"].flatMap((name) =>
      typeof row[name] === "string" ? [[name, JSON.parse(row[name]) as unknown]] : [],
    ),
  );
