import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { agent } from "../../agents/agent.ts";
import { models } from "../../agents/models.ts";
import { pipeline, step } from "../../core/compose.ts";
import { fold } from "../../core/fold.ts";
import { callsOf } from "../../lens/calls.ts";
import { everyJournal } from "../../lens/every-run.ts";
import { trace } from "../../lens/trace.ts";
import type { Store } from "../../ports/store.ts";
import { scene } from "../../testing/scene.ts";
import { scriptedModel } from "../../testing/scripted-model.ts";
import { simulateShared } from "../../testing/simulation/shared.ts";
import { simulate } from "../../testing/simulation.ts";
import { sqlite } from "../sqlite.ts";

/** A database, and what any SQL client reads of it. */
function database(): { readonly store: Store; readonly rows: (sql: string, ...values: string[]) => Row[] } {
  const folder = mkdtempSync(join(tmpdir(), "flujo-views-"));
  const path = join(folder, "flujo.db");
  const store = sqlite(path, { durability: "relaxed" });
  onTestFinished(async () => {
    await store.close();
    rmSync(folder, { recursive: true });
  });
  const rows = (sql: string, ...values: string[]): Row[] => {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      return db.prepare(sql).all(...values);
    } finally {
      db.close();
    }
  };
  return { store, rows };
}
type Row = Record<string, unknown>;

/** Compares each view with what lens says of the same runs. */
async function expectEqual({ store, rows }: ReturnType<typeof database>): Promise<number> {
  let compared = 0;
  for await (const { runId, entries } of everyJournal(store)) {
    const run = fold(entries);
    const report = await trace(runId, entries, ({ hash }) => store.blob(hash));
    if (run.status !== "running") {
      const { spent } = run;
      expect(rows("SELECT * FROM runs WHERE run_id = ?", runId)).toMatchObject([
        {
          ...{ pipeline: report.run.pipeline, status: run.status, fingerprint: run.fingerprint },
          ...{ created_at: report.run.createdAt, updated_at: report.run.updatedAt },
          ...{ duration_ms: report.run.durationMs, pico_usd: Number(spent.picoUsd), calls: spent.calls },
          ...{ input_tokens: spent.inputTokens, output_tokens: spent.outputTokens },
        },
      ]);
    }
    const spend = rows("SELECT * FROM spend WHERE run_id = ? ORDER BY seq", runId);
    expect(spend).toEqual(
      callsOf(entries, run).map(({ seq, path, model, kind, at, settledAt, spent, standing, accounts }) => ({
        ...{ run_id: runId, seq, path, model, kind, standing, accounts: JSON.stringify(accounts) },
        reserved_at: new Date(at).toISOString(),
        settled_at: settledAt === undefined ? null : new Date(settledAt).toISOString(),
        duration_ms: settledAt === undefined ? null : settledAt - at,
        ...{ pico_usd: Number(spent.picoUsd), cost_usd: Number(spent.picoUsd) / 1e12 },
        ...{ input_tokens: spent.inputTokens, output_tokens: spent.outputTokens },
        ...{ calls: spent.calls, tool_calls: spent.toolCalls },
      })),
    );
    const messages = rows("SELECT * FROM messages WHERE run_id = ? ORDER BY path, seq, position", runId);
    const shown = report.operations.filter(({ partial }) => partial === undefined);
    const cut = new Set(
      report.operations.filter(({ partial }) => partial !== undefined).map(({ path }) => path),
    );
    expect(grouped(messages.filter(({ path }) => !cut.has(String(path))))).toEqual(
      grouped(
        shown.flatMap(({ path, messages = [] }) =>
          messages.map(({ direction, role, kind = null, tool = null, text }) => ({
            path,
            direction,
            role,
            kind,
            tool,
            text,
          })),
        ),
      ),
    );
    const operations = new Map(
      rows("SELECT * FROM operations WHERE run_id = ?", runId).map((row) => [row.path, row]),
    );
    for (const operation of report.operations) {
      if (operation.status !== "completed" && operation.status !== "failed") continue;
      if (operation.kind === "sleep" || operation.kind === "check") continue; // a sleep's end is no entry of its own
      const row = operations.get(operation.path);
      expect([operation.path, row]).toEqual([
        operation.path,
        expect.objectContaining({
          ...{
            kind: operation.kind,
            status: operation.status,
            failed_attempts: (operation.failures ?? []).length,
          },
          cached: operation.cached ? 1 : 0,
          error: operation.error?.message ?? null,
        }),
      ]);
      if (operation.durationMs !== null && row?.duration_ms !== null)
        expect(row?.duration_ms).toBe(operation.durationMs);
      compared += 1;
    }
  }
  return compared;
}

/** The messages of each path, in order. */
const grouped = (rows: readonly Row[]): unknown =>
  Object.fromEntries(
    Map.groupBy(
      rows.map(({ path, direction, role, kind, tool, text }) => ({
        path,
        direction,
        role,
        kind,
        tool,
        text,
      })),
      ({ path }) => String(path),
    ),
  );

test("the views say what lens says, of random runs among crashes", async () => {
  let compared = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const base = database();
    let made = 0;
    // The run without faults has a database of its own.
    await simulate({ seed, store: () => (made++ === 0 ? database().store : base.store) });
    compared += await expectEqual(base);
  }
  expect(compared).toBeGreaterThan(100);
});

test("and of runs that share budgets: the sums are those of the ledger", async () => {
  for (let seed = 1; seed <= 4; seed++) {
    const base = database();
    await simulateShared({ seed, store: () => base.store });
    await expectEqual(base);
    for (const { scope, posted } of await base.store.accounts({})) {
      const [row] = base.rows(
        "SELECT coalesce(sum(pico_usd), 0) AS pico_usd FROM spend, json_each(accounts) AS account WHERE account.value = ?",
        scope,
      );
      expect(String(row?.pico_usd)).toBe(posted.picoUsd);
    }
  }
});

test("values kept aside are in the views whole, texts of streamed answers too", async () => {
  const base = database();
  const on = scene({ store: base.store });
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
  await on
    .cast(made, { models: models({ prices: streamed.prices }), budget: "$1" })
    .run("Go", { runId: "r" });
  expect(await expectEqual(base)).toBeGreaterThan(3);
  const [output] = base.rows("SELECT output FROM operations WHERE path = '/p/big'");
  expect(JSON.parse(String(output?.output))).toBe(long);
  const texts = base.rows("SELECT text FROM messages WHERE direction = 'from' ORDER BY seq");
  expect(texts.map(({ text }) => String(text).length > 8_192)).toEqual([true, false]);
});

test("what a call was sent is there once, also when its process died in its middle", async () => {
  const base = database();
  const on = scene({ store: base.store });
  const model = scriptedModel({ replies: [{ text: "Lost.", delayMs: 60_000 }, { text: "Now." }] });
  const made = pipeline("p", agent("a", { model, system: "Say." }));
  const options = { models: models({ prices: model.prices }), budget: "$1" } as const;
  const first = on.cast(made, options);
  first.runner.start("Go", { runId: "r" });
  await on.wait(1_000);
  first.process.kill();
  await on.cast(made, options).run("Go", { runId: "r" });
  const texts = base.rows("SELECT text FROM messages WHERE run_id = 'r' ORDER BY seq, position");
  expect(texts.map(({ text }) => text)).toEqual(["Say.", "Go", "Now."]);
});

test("outputs are JSON, whatever they are", async () => {
  const base = database();
  const on = scene({ store: base.store });
  const values: unknown[] = ["text", 1.5, true, null, [1, "a"], { a: { b: null } }, "1", ""];
  for (const [i, value] of values.entries())
    await on
      .cast(
        pipeline(
          "p",
          step("a", () => value),
        ),
      )
      .run(1, { runId: `r${i}` });
  const found = base
    .rows("SELECT output FROM operations ORDER BY run_id")
    .map(({ output }) => JSON.parse(String(output)));
  expect(found).toEqual(values);
});

test("nothing can be written through them", async () => {
  const base = database();
  await scene({ store: base.store })
    .cast(
      pipeline(
        "p",
        step("a", () => 1),
      ),
    )
    .run(1, { runId: "r" });
  const db = new DatabaseSync(join(base.store.name.slice("sqlite:".length)));
  for (const view of ["runs", "entries", "operations", "spend", "messages"])
    expect(() => db.exec(`DELETE FROM ${view}`)).toThrow(/cannot modify .* because it is a view/);
  db.close();
});
