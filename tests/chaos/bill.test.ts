import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, describe, expect, test } from "vitest";
import { fold } from "../../src/core/fold.ts";
import { decimalUsd, type PicoUsd, type Usd } from "../../src/core/limits.ts";
import type { RunRecord } from "../../src/core/run-record.ts";
import { endAll, ending, journalOf, kill, start } from "./child.ts";
import { type Job, type Kind, kinds, storeAt } from "./job.ts";
import { textOf } from "./pipelines.ts";
import { provider } from "./provider.ts";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
const dollars = (amount: PicoUsd): Usd => `$${decimalUsd(amount)}` as Usd; // a decimal number

/** A place for journals, and a provider of its own. */
async function scene(kind: Kind) {
  const folder = mkdtempSync(join(tmpdir(), "flujo-bill-"));
  const openai = await provider();
  const jobOf = (pipeline: Job["pipeline"], runId: string, input: readonly number[]): Job => ({
    pipeline,
    input,
    place: { kind, folder: join(folder, "store") },
    runId,
    log: join(folder, "log"),
  });
  // What one call costs, by the provider's own meter.
  expect(await ending(start(jobOf("bill", "unit", numbers(1)), openai.env))).toMatchObject({
    status: "completed",
  });
  const { picoUsd: cost, texts } = await openai.meter();
  expect(texts).toHaveLength(1);
  return {
    openai,
    jobOf,
    cost,
    recordOf: async (job: Job): Promise<RunRecord> => fold(await journalOf(job.place, job.runId)),
    /** What was billed since. */
    bill: async (): Promise<PicoUsd> => (await openai.meter()).picoUsd - cost,
    async [Symbol.asyncDispose]() {
      await openai[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

afterAll(endAll);

describe.concurrent.each(kinds)("a provider that meters its own bill, with the journal on %s", (kind) => {
  /** The texts whose summaries are recorded. */
  const summarised = (run: RunRecord): string[] =>
    [...run.completed.keys()]
      .filter((path) => path.endsWith("/summarise"))
      .map((path) => textOf(Number(/\[(\d+)\]/.exec(path)?.[1])));

  test("200 calls at once under a cap for half of them: the cap holds, it is used, and nothing is bought twice", async () => {
    await using the = await scene(kind);
    const { openai, cost } = the;
    const cap = cost * 100n;
    const job = { ...the.jobOf("bill", "r", numbers(200)), budget: dollars(cap) };

    const halted = await ending(start(job, openai.env));
    expect(halted).toMatchObject({ status: "halted", code: "budget-exceeded" });
    const bill = await the.bill();
    expect(bill).toBeLessThanOrEqual(cap);
    expect(halted.spent.picoUsd).toBe(bill);
    const done = summarised(await the.recordOf(job));
    expect(done.length).toBeGreaterThanOrEqual(95); // of the 100 that fit
    const asked = (await openai.meter()).texts.length;

    const finished = await ending(start({ ...job, budget: dollars(cost * 300n) }, openai.env));
    expect(finished).toMatchObject({ status: "completed" });
    expect(finished.output).toHaveLength(200);
    const again = (await openai.meter()).texts.slice(asked);
    expect(again.filter((text) => done.some((one) => text.includes(one)))).toEqual([]);
    expect(again).toHaveLength(200 - done.length);
    expect(await the.bill()).toBe(finished.spent.picoUsd);
  });

  test("two processes with 100 calls each, and a shared budget for half of them: it holds, is used, and nothing stays held", async () => {
    await using the = await scene(kind);
    const { openai, cost } = the;
    const cap = cost * 100n;
    const scopes = [{ scope: "tenant:acme", cost: dollars(cap) }];
    const jobs = ["one", "two"].map((runId) => ({ ...the.jobOf("bill", runId, numbers(100)), scopes }));

    const ends = await Promise.all(jobs.map((job) => ending(start(job, openai.env))));
    const bill = await the.bill();
    expect(ends.map(({ status }) => status)).toContain("halted");
    expect(bill).toBeLessThanOrEqual(cap);
    expect(ends.reduce((sum, { spent }) => sum + spent.picoUsd, 0n)).toBe(bill);
    const done = await Promise.all(jobs.map(async (job) => summarised(await the.recordOf(job)).length));
    // Each run keeps what it has paid for; the budget pays for 100 calls of both.
    expect(done.reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(95);
    const store = storeAt((jobs[0] as Job).place);
    const [account] = await store.accounts({});
    await store.close();
    expect(account).toMatchObject({ posted: { picoUsd: `${bill}` }, holds: [], queue: [] });
  }, 120_000);

  test("killed 10 times and resumed, the cap holds over all restarts, and so does the account of it", async () => {
    await using the = await scene(kind);
    const { openai, cost } = the;
    const cap = cost * 300n;
    const job = { ...the.jobOf("trickle", "r", numbers(500)), budget: dollars(cap) };

    for (let kills = 0; kills < 10; kills++) {
      const child = start(job, openai.env);
      await child.until("recorded", ({ entry }) => entry === "budget-settled");
      await pause(Math.random() * 25);
      await kill(child);
      const run = await the.recordOf(job);
      expect(run.status).toBe("running");
      expect(await the.bill()).toBeLessThanOrEqual(run.spent.picoUsd);
      expect(run.spent.picoUsd).toBeLessThanOrEqual(cap);
    }
    const halted = await ending(start(job, openai.env));
    expect(halted).toMatchObject({ status: "halted", code: "budget-exceeded" });
    expect(await the.bill()).toBeLessThanOrEqual(halted.spent.picoUsd);
    expect(halted.spent.picoUsd).toBeLessThanOrEqual(cap);

    const again = await ending(start(job, openai.env));
    expect(again).toMatchObject({ status: "halted", spent: halted.spent });

    const done = summarised(await the.recordOf(job));
    const asked = (await openai.meter()).texts.length;
    const finished = await ending(start({ ...job, budget: dollars(cost * 1_000n) }, openai.env));
    expect(finished).toMatchObject({ status: "completed" });
    const later = (await openai.meter()).texts.slice(asked);
    expect(later.filter((text) => done.some((one) => text.includes(one)))).toEqual([]);
    expect(await the.bill()).toBeLessThanOrEqual(finished.spent.picoUsd);
  });
});
