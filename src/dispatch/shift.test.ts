import { describe, expect, it } from "vitest";
import type { Job, Taken, Work } from "../ports/dispatcher.ts";
import { PollingShift, type Source } from "./polling-shift.ts";

const pace = { pollMs: 2, restMs: 2, beatMs: 2 };

/** Queues in memory, what was said to them, and whether they answer. */
class Queues implements Source<string> {
  readonly settled: string[] = [];
  readonly beats: string[] = [];
  readonly asked: [queue: string, most: number][] = [];
  answers = true;
  readonly #waiting: Map<string, string[]>;

  constructor(waiting: { readonly [queue: string]: readonly string[] }) {
    this.#waiting = new Map(Object.entries(waiting).map(([queue, ids]) => [queue, [...ids]]));
  }

  async fetch(queue: string, most: number) {
    this.asked.push([queue, most]);
    if (!this.answers) throw new Error("away");
    const found = this.#waiting.get(queue)?.splice(0, most) ?? [];
    return found.map((runId) => ({ held: runId, job: { runId, pipeline: "p", fingerprint: "f", queue } }));
  }
  async settle(queue: string, held: string, taken: Taken): Promise<void> {
    if (!this.answers) throw new Error("away");
    this.settled.push(`${queue} ${held} ${taken}`);
  }
  async beat(queue: string, held: readonly string[]): Promise<void> {
    if (!this.answers) throw new Error("away");
    this.beats.push(`${queue} ${held.join()}`);
  }
}

/** What is under way, until it is ended, and what was told of trouble. */
function working(source: Queues, how: Partial<Work> = {}) {
  const taken: string[] = [];
  const ends = new Map<string, (taken: Taken) => void>();
  const troubles: unknown[] = [];
  const work: Work = {
    queues: ["default"],
    concurrency: 10,
    take: ({ runId }: Job) => {
      taken.push(runId);
      return new Promise((resolve) => ends.set(runId, resolve));
    },
    onTrouble: (trouble) => void troubles.push(trouble),
    ...how,
  };
  const shift = new PollingShift(work, source, pace);
  return { shift, taken, troubles, end: (runId: string, how: Taken = "done") => ends.get(runId)?.(how) };
}

const over = AbortSignal.abort();
const never = new AbortController().signal;

describe("a process at work on queues that are asked", () => {
  it("asks for no more than it has room for, in all and at this moment", async () => {
    const source = new Queues({ default: ["a", "b", "c", "d"] });
    let room = 5;
    const { shift, taken, end } = working(source, { concurrency: 2, room: () => room });
    await expect.poll(() => taken).toEqual(["a", "b"]);
    room = 0;
    end("a");
    await expect.poll(() => source.settled).toEqual(["default a done"]);
    expect(taken).toEqual(["a", "b"]);
    room = 1;
    await expect.poll(() => taken).toEqual(["a", "b", "c"]);
    expect(source.asked.filter(([, most]) => most < 1)).toEqual([]);
    await shift.leave(over);
  });

  it("asks one queue after the other, so that none keeps the others waiting", async () => {
    const source = new Queues({ long: ["a", "b", "c"], short: ["x", "y"] });
    const { shift, taken, end } = working(source, { queues: ["long", "short"], concurrency: 1 });
    for (let i = 1; i <= 5; i++) {
      await expect.poll(() => taken.length).toBe(i);
      end(taken.at(-1) ?? "");
    }
    expect(taken).toEqual(["a", "x", "b", "y", "c"]);
    await shift.leave(never);
  });

  it("says of those under way that they are, queue by queue, and of none that is settled", async () => {
    const source = new Queues({ mail: ["a", "b"], default: ["c"] });
    const { shift, end } = working(source, { queues: ["mail", "default"] });
    await expect.poll(() => source.beats).toEqual(expect.arrayContaining(["mail a,b", "default c"]));
    end("a", "left");
    await expect.poll(() => source.settled).toEqual(["mail a left"]);
    source.beats.length = 0;
    await expect.poll(() => source.beats).toEqual(expect.arrayContaining(["mail b", "default c"]));
    expect(source.beats).not.toContain("mail a,b");
    await shift.leave(over);
  });

  it("tells once that the source is away, and once that it answers; what it could not tell hinders nothing", async () => {
    const source = new Queues({ default: ["a", "b"] });
    const { shift, taken, troubles, end } = working(source, { concurrency: 1 });
    await expect.poll(() => taken).toEqual(["a"]);
    source.answers = false;
    end("a");
    const before = source.asked.length;
    await expect.poll(() => source.asked.length).toBeGreaterThan(before + 3);
    expect(troubles).toMatchObject([{ message: "away" }]);
    source.answers = true;
    await expect.poll(() => taken).toEqual(["a", "b"]);
    expect(troubles.slice(1)).toEqual([undefined]);
    expect(source.settled).toEqual([]);
    await shift.leave(over);
  });

  it("takes nothing once it has stopped, and leaves when what is under way is settled, or nobody waits for that", async () => {
    const source = new Queues({ default: ["a"] });
    const { shift, taken, end } = working(source, { concurrency: 1 });
    await expect.poll(() => taken).toEqual(["a"]);
    await shift.stop();
    const asked = source.asked.length;
    const left = shift.leave(never).then(() => [...source.settled]);
    end("a");
    expect(await left).toEqual(["default a done"]);
    expect(source.asked.length).toBe(asked);

    const other = new Queues({ default: ["b"] });
    const hanging = working(other);
    await expect.poll(() => hanging.taken).toEqual(["b"]);
    await hanging.shift.leave(over);
    expect(other.settled).toEqual([]);
  });
});
