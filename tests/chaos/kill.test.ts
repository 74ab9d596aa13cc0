import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { completedIn, endAll, ending, executions, journalOf, kill, start } from "./child.ts";
import { type Job, kinds } from "./job.ts";
import { series } from "./kills.ts";

describe.concurrent("killed 25 times at random, only work in flight is done again, and every result is the undisturbed one", () => {
  afterAll(endAll);

  test.each(kinds)(
    "on %s",
    async (kind) => {
      const { kills, midway } = await series(kind, 25); // throws what does not hold
      expect(kills).toBe(25);
      expect(midway).toBeGreaterThan(2);
    },
    300_000,
  );
});

describe.each(kinds)("on %s", (kind) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "flujo-kill-"));
  });
  afterEach(async () => {
    await endAll();
    rmSync(folder, { recursive: true });
  });

  const jobOf = (pipeline: Job["pipeline"], input: unknown): Job => ({
    pipeline,
    input,
    place: { kind, folder: join(folder, "store") },
    runId: "r",
    log: join(folder, "log"),
  });

  /** Kills a process in which all `done` bodies are recorded and all `hanging` ones under way; another one goes on. */
  async function killed(job: Job, done: readonly string[], hanging: readonly string[]) {
    const first = start({ ...job, hang: hanging });
    for (const path of hanging) await first.until("reached", (message) => message.path === path);
    for (const path of done)
      await first.until("recorded", (message) => message.entry === "step-completed" && message.path === path);
    await kill(first);
    expect(completedIn(await journalOf(job.place, "r")).sort()).toEqual([...done].sort());
    const second = start(job);
    const { status, output } = await ending(second);
    expect(status).toBe("completed");
    const did = executions(job.log).filter(({ pid }) => pid === second.pid);
    return { output, did: did.map(({ path }) => path) };
  }

  test("killed after step 2 of 4, only 3 and 4 run, and the state is all there", async () => {
    const { did, output } = await killed(jobOf("line", 5), ["/line/one", "/line/two"], ["/line/three"]);
    expect(did).toEqual(["/line/three", "/line/close"]);
    expect(output).toEqual({ value: 9, visits: ["/line/one", "/line/two", "/line/three"] });
  });

  test("killed after 3 of 5 turns of a loop, the fourth is next", async () => {
    const turns = [0, 1, 2, 3, 4].map((i) => `/loop/turns[${i}]/turn`);
    const { did, output } = await killed(jobOf("loop", 0), turns.slice(0, 3), turns.slice(3, 4));
    expect(did).toEqual([...turns.slice(3), "/loop/close"]);
    expect(output).toEqual({ value: 5, visits: turns });
  });

  test("killed with 7 of 10 map items done, 3 run, and the order is kept", async () => {
    const items = Array.from({ length: 10 }, (_, i) => `/map/items[${i}]/double`);
    const late = items.filter((_, i) => [1, 4, 9].includes(i));
    const early = items.filter((path) => !late.includes(path));
    const { did, output } = await killed({ ...jobOf("map", null), pauseMs: [0, 0] }, early, late);
    expect(did.slice(0, 3).sort()).toEqual([...late].sort());
    expect(did.slice(3)).toEqual(["/map/close"]);
    expect(output).toEqual({ value: [0, 2, 4, 6, 8, 10, 12, 14, 16, 18], visits: items });
  });

  test("killed with 2 of 3 parallel branches done, only the third runs", async () => {
    const [left, middle, right] = [
      "/branches/sides[left]/l",
      "/branches/sides[middle]/m",
      "/branches/sides[right]/r",
    ] as const;
    const { did, output } = await killed(jobOf("branches", 7), [left, right], [middle]);
    expect(did).toEqual([middle, "/branches/close"]);
    expect(output).toEqual({ value: { left: 7, middle: 7, right: 7 }, visits: [left, middle, right] });
  });
});
