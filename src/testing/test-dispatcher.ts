import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { FlujoError } from "../core/errors.ts";
import type { Dispatcher, Job, Taken, Work } from "../ports/dispatcher.ts";
import type { TestRunner } from "./test-store.ts";

/** A dispatcher to be tested, and a real queue behind it, which is empty. */
export interface DispatcherUnderTest {
  /** Another process's: of the same queue. One that is in memory has but one. */
  readonly join: () => Dispatcher;
  /**
   * Of one that tells workers at once what has come: another process's, which looks for it by itself no more than once an hour.
   */
  readonly told?: () => Dispatcher;
  /** Of one that can be away: from now on it cannot be reached; and, called again, it can. */
  readonly away?: () => Promise<() => Promise<void>>;
  /** Of one behind a network: another process's, far away. */
  readonly far?: () => Promise<Far>;
  /**
   * Of one that outlives its workers: lets the time pass after which the jobs of a worker that has died are another's. The
   * worker has been left as it was, its jobs under way.
   */
  readonly forget?: () => Promise<void>;
  /** Called after each test, once all that joined is closed. */
  readonly dispose?: () => Promise<void>;
}

/** A dispatcher behind a network that may swallow what is said, either way, and tell nobody. It waits a second for an answer, at most. */
export interface Far {
  readonly dispatcher: Dispatcher;
  /** From now on nothing comes through, until what is returned is called. What was said meanwhile is lost, and so are its connections. */
  readonly swallow: () => Promise<() => Promise<void>>;
}

/** How long a test waits for what must come, in real milliseconds: much more than it needs. */
const longestMs = 60_000;

/**
 * The contract of a dispatcher, as tests. Whatever passes is one.
 *
 *     import { describe, it } from "node:test";
 *     import { testDispatcher } from "flujo/testing";
 *
 *     testDispatcher("my queue", async () => ({ join: () => myQueue(url) }), { describe, it });
 *
 * @param make is called once for each test.
 */
export function testDispatcher(
  name: string,
  make: () => Promise<DispatcherUnderTest>,
  runner: TestRunner,
): void {
  runner.describe(`${name}: the contract of a dispatcher`, () => {
    for (const [claim, test] of Object.entries(claims)) {
      runner.it(claim, async () => {
        const made = await make();
        const floor = new Floor(made);
        try {
          await test(floor);
        } finally {
          await floor.clear();
          await made.dispose?.();
        }
      });
    }
  });
}

/** Jobs under way in a worker, and how each comes to its end. */
interface Taking {
  readonly job: Job;
  readonly end: (taken: Taken) => void;
}

/** A worker of a test: it notes what it is handed, and does it at once unless it is told to hold. */
interface Worker {
  readonly taken: readonly Taking[];
  readonly troubles: readonly unknown[];
  /** Resolves when so many were handed to it. */
  has(count: number): Promise<void>;
  stop(): Promise<void>;
}

class Floor {
  readonly made: DispatcherUnderTest;
  readonly dispatcher: Dispatcher;
  readonly #joined: Dispatcher[];
  readonly #workers: Taking[][] = [];

  constructor(made: DispatcherUnderTest) {
    this.made = made;
    this.dispatcher = made.join();
    this.#joined = [this.dispatcher];
  }

  /** @param how `hold`: jobs stay under way until they are ended. */
  async worker(
    how: Partial<Work> & { readonly hold?: boolean; readonly own?: boolean | (() => Dispatcher) } = {},
  ): Promise<Worker> {
    const { hold = false, own = false, ...work } = how;
    const join = own === true ? this.made.join : own;
    const dispatcher = join === false ? this.dispatcher : join();
    if (!this.#joined.includes(dispatcher)) this.#joined.push(dispatcher);
    const taken: Taking[] = [];
    const troubles: unknown[] = [];
    this.#workers.push(taken);
    const shift = await dispatcher.work({
      queues: ["default"],
      concurrency: 10,
      onTrouble: (trouble) => void troubles.push(trouble),
      take: (job) =>
        new Promise((resolve) => {
          taken.push({ job, end: resolve });
          if (!hold) resolve("done");
        }),
      ...work,
    });
    const has = (count: number): Promise<void> =>
      until(() => taken.length >= count, `${count} jobs were to come, and ${taken.length} have`);
    return { taken, troubles, has, stop: () => shift.stop() };
  }

  async clear(): Promise<void> {
    for (const { end } of this.#workers.flat()) end("done");
    for (const dispatcher of this.#joined) await dispatcher.close("5s");
  }
}

async function until(holds: () => boolean, otherwise: string): Promise<void> {
  const deadline = Date.now() + longestMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`it never came to pass: ${otherwise}`);
    await pause(10);
  }
}

const job = (runId: string, more: Partial<Job> = {}): Job => ({
  ...{ runId, pipeline: "p", fingerprint: "f" },
  ...more,
});
const idsOf = ({ taken }: Worker): string[] => taken.map(({ job }) => job.runId);

const claims: { readonly [claim: string]: (floor: Floor) => Promise<void> } = {
  async "hands over what was submitted before anybody worked, whole"(floor) {
    const whole = job("a", { priority: 3, tenant: "acme", queue: "default" });
    await floor.dispatcher.submit(whole);
    const worker = await floor.worker();
    await worker.has(1);
    assert.deepEqual(worker.taken[0]?.job, whole);
  },

  async "hands over what is submitted while somebody works, and nothing that is done"(floor) {
    const worker = await floor.worker();
    for (const runId of ["a", "b", "c"]) {
      await floor.dispatcher.submit(job(runId));
      await until(() => idsOf(worker).includes(runId), `${runId} comes`);
    }
    assert.deepEqual(idsOf(worker), ["a", "b", "c"]);
  },

  async "tells a worker that hardly looks of what has come, also when it was full, or it was left"(floor) {
    const { told } = floor.made;
    if (told === undefined) return;
    const worker = await floor.worker({ own: told, concurrency: 2, hold: true });
    for (const [i, runId] of ["a", "b", "c"].entries()) {
      await floor.dispatcher.submit(job(runId));
      if (i < 2) await worker.has(i + 1);
    }
    worker.taken[0]?.end("left");
    worker.taken[1]?.end("done");
    await worker.has(4);
    assert.deepEqual(idsOf(worker), ["a", "b", "c", "a"]);
  },

  async "hands over the highest priority first, and of one priority what has waited longest"(floor) {
    for (const [runId, priority] of Object.entries({ low: 0, high: 900, middle: 5, also: 5, last: 0 }))
      await floor.dispatcher.submit(job(runId, { priority }));
    const worker = await floor.worker({ concurrency: 1 });
    await worker.has(5);
    assert.deepEqual(idsOf(worker), ["high", "middle", "also", "low", "last"]);
  },

  async "hands over no more at once than a worker can take"(floor) {
    for (const runId of ["a", "b", "c", "d"]) await floor.dispatcher.submit(job(runId));
    const worker = await floor.worker({ concurrency: 2, hold: true });
    await worker.has(2);
    for (let i = 0; i < 2; i++) {
      assert.equal(worker.taken.length, 2 + i);
      worker.taken[i]?.end("done");
      await worker.has(3 + i);
    }
    assert.deepEqual(idsOf(worker).toSorted(), ["a", "b", "c", "d"]);
  },

  async "hands over jobs of the worker's queues, and keeps the others"(floor) {
    await floor.dispatcher.submit(job("theirs", { queue: "theirs" }));
    await floor.dispatcher.submit(job("mine", { queue: "mine" }));
    await floor.dispatcher.submit(job("none"));
    const worker = await floor.worker({ queues: ["mine", "default"] });
    await worker.has(2);
    assert.deepEqual(idsOf(worker).toSorted(), ["mine", "none"]);
    const other = await floor.worker({ queues: ["theirs"] });
    await other.has(1);
    assert.deepEqual(idsOf(other), ["theirs"]);
  },

  async "hands over nothing before its delay is over"(floor) {
    const delayMs = 2_000;
    const before = Date.now();
    await floor.dispatcher.submit(job("late", { delayMs }));
    await floor.dispatcher.submit(job("now"));
    const worker = await floor.worker();
    await worker.has(2);
    assert.deepEqual(idsOf(worker), ["now", "late"]);
    assert.ok(Date.now() - before >= delayMs);
  },

  async "hands over again what was left"(floor) {
    await floor.dispatcher.submit(job("a"));
    const worker = await floor.worker({ hold: true });
    await worker.has(1);
    worker.taken[0]?.end("left");
    await worker.has(2);
    assert.deepEqual(idsOf(worker), ["a", "a"]);
  },

  async "hands over nothing to a worker that has stopped, and what it had under way comes to its end"(floor) {
    const first = await floor.worker({ hold: true, concurrency: 1 });
    await floor.dispatcher.submit(job("a"));
    await first.has(1);
    await first.stop();
    await floor.dispatcher.submit(job("b"));
    first.taken[0]?.end("done");
    const second = await floor.worker();
    await second.has(1);
    assert.deepEqual([idsOf(first), idsOf(second)], [["a"], ["b"]]);
  },

  async "hands what is under way to nobody else"(floor) {
    const first = await floor.worker({ hold: true });
    await floor.dispatcher.submit(job("a"));
    await first.has(1);
    const second = await floor.worker({ own: true });
    await floor.dispatcher.submit(job("b"));
    await until(() => first.taken.length + second.taken.length >= 2, "b comes to one of them");
    assert.equal([...idsOf(first), ...idsOf(second)].filter((runId) => runId === "a").length, 1);
  },

  async "hands all of very many over, to several workers, each once"(floor) {
    const ids = Array.from({ length: 200 }, (_, i) => `r-${i}`);
    await Promise.all(ids.map((runId) => floor.dispatcher.submit(job(runId))));
    const workers = await Promise.all([1, 2, 3].map(() => floor.worker({ own: true })));
    const all = (): string[] => workers.flatMap(idsOf);
    await until(() => all().length >= ids.length, "all come");
    assert.deepEqual(all().toSorted(), ids.toSorted());
  },

  async "hands what a worker had that has died to another one"(floor) {
    const { forget } = floor.made;
    if (forget === undefined) return;
    const dead = await floor.worker({ hold: true, own: true });
    await floor.dispatcher.submit(job("a"));
    await dead.has(1);
    await dead.stop();
    await forget();
    const heir = await floor.worker();
    await heir.has(1);
    assert.deepEqual(idsOf(heir), ["a"]);
  },

  async "says so when it is away, loses nothing it has taken, and works on when it is back"(floor) {
    const { away } = floor.made;
    if (away === undefined) return;
    await floor.dispatcher.submit(job("before"));
    const back = await away();
    const worker = await floor.worker({ own: true });
    await assert.rejects(
      floor.dispatcher.submit(job("during")),
      (error) => FlujoError.isInstance(error) && error.code === "dispatcher-unavailable" && error.retryable,
    );
    await until(() => worker.troubles.length === 1, "its worker tells");
    assert.notEqual(worker.troubles[0], undefined);
    await back();
    await until(() => idsOf(worker).includes("before"), "what it had taken comes"); // what it refused may come, too
    assert.deepEqual(worker.troubles.slice(1), [undefined]);
    await floor.dispatcher.submit(job("after"));
    await until(() => idsOf(worker).includes("after"), "what is submitted later comes");
  },

  async "works on after a network that swallowed what was said, and told nobody"(floor) {
    const far = await floor.made.far?.();
    if (far === undefined) return;
    const worker = await floor.worker({ own: () => far.dispatcher });
    await floor.dispatcher.submit(job("before"));
    await worker.has(1);
    const back = await far.swallow();
    await until(() => worker.troubles.length === 1, "its worker tells");
    await floor.dispatcher.submit(job("after"));
    await back();
    await until(() => idsOf(worker).includes("after"), "what was submitted meanwhile comes");
  },
};
