import { expect, test } from "vitest";
import type { Entry, Fact } from "../../core/entries.ts";
import { eventOf } from "../../core/events.ts";
import { noForks } from "../../testing/simulation/forks.ts";
import { simulate } from "../../testing/simulation.ts";
import { eventLine } from "./event-text.ts";
import { type PictureFrame, WatchPicture } from "./watch-picture.ts";

const journal = (...facts: readonly Fact[]): Entry[] =>
  facts.map((fact, seq) => ({ seq, at: seq * 1_000, ...fact }));
const created: Fact = {
  ...{ type: "run-created", pipeline: "p", fingerprint: "f", manifest: "m", input: 1, state: {} },
  limits: { picoUsd: "500000000000" },
};
const amount = { picoUsd: "20000000000", inputTokens: 5, outputTokens: 5 };

const watchPicture = (runId: string, entries: readonly Entry[], frame: PictureFrame): string[] => {
  const picture = new WatchPicture(runId);
  picture.take(entries);
  return picture.lines(frame);
};

test("the picture says how the run stands, what it has spent and holds, and what is at work for how long", () => {
  const entries = journal(
    created,
    { type: "step-completed", path: "/p/get", kind: "step", output: 1, took: 20 },
    { type: "step-started", path: "/p/say", kind: "agent", attempt: 1 },
    { type: "budget-reserved", path: "/p/say:call#0", model: "some:model", amount },
    { type: "text-streamed", path: "/p/say:call#0", of: 3, block: 0, chunks: ["Once ", "upon"] },
  );
  expect(watchPicture("r", entries, { width: 100, height: 10, now: 10_000 })).toEqual([
    "r p running · 10.0 s · $0.02 of $0.5 · $0.02 of it held · 1 call",
    "✔ /p/get step, 20 ms",
    "… /p/say agent, 8.0 s, $0.02",
    "  … :call#0 model-call, 7.0 s, $0.02 “…Once upon”",
  ]);
});

test("it fits: so many lines around what is at work, none wider, and nothing that moves the cursor", () => {
  const done = Array.from(
    { length: 50 },
    (_, i): Fact => ({
      ...{ type: "step-completed", path: `/p/${"x".repeat(i)}\x1b[2J${i}`, kind: "step", output: i },
    }),
  );
  const picture = watchPicture("r", journal(created, ...done), { width: 40, height: 8, now: 0 });
  expect(picture.length).toBeLessThanOrEqual(8);
  expect(picture.some((line) => line.includes("above"))).toBe(true);
  expect(picture.join("")).not.toContain("\x1b");
});

test("it is the same, taken in at once or entry by entry", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const { journal } = await simulate({ seed, forks: noForks });
    const picture = new WatchPicture("r");
    for (const [i, entry] of journal.entries()) {
      picture.take([entry]);
      const frame = { width: 200, height: 500, now: (i + 1) * 1_000_000 };
      expect(picture.lines(frame)).toEqual(watchPicture("r", journal.slice(0, i + 1), frame));
    }
  }
});

test("of a long journal the list is made anew now and then, and what it costs is always up to date", () => {
  const done = (i: number): Fact => ({ type: "step-completed", path: `/p/s${i}`, kind: "step", output: i });
  const many = Array.from({ length: 50_000 }, (_, i) => done(i));
  const entries = journal(created, ...many, done(50_000), {
    ...{ type: "budget-reserved", path: "/p/s50000:call#0", model: "some:model", amount },
  });
  const picture = new WatchPicture("r");
  picture.take(entries.slice(0, 50_001));
  const at = (now: number) => picture.lines({ width: 100, height: 4, now });
  const before = at(0);
  expect(before.at(-1)).toContain("/p/s49999");
  picture.take(entries.slice(50_001));
  expect(at(250).slice(1)).toEqual(before.slice(1));
  expect(at(250)[0]).toContain("$0.02 of it held");
  expect(at(2_100).at(-1)).toContain("call#0");
  picture.take([
    { type: "run-failed", error: { code: "x", message: "x", retryable: false }, seq: 50_003, at: 1 },
  ]);
  expect(at(2_101).at(-1)).not.toContain("…");
});

test("every event that happens has a line, or is known to tell a reader nothing", async () => {
  const silent = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const { journal } = await simulate({ seed, forks: noForks });
    for (const entry of journal) if (eventLine(eventOf(entry), 0) === undefined) silent.add(entry.type);
  }
  const known = ["cache-missed", "compensation-owed", "model-priced", "scope-opened", "value-altered"];
  const rare = ["operation-withdrawn"]; // once in hundreds of seeds
  expect([...silent].filter((type) => !rare.includes(type)).toSorted()).toEqual(known);
});
