import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Child, endAll, ending, executions, journalOf, kill, refusal, start } from "./child.ts";
import { type Job, kinds } from "./job.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flujo-lease-"));
});
afterEach(async () => {
  await endAll();
  rmSync(folder, { recursive: true });
});

const afterTwoSteps = {
  status: "completed",
  output: { value: 9, visits: ["/line/one", "/line/two", "/line/three"] },
};

describe.each(kinds)("two processes and one run on %s", (kind) => {
  const job = (more: Partial<Job> = {}): Job => ({
    pipeline: "line",
    input: 5,
    place: { kind, folder: join(folder, "store") },
    runId: "r",
    log: join(folder, "log"),
    ...more,
  });
  const journal = () => journalOf(job().place, "r");
  const pathsBy = ({ pid }: Child) =>
    executions(job().log).flatMap((one) => (one.pid === pid ? [one.path] : []));

  test("the second one is told at once who advances it, and changes nothing", async () => {
    const owner = start(job({ hang: ["/line/three"] }));
    await owner.until("recorded", ({ entry, path }) => entry === "step-started" && path === "/line/three");
    const before = await journal();
    const second = start(job());
    const { code, message, hint, afterMs } = await refusal(second);
    expect(code).toBe("lease-held");
    expect(message).toContain(` ${owner.pid} `);
    expect(hint).toContain("flujo lens show r");
    expect(afterMs).toBeLessThan(5_000); // the lease alone lasts 15 s
    expect(await journal()).toEqual(before);
    expect(pathsBy(second)).toEqual([]);
    owner.go();
    expect(await ending(owner)).toMatchObject(afterTwoSteps);
  });

  test("of two that resume a dead owner's run at the same moment, one proceeds and one is refused", async () => {
    const owner = start(job({ hang: ["/line/three"] }));
    await owner.until("reached");
    await kill(owner);
    const both = [start(job({ hang: ["/line/three"] })), start(job({ hang: ["/line/three"] }))] as const;
    const winner = await Promise.any(both.map((child) => child.until("reached").then(() => child)));
    const loser = both[0] === winner ? both[1] : both[0];
    expect(await refusal(loser)).toMatchObject({ code: "lease-held" });
    winner.go();
    expect(await ending(winner)).toMatchObject(afterTwoSteps);
    expect(pathsBy(winner)).toEqual(["/line/three", "/line/close"]);
    expect(pathsBy(loser)).toEqual([]);
  });

  /** Another process that goes on with a stopped one's run as soon as the lease has ended, and ends it. */
  async function successorOf(sleeper: Child, its: Job): Promise<Child> {
    for (let tries = 0; tries < 20; tries++) {
      const child = start(its);
      await child.gone;
      if (child.messages.some(({ type }) => type === "ended")) return child;
      const { code } = await refusal(child);
      if (code === "lease-held") continue;
      expect(code).toBe("store-unavailable"); // it was stopped inside a transaction, and SQLite's lock with it
      sleeper.signal("SIGCONT");
      await pause(5);
      sleeper.signal("SIGSTOP");
    }
    throw new Error("the lease of a stopped process never ended");
  }

  test("one that slept past its lease and wakes writes nothing, and says that it lost the run", async () => {
    const sleeper = start(job({ lease: "1s", hang: ["/line/three"] }));
    await sleeper.until("reached");
    sleeper.signal("SIGSTOP");
    const successor = await successorOf(sleeper, job({ lease: "1s" }));
    expect(await ending(successor)).toMatchObject(afterTwoSteps);
    const finished = await journal();
    sleeper.signal("SIGCONT");
    sleeper.go();
    expect(await refusal(sleeper)).toMatchObject({ code: "lease-lost" });
    expect(await journal()).toEqual(finished);
    expect(pathsBy(successor)).toEqual(["/line/three", "/line/close"]);
  });

  test("one that sleeps in the middle of its writing, too", async () => {
    for (let tries = 0; ; tries++) {
      const many = job({ pipeline: "tour", input: 1, lease: "1s", pauseMs: [2, 8], runId: `tour-${tries}` });
      const its = () => journalOf(many.place, many.runId);
      const sleeper = start(many);
      await sleeper.until("recorded", ({ path }) => path.startsWith("/tour/items[d]"));
      sleeper.signal("SIGSTOP");
      const stopped = (await its()).length;
      await successorOf(sleeper, many);
      // Where it held SQLite's lock it was woken for a moment; on a busy machine that may have been enough to finish.
      if (tries < 5 && sleeper.messages.some(({ type }) => type === "ended")) continue;
      const finished = await its();
      sleeper.signal("SIGCONT");
      expect(await refusal(sleeper)).toMatchObject({ code: "lease-lost" });
      expect(await its()).toEqual(finished);
      const resumed = finished.findIndex(({ type }) => type === "run-resumed");
      expect(resumed).toBeGreaterThanOrEqual(stopped);
      expect(finished.filter(({ type }) => type === "run-completed")).toHaveLength(1);
      return;
    }
  });
});

describe.each(kinds)("an owner killed without a word, on %s", (kind) => {
  test("its run is finished by any process that runs the same pipeline on the same store", async () => {
    const job = (runId: string): Job => ({
      pipeline: "line",
      input: 5,
      place: { kind, folder: join(folder, "store") },
      runId,
      log: join(folder, "log"),
      hang: ["/line/three"],
      lease: "1s",
      takeOver: true,
    });
    const owner = start(job("orphan"));
    await owner.until("reached");
    const other = start({ ...job("own"), hang: ["/line/close"] });
    await other.until("reached", ({ runId }) => runId === "own");
    await kill(owner);
    await other.until("reached", ({ runId }) => runId === "orphan");
    other.go();
    await other.until("recorded", ({ runId, entry }) => runId === "orphan" && entry === "run-completed");
    expect(await ending(other)).toMatchObject(afterTwoSteps);
    const orphan = executions(job("orphan").log).filter(({ runId }) => runId === "orphan");
    expect(orphan.map(({ path, pid }) => [path, pid === other.pid])).toEqual([
      ["/line/one", false],
      ["/line/two", false],
      ["/line/three", true],
      ["/line/close", true],
    ]);
    const entries = await journalOf(job("orphan").place, "orphan");
    expect(entries.at(-1)?.type).toBe("run-completed");
    expect(entries.find(({ type }) => type === "run-resumed")).toMatchObject({ why: "taken-over" });
  });
});
