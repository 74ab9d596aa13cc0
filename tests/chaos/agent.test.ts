import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { type Child, completedIn, endAll, ending, executions, journalOf, start } from "./child.ts";
import type { Job } from "./job.ts";
import { provider } from "./provider.ts";

/** Runs going on beside one another: each has a provider and a store of its own. */
const width = 3;

afterAll(endAll);

/** A place for one run of the agent, and a provider that answers by the conversation. */
async function scene() {
  const folder = mkdtempSync(join(tmpdir(), "flujo-agent-"));
  const openai = await provider();
  const job: Job = {
    pipeline: "analyst",
    input: "Go",
    place: { kind: "sqlite", folder: join(folder, "store") },
    runId: "r",
    log: join(folder, "log"),
    budget: "$1",
  };
  return {
    job,
    start: (more: Partial<Job> = {}): Child => start({ ...job, ...more }, openai.env),
    billed: async () => (await openai.meter()).picoUsd,
    /** Every request so far. The ids of calls count the provider's answers, so they are levelled. */
    asked: async () =>
      (await openai.meter()).bodies.map((body) => JSON.stringify(body).replace(/call_\d+_/g, "call_")),
    tools: () => executions(job.log).map(({ path }) => path),
    recorded: async () => completedIn(await journalOf(job.place, "r")),
    async [Symbol.asyncDispose]() {
      await openai[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

test("an agent of five turns killed -9 after each of its commits: finished turns and tools ran once, and the conversation goes on byte for byte", async () => {
  await using calm = await scene();
  const undisturbed = calm.start();
  expect(await ending(undisturbed)).toMatchObject({ status: "completed", output: { total: 6 } });
  const conversation = await calm.asked();
  expect(conversation).toHaveLength(5);
  const whole = calm.tools().sort();
  expect(whole).toEqual(["A0", "A1", "A2", "B0", "B1", "B2"]);

  let commit = 0;
  let isOver = false;
  const goOn = async (): Promise<void> => {
    while (!isOver) if (!(await killedAfter(++commit))) isOver = true;
  };

  /** False: the run has fewer commits than that. */
  async function killedAfter(commits: number): Promise<boolean> {
    await using the = await scene();
    const dying = the.start({ diesAfter: commits });
    await dying.gone;
    if (dying.messages.some(({ type }) => type === "ended")) return false;
    const recorded = await the.recorded();
    const [before, asked] = [the.tools().length, (await the.asked()).length];
    const ended = await ending(the.start());
    expect(ended).toMatchObject({ status: "completed", output: { total: 6 } });
    const turns = recorded.filter((path) => path.includes(":call#")).length;
    expect((await the.asked()).slice(asked)).toEqual(conversation.slice(turns));
    const tools = recorded.filter((path) => path.includes(":tool")).length;
    expect(the.tools()).toHaveLength(before + whole.length - tools);
    expect([...new Set(the.tools())].sort()).toEqual(whole);
    expect(await the.billed()).toBeLessThanOrEqual(ended.spent.picoUsd);
    return true;
  }

  await Promise.all(Array.from({ length: width }, goOn));
  expect(commit).toBeGreaterThan(12);
}, 240_000);
