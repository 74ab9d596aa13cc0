import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Job, Taken, Work } from "../ports/dispatcher.ts";
import { type Bell, PollingShift, type Source } from "./polling-shift.ts";

const pollMs = 500;
const restMs = 10_000;

/** A worker on queues in memory that says how often it was asked, and rings when it is told to. */
function working(how: Partial<Work> = {}) {
  const queues = how.queues ?? ["default"];
  const waiting = new Map<string, Job[]>(queues.map((queue) => [queue, []]));
  const asked: string[] = [];
  const ends = new Map<string, (taken: Taken) => void>();
  const server = { isAway: false };
  let bell: Bell | undefined;
  const source: Source<string> = {
    async fetch(queue, most) {
      asked.push(queue);
      if (server.isAway) throw new Error("away");
      const jobs = waiting.get(queue)?.splice(0, most) ?? [];
      return jobs.map((job) => ({ held: job.runId, job }));
    },
    settle: async () => {},
    beat: async () => {},
    listen(_, given) {
      bell = given;
    },
  };
  const taken: string[] = [];
  const troubles: unknown[] = [];
  const shift = new PollingShift(
    {
      concurrency: 10,
      onTrouble: (trouble) => troubles.push(trouble),
      take: ({ runId }) => {
        taken.push(runId);
        return new Promise((resolve) => void ends.set(runId, resolve));
      },
      ...how,
      queues,
    },
    source,
    { pollMs, restMs, beatMs: 3_600_000 },
  );
  const put = (runId: string, queue = "default"): void =>
    void waiting.get(queue)?.push({ runId, pipeline: "p", fingerprint: "f" });
  return {
    ...{ shift, taken, troubles, asked, server, put },
    bell: bell as unknown as Bell, // it is given at once
    end: (runId: string): void => ends.get(runId)?.("done"),
    forget: (): void => void asked.splice(0),
  };
}

/** So many milliseconds of the clock of these tests. */
const passes = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe("a worker at queues that are asked for jobs", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("looks every half second while nobody rings, and rarely while somebody does", async () => {
    const { asked, bell, forget, shift } = working();
    await passes(0);
    forget();
    await passes(10_000);
    expect(asked.length).toBe(20);
    bell.live("default", true);
    await passes(1_000);
    forget();
    await passes(60_000);
    expect(asked.length).toBe(6);
    bell.live("default", false);
    await passes(pollMs);
    forget();
    await passes(10_000);
    expect(asked.length).toBe(20);
    await shift.stop();
  });

  it("takes at once what is rung for, with one look, into that queue alone", async () => {
    const { taken, asked, put, bell, forget, shift } = working({ queues: ["default", "mail"] });
    for (const queue of ["default", "mail"]) bell.live(queue, true);
    await passes(1_000);
    forget();
    put("a", "mail");
    bell.ring("mail");
    await passes(0);
    expect([taken, asked]).toEqual([["a"], ["mail"]]);
    await shift.stop();
  });

  it("looks until nothing is left, though it was rung for once", async () => {
    const { taken, put, bell, end, shift } = working({ concurrency: 2 });
    bell.live("default", true);
    await passes(1_000);
    for (const runId of ["a", "b", "c", "d", "e"]) put(runId);
    bell.ring("default");
    await passes(0);
    expect(taken).toEqual(["a", "b"]);
    for (const runId of ["a", "b"]) end(runId);
    await passes(0);
    for (const runId of ["c", "d"]) end(runId);
    await passes(0);
    expect(taken).toEqual(["a", "b", "c", "d", "e"]);
    await shift.stop();
  });

  it("looks as soon as there is room for what came while there was none, and asks nobody meanwhile", async () => {
    let room = 0;
    const { taken, asked, put, bell, forget, shift } = working({ room: () => room });
    bell.live("default", true);
    await passes(1_000);
    forget();
    const isFree = vi.fn();
    void bell.room().then(isFree);
    put("a");
    await passes(60_000);
    expect([asked, isFree.mock.calls.length]).toEqual([[], 0]);
    room = 1;
    await passes(pollMs);
    expect([taken, isFree.mock.calls.length]).toEqual([["a"], 1]);
    await shift.stop();
  });

  it("looks once for all that is to come within one pause, when its moment is there", async () => {
    const { taken, asked, put, bell, forget, shift } = working();
    bell.live("default", true);
    await passes(1_000);
    forget();
    for (const inMs of [2_010, 2_100, 2_200]) bell.ring("default", inMs);
    await passes(2_200);
    put("a");
    put("b");
    await passes(pollMs);
    expect([taken, asked.length]).toEqual([["a", "b"], 1]);
    await shift.stop();
  });

  it("tells once that its queue is away, though it rings, and asks for it no more often than it would", async () => {
    const { asked, troubles, server, bell, forget, shift } = working();
    bell.live("default", true);
    await passes(1_000);
    server.isAway = true;
    bell.live("default", false);
    await passes(pollMs);
    forget();
    await passes(5_000);
    expect(troubles).toEqual([new Error("away")]);
    expect(asked.length).toBe(10);
    server.isAway = false;
    await passes(pollMs);
    expect(troubles[1]).toBeUndefined();
    await shift.stop();
  });

  it("hears no ring once it has stopped", async () => {
    const { taken, put, bell, shift } = working();
    bell.live("default", true);
    bell.ring("default", 1_000);
    await shift.stop();
    put("a");
    bell.ring("default");
    await passes(20_000);
    expect(taken).toEqual([]);
  });
});
