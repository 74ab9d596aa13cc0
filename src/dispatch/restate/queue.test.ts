import { describe, expect, it } from "vitest";
import type { Job, Taken } from "../../ports/dispatcher.ts";
import { add, beat, type Fetch, fetch, leave, type Shelf, settle, wait } from "./queue.ts";

const lockMs = 30_000;

/** A queue of which nothing but its state is kept between two calls, as JSON. */
class Queue {
  readonly state = new Map<string, string>();
  readonly #shelf: Shelf = {
    get: async (...keys) => keys.map((key) => JSON.parse(this.state.get(key) ?? "null")),
    set: (key, value) => void this.state.set(key, JSON.stringify(value)),
    clear: (key) => void this.state.delete(key),
  };

  /** @returns the workers that are told. */
  async add(runId: string, more: Partial<Job> = {}): Promise<readonly string[]> {
    return await add(this.#shelf, [{ job: { runId, pipeline: "p", fingerprint: "f", ...more }, left: 0 }]);
  }

  async fetch(worker: string, how: Partial<Fetch> = {}): Promise<string[]> {
    const found = await fetch(this.#shelf, { worker, at: 0, lockMs, most: 100, has: [], ...how });
    return found.map(({ job }) => job.runId);
  }

  wait = (worker: string, at = 0): Promise<boolean> =>
    wait(this.#shelf, { worker, at, forMs: 10_000, bell: worker });
  beat = (worker: string, at: number): Promise<void> => beat(this.#shelf, { worker, at, lockMs });
  settle = async (worker: string, runId: string, taken: Taken = "done") =>
    await settle(this.#shelf, { worker, told: [{ runId, taken }] });
  leave = (worker: string): Promise<readonly string[]> => leave(this.#shelf, worker);
}

async function queueOf(...runIds: readonly string[]): Promise<Queue> {
  const queue = new Queue();
  for (const runId of runIds) await queue.add(runId);
  return queue;
}

describe("a queue in Restate", () => {
  it("hands over the highest priority first, and of one priority what has waited longest", async () => {
    const queue = await queueOf("a", "b");
    await queue.add("urgent", { priority: 9 });
    await queue.add("c");
    expect(await queue.fetch("w", { most: 2 })).toEqual(["urgent", "a"]);
    expect(await queue.fetch("w", { has: ["urgent", "a"] })).toEqual(["b", "c"]);
  });

  it("keeps one job of a run, until that is done", async () => {
    const queue = await queueOf("a", "a");
    expect(await queue.fetch("w")).toEqual(["a"]);
    await queue.add("a");
    expect(await queue.fetch("w", { has: ["a"] })).toEqual([]);
    await queue.settle("w", "a");
    await queue.add("a");
    expect(await queue.fetch("w")).toEqual(["a"]);
  });

  it("keeps nothing of what is done, nor of a worker that has left", async () => {
    const queue = await queueOf("a", "b");
    await queue.fetch("w");
    for (const runId of ["a", "b"]) expect(await queue.settle("w", runId)).toEqual([]);
    await queue.leave("w");
    expect(Object.fromEntries(queue.state)).toEqual({ lanes: "[]", alive: "{}" });
  });

  it("hands over again what a worker never received: its answer was lost", async () => {
    const queue = await queueOf("a", "b", "c");
    await queue.fetch("w", { most: 2 });
    expect(await queue.fetch("w", { most: 2, has: [] })).toEqual(["a", "b"]);
    expect(await queue.fetch("w", { most: 2, has: ["b"] })).toEqual(["a", "c"]);
  });

  it("gives what a dead worker had to others, before what came later", async () => {
    const queue = await queueOf("a", "b");
    await queue.fetch("dead", { most: 1 });
    expect(await queue.fetch("heir", { at: lockMs - 1, most: 0 })).toEqual([]);
    expect(await queue.fetch("heir", { at: lockMs, most: 1 })).toEqual(["a"]);
    expect(await queue.settle("dead", "a", "left")).toEqual([]);
    expect(await queue.fetch("third", { at: lockMs })).toEqual(["b"]);
  });

  it("takes a worker for alive that says so in time, and not one that does too late", async () => {
    const queue = await queueOf("a");
    await queue.fetch("w");
    await queue.beat("w", lockMs - 1);
    expect(await queue.fetch("heir", { at: lockMs + 1 })).toEqual([]);
    await queue.beat("w", 3 * lockMs);
    expect(await queue.fetch("heir", { at: 3 * lockMs })).toEqual(["a"]);
  });

  it("puts back at once what a worker had that leaves", async () => {
    const queue = await queueOf("a", "b");
    await queue.fetch("w");
    await queue.settle("w", "b");
    await queue.leave("w");
    expect(await queue.fetch("heir")).toEqual(["a"]);
  });

  it("tells one of those that wait for each job, the one that has waited longest", async () => {
    const queue = new Queue();
    for (const worker of ["v", "w", "x"]) expect(await queue.wait(worker)).toBe(false);
    expect(await queue.add("a")).toEqual(["v"]);
    expect(await queue.add("a")).toEqual([]);
    expect(await queue.add("b")).toEqual(["w"]);
    expect(await queue.wait("v")).toBe(true);
    await queue.fetch("v");
    expect(await queue.wait("v")).toBe(false);
    expect(await queue.add("c")).toEqual(["x"]);
  });

  it("tells nobody who has left, or has not said for long that he waits", async () => {
    const queue = new Queue();
    for (const worker of ["late", "gone"]) await queue.wait(worker);
    expect(await queue.leave("gone")).toEqual([]);
    await queue.wait("here", 10_000);
    expect(await queue.add("a")).toEqual(["here"]);
  });

  it("tells of what a worker had that leaves", async () => {
    const queue = await queueOf("a", "b");
    await queue.fetch("w");
    for (const worker of ["w", "heir", "other", "third"]) await queue.wait(worker);
    expect(await queue.leave("w")).toEqual(["heir", "other"]);
  });

  it("says how often a job was left, that it may come again later each time", async () => {
    const queue = await queueOf("a");
    await queue.fetch("w");
    const left = await queue.settle("w", "a", "left");
    expect(left).toMatchObject([{ job: { runId: "a" }, left: 1 }]);
    expect(await queue.settle("w", "a", "left")).toEqual([]);
    expect(await queue.fetch("w")).toEqual([]);
  });
});
