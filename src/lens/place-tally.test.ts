import { expect, test } from "vitest";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { loopUntil, mapOver, pipeline, step } from "../core/compose.ts";
import type { Entry } from "../core/entries.ts";
import { type Manifest, placeFinder } from "../core/fingerprint.ts";
import { fold, record } from "../core/fold.ts";
import { decimalUsd } from "../core/limits.ts";
import { humanInTheLoop, sleep } from "../core/pauses.ts";
import { emptyRecord } from "../core/run-record.ts";
import { spentOf } from "../core/spending.ts";
import type { Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { Journals } from "./journals.ts";
import { type Operation, operationsOf, Recorded } from "./operations.ts";
import { type PlaceStanding, PlaceTally } from "./place-tally.ts";
import { Spending } from "./spending.ts";

/** A run with all there is: items, turns, a model, an attempt that failed, a sleep, a question. */
async function eventful() {
  const model = scriptedModel({ replies: () => "yes" });
  let fails = 2;
  const flow = pipeline(
    "p",
    mapOver("each", agent("say", { model, system: "Say." }), { concurrency: 2 })
      .to(
        loopUntil(
          "again",
          step("turn", (all) => all),
          { until: (_, { count }) => count >= 2, maxLoops: 3 },
        ),
      )
      .to(
        step("shaky", () => {
          if (fails-- > 0) throw new Error("no");
          return 1;
        }).retry({ attempts: 3, backoff: "1ms" }),
      )
      .to(sleep("nap", "1s"))
      .to(humanInTheLoop("ask", { prompt: () => "Well?" })),
  );
  const on = scene();
  const { runner } = on.cast(flow, { models: models({ prices: model.prices }) });
  await on.play(runner.run(["a", "b", "c"], { runId: "r", budget: "$1" }));
  const entries = await on.journal("r");
  const manifest: Manifest = JSON.parse((await on.store.blob(fold(entries).manifest)) ?? "[]");
  return { entries, manifest };
}

/** The same, counted anew. */
function recounted(entries: readonly Entry[], manifest: Manifest): PlaceStanding[] {
  const run = fold(entries);
  const find = placeFinder(manifest);
  const own = [...operationsOf(entries, run).values()].filter(({ path }) => !path.includes(":"));
  return manifest.map(([path, , after]) => {
    const here = own.filter(
      (one) => find(one.path) === path && one.path.endsWith("]") === path.endsWith("]"),
    );
    const byStatus = Map.groupBy(here, ({ status }) => status);
    const operations = Object.fromEntries([...byStatus].map(([status, some]) => [status, some.length]));
    const cost = [...run.reservations.values()]
      .filter((one) => (find(one.path) ?? one.path) === path)
      .reduce((sum, { amount, settled, kind }) => sum + spentOf(settled ?? amount, kind).picoUsd, 0n);
    return { path, after, operations, costUsd: decimalUsd(cost) };
  });
}

test("kept up entry by entry, it says at each what a count of all would", async () => {
  const { entries, manifest } = await eventful();
  const [recorded, spending, run] = [new Recorded(), new Spending(), emptyRecord()];
  const tally = new PlaceTally(manifest);
  for (const [i, entry] of entries.entries()) {
    record(run, entry);
    tally.take(recorded.take(entry), spending.take(entry));
    expect([i, tally.standing(recorded, run)]).toEqual([i, recounted(entries.slice(0, i + 1), manifest)]);
  }
  const types = new Set(entries.map(({ type }) => type));
  for (const type of ["step-failed", "budget-settled", "timer-set", "signal-awaited"] as const)
    expect(types).toContain(type);
});

const items = 50_000;
const large: Manifest = [
  ["/p", "", ""],
  ["/p/all", "", ""],
  ["/p/all[]/one", "", ""],
];
const done = (seq: number): Entry => {
  return { type: "step-completed", seq, at: seq, path: `/p/all[${seq}]/one`, kind: "step", output: seq };
};

/** An object that counts how often it is looked at. */
function counted<T extends object>(of: T, look: () => void): T {
  return new Proxy(of, {
    get(target, field) {
      look();
      return Reflect.get(target, field);
    },
  });
}

test(`of ${items} operations none is looked at again for one more`, () => {
  let looks = 0;
  const look = (): void => {
    looks += 1;
  };
  const tally = new PlaceTally(large, (path) => {
    looks += 1;
    return placeFinder(large)(path);
  });
  const recorded = new Recorded();
  for (let seq = 1; seq <= items; seq++)
    for (const operation of recorded.take(done(seq)))
      tally.take([counted<Operation>(operation, look)], undefined);
  looks = 0;
  for (const operation of recorded.take(done(items + 1))) tally.take([counted(operation, look)], undefined);
  const [, , one] = tally.standing(recorded, emptyRecord());
  expect(one?.operations).toEqual({ completed: items + 1 });
  expect(looks).toBeLessThan(10);
});

test(`a run of ${items} operations that is looked at again is read, counted and summed where it goes on`, async () => {
  let looks = 0;
  const inner = memory();
  const store: Store = {
    ...inner,
    read: async (...page) => (await inner.read(...page))?.map((entry) => counted(entry, () => void looks++)),
  };
  const made = await inner.acquire({ runId: "r", owner: "me", now: 0, ttlMs: 1e9, create: true });
  if (made.outcome !== "granted") throw new Error(made.outcome);
  const { fence } = made.lease;
  const nothing = { picoUsd: "0", inputTokens: 0, outputTokens: 0, calls: 0 };
  const summary = {
    createdAt: 0,
    updatedAt: 0,
    pipeline: "p",
    fingerprint: "f",
    status: "running",
    ...nothing,
  } as const;
  const put = (entries: readonly Entry[]) =>
    inner.commit([{ runId: "r", fence, entries, blobs: [], summary }]);
  const created = { pipeline: "p", fingerprint: "f", manifest: "m", input: 1, state: {} };
  await put([{ type: "run-created", seq: 0, at: 0, ...created }]);
  await put(Array.from({ length: items }, (_, i) => done(i + 1)));
  const journals = new Journals(store);
  const asked = async () => {
    const journal = await journals.of("r");
    const { total, rows: [last] = [] } = journal?.treePage("/p/all", (journal?.size ?? 0) - 1, 1) ?? {};
    return [
      journal?.size,
      journal?.places(large)[2]?.operations,
      journal?.spending.models.size,
      total,
      last?.path,
    ];
  };
  expect(await asked()).toEqual([items, { completed: items }, 0, items, `/p/all[${items}]`]);
  expect(looks).toBeGreaterThan(items);
  looks = 0;
  await put([done(items + 1)]);
  expect(await asked()).toEqual([
    ...[items + 1, { completed: items + 1 }, 0],
    ...[items + 1, `/p/all[${items + 1}]`],
  ]);
  expect(looks).toBeLessThan(100);
});
