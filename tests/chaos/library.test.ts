import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { vectorOf, type WirePrice } from "../../src/testing/wire/meter.ts";
import { wireServer } from "../../src/testing/wire/server.ts";
import { completedIn, endAll, ending, journalOf, start } from "./child.ts";
import type { Job } from "./job.ts";
import { longTexts } from "./pipelines.ts";

/** Runs going on beside one another: each has a provider and a store of its own. */
const width = 3;
/** text-embedding-3-small: $0.02 a million tokens. */
const price: WirePrice = { input: 20_000n, cacheRead: 0n, cacheWrite: 0n, output: 0n };

afterAll(endAll);

async function scene() {
  const folder = mkdtempSync(join(tmpdir(), "flujo-library-"));
  const openai = await wireServer({ price });
  const job: Job = {
    pipeline: "library",
    input: "Go",
    place: { kind: "sqlite", folder: join(folder, "store") },
    runId: "r",
    log: join(folder, "log"),
    budget: "$2",
  };
  const env = { OPENAI_BASE_URL: `${openai.origin}/v1` };
  return {
    openai,
    /** The key tells one life from the next: what the dying one has sent may arrive late. */
    start: (key: string, more: Partial<Job> = {}) =>
      start({ ...job, ...more }, { ...env, OPENAI_API_KEY: key }),
    /** What was asked for under a key, a batch or a call each. */
    asked: (key: string) =>
      openai.requests
        .filter(({ headers }) => headers.authorization === `Bearer ${key}`)
        .map(({ values, images }) => values?.map(([letter]) => letter).join("") ?? images),
    recorded: async () => completedIn(await journalOf(job.place, "r")).filter((path) => path.includes(":")),
    async [Symbol.asyncDispose]() {
      await openai.close();
      rmSync(folder, { recursive: true });
    },
  };
}

test("batches of vectors and calls for images killed -9 after each commit: what is recorded is not bought again", async () => {
  await using calm = await scene();
  const whole = await ending(calm.start("sk-first"));
  const output = { vectors: longTexts.map((text) => vectorOf(text)), images: 12 };
  expect(whole).toMatchObject({ status: "completed", output });
  expect(whole.spent.picoUsd).toBe(calm.openai.billedPicoUsd);
  const wanted = new Map<string, unknown>([
    ["/library/index:call#0", "abc"],
    ["/library/index:call#1", "def"],
    ["/library/index:call#2", "gh"],
    ["/library/shelve:cover#0", 10],
    ["/library/shelve:cover#1", 2],
  ]);
  expect(calm.asked("sk-first").sort()).toEqual([...wanted.values()].sort());

  let commit = 0;
  let isOver = false;
  const goOn = async (): Promise<void> => {
    while (!isOver) if (!(await killedAfter(++commit))) isOver = true;
  };

  /** False: the run has fewer commits than that. */
  async function killedAfter(commits: number): Promise<boolean> {
    await using the = await scene();
    const dying = the.start("sk-first", { diesAfter: commits });
    await dying.gone;
    if (dying.messages.some(({ type }) => type === "ended")) return false;
    const recorded = await the.recorded();
    const ended = await ending(the.start("sk-second"));
    expect(ended).toMatchObject({ status: "completed", output });
    const missing = [...wanted].flatMap(([path, what]) => (recorded.includes(path) ? [] : [what]));
    expect(the.asked("sk-second").sort()).toEqual(missing.sort());
    expect(the.openai.billedPicoUsd).toBeLessThanOrEqual(ended.spent.picoUsd);
    return true;
  }

  await Promise.all(Array.from({ length: width }, goOn));
  expect(commit).toBeGreaterThan(5);
}, 240_000);
