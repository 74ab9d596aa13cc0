import { describe, expect, test } from "vitest";
import { mapOver, pipeline, step } from "../core/compose.ts";
import { DeliveryFailedError, type FlujoError } from "../core/errors.ts";
import { humanInTheLoop } from "../core/pauses.ts";
import type { Step } from "../core/step.ts";
import { Runner } from "../engine/runner.ts";
import type { Delivery, LinksFor, Sink } from "../ports/sink.ts";
import type { Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { chance } from "../testing/chance.ts";
import { type CrashPoint, crashingStore } from "../testing/crash-store.ts";
import { type VirtualProcess, type VirtualWorld, virtualWorld } from "../testing/virtual-world.ts";
import { cursors } from "./cursor.ts";
import { type DeadLetter, deadLetters } from "./dead-letter.ts";
import { Outbox } from "./outbox.ts";
import type { Subscription } from "./subscription.ts";

const greet = pipeline(
  "greet",
  mapOver(
    "each",
    step("hello", (name: string) => `Hello, ${name}!`),
  ),
);
const names = ["Ada", "Alan", "Grace"];

/** A receiver, and what it has taken in order; `answer` may throw, or never come back. */
function receiver(answer: (delivery: Delivery, tries: number) => unknown = () => {}) {
  const taken: Delivery[] = [];
  let tries = 0;
  const sink: Sink = {
    name: "receiver",
    async deliver(delivery) {
      await answer(delivery, ++tries);
      taken.push(delivery);
    },
  };
  return { sink, taken, types: () => taken.map(({ event }) => event.type), tries: () => tries };
}

interface Stage {
  readonly world: VirtualWorld;
  readonly store: Store;
  start(
    sinks: { readonly [name: string]: Subscription },
    options?: {
      readonly crash?: CrashPoint;
      readonly step?: Step<string[], unknown, object>;
      readonly sweepEveryMs?: number;
      readonly linksFor?: LinksFor;
    },
  ): Actor;
  wait(ms: number): Promise<void>;
  letters(): Promise<DeadLetter[]>;
  open(): Promise<number>;
}

interface Actor {
  readonly process: VirtualProcess;
  readonly runner: Runner<string[], unknown, object>;
  readonly outbox: Outbox;
  readonly errors: FlujoError[];
}

async function all<T>(some: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of some) found.push(one);
  return found;
}

function stage(seed = 1): Stage {
  const world = virtualWorld({ seed });
  const store = memory();
  const clock = world.process("clock");
  return {
    world,
    store,
    start(sinks, { crash, step = greet as Step<string[], unknown, object>, sweepEveryMs, linksFor } = {}) {
      const process = world.process("process");
      const own = crashingStore(store, { process, crash });
      const errors: FlujoError[] = [];
      const sweep = sweepEveryMs === undefined ? {} : { sweepEveryMs };
      const outbox = new Outbox({
        store: own,
        world: process,
        sinks,
        linksFor,
        onError: (error) => errors.push(error),
        ...sweep,
      });
      const runner = new Runner(step, { store: own, world: process, listeners: [outbox], takeOver: false });
      return { process, runner, outbox, errors };
    },
    wait: (ms) => world.run(new Promise<void>((resolve) => void clock.timer(ms, resolve)), { ms: ms + 1 }),
    letters: () => all(deadLetters(store)),
    open: async () => (await all(cursors(store))).length,
  };
}

const everything = (sink: Sink, more: Partial<Subscription> = {}): Subscription => ({
  to: sink,
  events: "all",
  ...more,
});

describe("a sink", () => {
  test("is told every event in order, once, and nothing is left when the run is over", async () => {
    const { world, start, wait, open, store } = stage();
    const { sink, taken } = receiver();
    const { runner } = start({ all: everything(sink) });
    await world.run(runner.run(names, { runId: "r" }));
    await wait(1_000);
    const journal = (await store.read("r", 0, 99)) ?? [];
    expect(journal.length).toBeGreaterThan(4);
    expect(taken.map(({ event }) => event.seq)).toEqual(journal.map(({ seq }) => seq));
    expect(new Set(taken.map(({ id }) => id)).size).toBe(journal.length);
    expect(
      taken.every(({ pipeline, runId, attempt }) => pipeline === "greet" && runId === "r" && attempt === 1),
    ).toBe(true);
    expect(await open()).toBe(0);
    await world.run(runner.run(names, { runId: "r" })); // returns its recorded result
    await wait(1_000);
    expect(taken).toHaveLength(journal.length);
  });

  test("is told how runs stand, and what they ask, unless it asks for more", async () => {
    const { world, start, wait } = stage();
    const { sink, types } = receiver();
    const asking = pipeline("ask", humanInTheLoop("ok", { prompt: () => "Shall we?" })) as Step<
      string[],
      unknown,
      object
    >;
    const { runner } = start({ main: { to: sink } }, { step: asking });
    expect(await world.run(runner.run(names, { runId: "r" }))).toMatchObject({ status: "waiting" });
    await wait(1_000);
    expect(types()).toEqual(["signal-awaited"]);
    await world.run(runner.cancel("r", "no need"));
    await wait(1_000);
    expect(types()).toEqual(["signal-awaited", "run-cancelled"]);
  });

  test("is told what its filters let through", async () => {
    const { world, start, wait } = stage();
    const [of, elsewhere, where] = [receiver(), receiver(), receiver()];
    const { runner } = start({
      of: { to: of.sink, events: ["step-completed"], pipelines: ["greet"] },
      elsewhere: { to: elsewhere.sink, events: "all", pipelines: ["another"] },
      where: everything(where.sink, { where: ({ event }) => event.path.endsWith("[1]/hello") }),
    });
    await world.run(runner.run(names, { runId: "r" }));
    await wait(1_000);
    expect(of.types()).toEqual(["step-completed", "step-completed", "step-completed"]);
    expect(elsewhere.taken).toEqual([]);
    expect(where.taken.map(({ event }) => event.path)).toEqual(["/greet/each[1]/hello"]);
  });

  test("that fails is tried again, later each time, while the run goes on", async () => {
    const { world, start, wait, store } = stage();
    const times: number[] = [];
    const { sink, types } = receiver((_, tries) => {
      times.push(world.now());
      if (tries <= 4) throw new Error("not now");
    });
    const { runner, errors } = start({ main: { to: sink } });
    const began = world.now();
    expect(await world.run(runner.run(names, { runId: "r" }))).toMatchObject({ status: "completed" });
    expect(world.now() - began).toBeLessThan(1_000);
    await wait(60_000);
    expect(types()).toEqual(["run-completed"]);
    const gaps = times.slice(1).map((time, i) => time - (times[i] as number)); // within its length
    for (const [i, gap] of gaps.entries()) {
      expect(gap).toBeGreaterThanOrEqual(500 * 2 ** i);
      expect(gap).toBeLessThanOrEqual(1_000 * 2 ** i + 1);
    }
    expect(errors).toEqual([]);
    expect(await store.notes({ prefix: "" })).toEqual([]);
  });

  test("is told everything, though the store failed when its cursor was to be made", async () => {
    const { world, start, wait, store } = stage();
    const { sink, taken } = receiver();
    const crash = { commit: 1, when: "before", how: "fail" } as const;
    const { runner } = start({ all: everything(sink) }, { crash });
    expect(await world.run(runner.run(names, { runId: "r" }))).toMatchObject({ status: "completed" });
    await wait(10_000);
    expect(taken.map(({ event }) => event.seq)).toEqual(
      (await store.read("r", 0, 99))?.map(({ seq }) => seq),
    );
  });

  test("that asks for time is given it", async () => {
    const { world, start, wait } = stage();
    const { sink, taken } = receiver((_, tries) => {
      if (tries === 1) throw new DeliveryFailedError("busy", { retryAfterMs: 600_000 });
    });
    const { runner } = start({ main: { to: sink } });
    await world.run(runner.run(names));
    await wait(599_000);
    expect(taken).toHaveLength(0);
    await wait(2_000);
    expect(taken).toHaveLength(1);
  });

  test("that never answers is cut off, and tried again", async () => {
    const { world, start, wait } = stage();
    const signals: AbortSignal[] = [];
    const { sink, taken } = receiver((_, tries) => tries > 1 || new Promise(() => {}));
    const deaf: Sink = {
      name: "deaf",
      deliver: (delivery, signal) => {
        signals.push(signal);
        return sink.deliver(delivery, signal);
      },
    };
    const { runner } = start({ main: { to: deaf, timeout: "5s" } });
    await world.run(runner.run(names));
    await wait(4_900);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await wait(2_000);
    expect(signals[0]?.aborted).toBe(true);
    expect(taken).toHaveLength(1);
  });

  test("that refuses makes a dead letter at once, and the next events go on", async () => {
    const { world, start, wait, letters } = stage();
    const { sink, types, tries } = receiver(({ event }) => {
      if (event.path.endsWith("[1]/hello"))
        throw new DeliveryFailedError("no such thing", { retryable: false });
    });
    const { runner, errors } = start({ main: everything(sink) });
    await world.run(runner.run(names, { runId: "r" }));
    await wait(1_000);
    expect(types().filter((type) => type === "step-completed")).toHaveLength(2);
    expect(types().at(-1)).toBe("run-completed");
    expect(tries()).toBe(types().length + 1);
    expect(await letters()).toMatchObject([
      { sink: "main", runId: "r", type: "step-completed", attempts: 1, why: "no such thing" },
    ]);
    expect(errors.map(({ message }) => message)).toEqual([
      'the sink "main" did not take an event of run r: no such thing',
    ]);
  });

  test("that fails too often, or for too long, makes a dead letter", async () => {
    for (const bound of [{ attempts: 3 }, { giveUpAfter: "4s" }] as const) {
      const { world, start, wait, letters, open } = stage();
      const { sink, tries } = receiver(() => {
        throw new Error("down");
      });
      const { runner } = start({ main: { to: sink, ...bound } });
      await world.run(runner.run(names));
      await wait(120_000);
      expect(tries()).toBeGreaterThanOrEqual(3);
      expect(tries()).toBeLessThanOrEqual(5);
      expect(await letters()).toMatchObject([{ attempts: tries(), why: "Error: down" }]);
      expect(await open()).toBe(0);
    }
  });

  test("is told of a run that failed and is resumed what is new, and nothing again", async () => {
    const { world, store, start, wait, open } = stage();
    const { sink, taken } = receiver();
    let isBroken = true;
    const broken = pipeline(
      "greet",
      step("hello", (some: string[]) => {
        if (isBroken) throw new Error("no");
        return some.length;
      }),
    );
    const { runner } = start({ all: everything(sink) }, { step: broken });
    expect(await world.run(runner.run(names, { runId: "r" }))).toMatchObject({ status: "failed" });
    await wait(1_000);
    isBroken = false;
    await world.run(runner.resume("r").result());
    await wait(1_000);
    const written = (await store.read("r", 0, 99)) ?? [];
    expect(written.map(({ type }) => type)).toContain("run-failed");
    expect(taken.map(({ event }) => event.seq)).toEqual(written.map(({ seq }) => seq));
    expect(await open()).toBe(0);
  });

  test("has at most eight deliveries to take at once, however many runs there are", async () => {
    const { world, start, wait } = stage();
    let [now, most] = [0, 0];
    const clock = world.process("clock");
    const { sink, taken } = receiver(async () => {
      most = Math.max(most, ++now);
      await new Promise<void>((resolve) => void clock.timer(100, resolve));
      now--;
    });
    const { runner } = start({ main: { to: sink } });
    await world.run(Promise.all(Array.from({ length: 40 }, (_, n) => runner.run(names, { runId: `r${n}` }))));
    await wait(10_000);
    expect([taken.length, most]).toEqual([40, 8]);
  });

  test("does not hold up other sinks, nor other runs", async () => {
    const { world, start, wait } = stage();
    const stuck = receiver(({ runId }) => {
      if (runId === "one") throw new Error("down");
    });
    const fine = receiver();
    const { runner } = start({ stuck: { to: stuck.sink }, fine: { to: fine.sink } });
    await world.run(Promise.all([runner.run(names, { runId: "one" }), runner.run(names, { runId: "two" })]));
    await wait(1_000);
    expect(fine.taken.map(({ runId }) => runId).sort()).toEqual(["one", "two"]);
    expect(stuck.taken.map(({ runId }) => runId)).toEqual(["two"]);
  });

  test("whose filter throws gets a dead letter, not a lost event", async () => {
    const { world, start, wait, letters } = stage();
    const { sink } = receiver();
    const where = () => {
      throw new Error("oops");
    };
    const { runner } = start({ main: { to: sink, where } });
    expect(await world.run(runner.run(names))).toMatchObject({ status: "completed" });
    await wait(1_000);
    expect(await letters()).toMatchObject([{ why: "where() threw Error: oops", type: "run-completed" }]);
  });
});

test("a store that fails is told of once, and whoever is told may throw", async () => {
  const { world, store, wait } = stage();
  const process = world.process("process");
  const { sink, types } = receiver();
  const told: string[] = [];
  let isDown = true;
  const flaky: Store = {
    ...store,
    notes: (filter) => (isDown ? Promise.reject(new Error("no disk")) : store.notes(filter)),
  };
  const onError = ({ message }: FlujoError) => {
    told.push(message);
    throw new Error("nobody listens");
  };
  const outbox = new Outbox({ store: flaky, world: process, sinks: { main: { to: sink } }, onError });
  const step = greet as Step<string[], unknown, object>;
  const runner = new Runner(step, { store: flaky, world: process, listeners: [outbox], takeOver: false });
  expect(await world.run(runner.run(names))).toMatchObject({ status: "completed" });
  await wait(30_000);
  expect(told).toEqual(["sinks wait for the store: Error: no disk"]);
  isDown = false;
  await wait(10_000);
  expect(types()).toEqual(["run-completed"]);
});

describe("a dead letter", () => {
  test("is sent again under the id it had, and is then gone", async () => {
    const { world, start, wait, letters, store } = stage();
    let isDown = true;
    const ids: string[] = [];
    const { sink, taken } = receiver(({ id }) => {
      ids.push(id);
      if (isDown) throw new DeliveryFailedError("gone", { retryable: false });
    });
    const { runner, outbox } = start({ main: { to: sink } });
    await world.run(runner.run(names));
    await wait(1_000);
    const resend = async () => {
      for await (const letter of deadLetters(store)) return world.run(outbox.resend(letter));
      return undefined;
    };
    expect(await resend()).toEqual({ outcome: "failed", why: "gone" });
    expect(await letters()).toMatchObject([{ attempts: 2 }]);
    isDown = false;
    expect(await resend()).toEqual({ outcome: "delivered" });
    expect(await letters()).toEqual([]);
    expect(taken).toMatchObject([{ attempt: 3, event: { type: "run-completed" } }]);
    expect(new Set(ids).size).toBe(1);
  });

  test("of a question has links when it is sent again, too, made anew for each try", async () => {
    const { world, start, wait, store } = stage();
    const links: (string | undefined)[] = [];
    const { sink } = receiver((delivery, tries) => {
      links.push(delivery.links?.answer);
      if (tries === 1) throw new Error("busy");
      if (tries === 2) throw new DeliveryFailedError("gone", { retryable: false });
    });
    const step = pipeline("ask", humanInTheLoop("ok", { prompt: () => "Shall we?" })) as Step<
      string[],
      unknown,
      object
    >;
    const linksFor: LinksFor = async (runId, { seq }) => ({ answer: `${runId} ${seq} ${links.length}` });
    const { runner, outbox } = start({ main: { to: sink } }, { step, linksFor });
    await world.run(runner.run(names, { runId: "r" }));
    await wait(10_000);
    const [letter] = await all(deadLetters(store));
    if (letter === undefined) throw new Error("there is no letter");
    expect(await world.run(outbox.resend(letter))).toEqual({ outcome: "delivered" });
    expect(links).toEqual(["r 1 0", "r 1 1", "r 1 2"]);
  });

  test("is left alone while another is sending it, also by who reads it only then", async () => {
    const { world, start, wait, store } = stage();
    const { sink, tries } = receiver(async (_, tries) => {
      if (tries === 1) throw new DeliveryFailedError("gone", { retryable: false });
      await new Promise<void>((resolve) => void world.process("clock").timer(5_000, resolve));
    });
    const { runner, outbox } = start({ main: { to: sink } });
    const other = start({ main: { to: sink } });
    await world.run(runner.run(names));
    await wait(1_000);
    const resend = async (by: Outbox) => {
      const [letter] = await all(deadLetters(store));
      return letter && by.resend(letter);
    };
    const first = resend(outbox);
    await wait(1_000);
    expect(await world.run(resend(other.outbox))).toEqual({ outcome: "busy" });
    expect([await world.run(first), tries()]).toEqual([{ outcome: "delivered" }, 2]);
  });

  test("is not sent by two at once, and not to a sink that is not there", async () => {
    const { world, start, wait, store } = stage();
    const { sink, tries } = receiver((_, tries) => {
      if (tries === 1) throw new DeliveryFailedError("gone", { retryable: false });
    });
    const { runner, outbox } = start({ main: { to: sink } });
    const other = start({ another: { to: sink } });
    await world.run(runner.run(names));
    await wait(1_000);
    const [letter] = await all(deadLetters(store));
    if (letter === undefined) throw new Error("there is no letter");
    await expect(world.run(other.outbox.resend(letter))).rejects.toThrow('there is no sink "main"');
    const both = await world.run(Promise.all([outbox.resend(letter), outbox.resend(letter)]));
    expect(both.map(({ outcome }) => outcome).sort()).toEqual(["busy", "delivered"]);
    expect(tries()).toBe(2);
  });
});

describe("another process", () => {
  test("delivers what one that died has left, without resuming the run", async () => {
    const { world, start, wait, open } = stage();
    const down = receiver(() => {
      throw new Error("down");
    });
    const first = start({ main: everything(down.sink) });
    await world.run(first.runner.run(names, { runId: "r" }));
    await wait(100);
    first.process.kill();
    expect(await open()).toBe(1);
    const up = receiver();
    const second = start({ main: everything(up.sink) });
    expect(await world.run(second.outbox.deliver({ early: true }))).toEqual({
      delivered: up.taken.length,
      failed: 0,
      dead: 0,
    });
    expect(up.types().at(-1)).toBe("run-completed");
    expect(up.taken[0]).toMatchObject({ attempt: 2, event: { seq: 0 } });
    expect(await open()).toBe(0);
  });

  test("looks by itself where it is told to", async () => {
    const { world, start, wait } = stage();
    const down = receiver(() => {
      throw new Error("down");
    });
    const first = start({ main: { to: down.sink } });
    await world.run(first.runner.run(names, { runId: "r" }));
    first.process.kill();
    const up = receiver();
    const second = start({ main: { to: up.sink } }, { sweepEveryMs: 60_000 });
    await world.run(second.runner.run(names, { runId: "s" }));
    await wait(70_000);
    expect(up.taken.map(({ runId }) => runId).sort()).toEqual(["r", "s"]);
  });

  test("finds by one read of each that runs which wait were told everything, and writes nothing", async () => {
    const { world, start, wait, open, store } = stage();
    const asks = pipeline("asking", humanInTheLoop<string[]>("ask", { prompt: () => "Shall I?" }));
    const { sink, taken } = receiver();
    const first = start({ main: everything(sink) }, { step: asks as Step<string[], unknown, object> });
    for (let i = 0; i < 250; i++) await world.run(first.runner.run(names, { runId: `r${i}` }));
    await wait(1_000);
    const told = taken.length;
    const calls: string[] = [];
    const counted = new Proxy(store, {
      get: (target, name: keyof Store) => {
        if (name !== "notes") calls.push(name);
        return target[name];
      },
    });
    const process = world.process("another");
    const outbox = new Outbox({
      store: counted,
      world: process,
      sinks: { main: everything(sink) },
      onError: () => {},
    });
    await world.run(outbox.deliver());
    expect(calls).toEqual(Array(250).fill("read"));
    expect([taken.length, await open()]).toEqual([told, 250]);
  });

  test("is told what processes without sinks have recorded of a run that was told everything", async () => {
    const { world, start, wait, open } = stage();
    const asks = pipeline("asking", humanInTheLoop<string[]>("ask", { prompt: () => "Shall I?" }));
    const step = asks as Step<string[], unknown, object>;
    const { sink, types } = receiver();
    const first = start({ main: { to: sink } }, { step });
    await world.run(first.runner.run(names, { runId: "r" }));
    await wait(1_000);
    await world.run(first.outbox.deliver());
    expect(types()).toEqual(["signal-awaited"]);
    first.process.kill();
    const plain = start({}, { step });
    await world.run(plain.runner.signal("r", "/asking/ask", { approved: true }));
    await world.run(plain.runner.resume("r").result());
    const second = start({ main: { to: sink } });
    await world.run(second.outbox.deliver());
    expect(types()).toEqual(["signal-awaited", "run-completed"]);
    expect(await open()).toBe(0);
  });

  test("does not deliver what another is delivering, until that one is gone or late", async () => {
    const { world, start, wait } = stage();
    const slow = receiver(() => new Promise(() => {}));
    const first = start({ main: { to: slow.sink, timeout: "1h" } });
    await world.run(first.runner.run(names, { runId: "r" }));
    await wait(100);
    expect(slow.tries()).toBe(1);
    const up = receiver();
    const second = start({ main: { to: up.sink } });
    await world.run(second.outbox.deliver({ early: true }));
    expect(up.tries()).toBe(0);
    first.process.kill();
    await world.run(second.outbox.deliver({ early: true }));
    expect(up.types()).toEqual(["run-completed"]);
  });

  test("that leaves gives what is under way a while, and says what it leaves", async () => {
    const { world, start, wait, open } = stage();
    const slow = receiver(() => new Promise(() => {}));
    const { runner, errors } = start({ main: { to: slow.sink, timeout: "1h" } });
    await world.run(runner.run(names, { runId: "r" }));
    await wait(100);
    const began = world.now();
    await world.run(runner[Symbol.asyncDispose]());
    expect(world.now() - began).toBe(5_000);
    expect(errors.map(({ message }) => message)).toEqual([
      'the sink "main" has not taken every event of run r yet',
    ]);
    expect(await open()).toBe(1);
    const up = receiver();
    const second = start({ main: { to: up.sink } });
    await world.run(second.outbox.deliver());
    expect(up.taken).toMatchObject([{ attempt: 1 }]);
  });
});

test("the facts that leave by themselves hold no output, no input and no message of an error", async () => {
  const { world, start, wait } = stage();
  const { sink, taken } = receiver();
  const secret = "a very private text";
  const failing = pipeline(
    "failing",
    mapOver(
      "each",
      step("fail", (text: string): string => {
        if (text === "fail") throw new Error(secret);
        return secret;
      }),
    ),
  ) as Step<string[], unknown, object>;
  const { runner } = start({ main: everything(sink) }, { step: failing });
  await world.run(runner.run([secret, "fail"], { runId: "r" }));
  await wait(1_000);
  expect(taken.map(({ event }) => event.type)).toEqual(
    expect.arrayContaining(["step-completed", "run-failed"]),
  );
  expect(
    JSON.stringify(
      taken.map(({ event }) => event),
      (_, v) => (typeof v === "bigint" ? String(v) : v),
    ),
  ).toContain(secret);
  expect(JSON.stringify(taken.map(({ facts }) => facts))).not.toContain(secret);
  expect(taken.at(-1)?.facts).toMatchObject({ type: "run-failed", errorCode: "step-failed" });
});

describe("whatever dies, and whenever", () => {
  const seeds = Array.from({ length: 40 }, (_, i) => i + 1);

  test.each(seeds)(
    "seed %i: every event arrives, in order, and what comes twice has the same id",
    async (seed) => {
      const luck = chance(seed);
      const { world, start, wait, store, letters, open } = stage(seed);
      const first = new Map<number, string>();
      const order: number[] = [];
      let calm = false;
      const sink: Sink = {
        name: "chaos",
        async deliver({ event, id }) {
          const dice = calm ? 1 : luck.next();
          if (dice < 0.2) throw new Error("refused before it arrived");
          if (dice < 0.25) await new Promise(() => {});
          const known = first.get(event.seq);
          if (known === undefined) order.push(event.seq);
          else expect(id).toBe(known);
          first.set(event.seq, id);
          if (dice < 0.35) throw new Error("arrived, and the answer was lost");
        },
      };
      const sinks = { all: everything(sink, { timeout: "2s", giveUpAfter: "30d", attempts: 1_000 }) };
      for (let life = 0; life < 6; life++) {
        const when = luck.next() < 0.5 ? "before" : "after";
        const actor = start(sinks, { crash: { commit: 1 + Math.floor(luck.next() * 12), when } });
        if (luck.next() < 0.7)
          actor.runner
            .start(names, { runId: "r" })
            .result()
            .catch(() => {});
        else actor.outbox.deliver().catch(() => {});
        await wait(Math.floor(luck.next() * 20_000));
        actor.process.kill();
      }
      const last = start(sinks);
      expect(await world.run(last.runner.run(names, { runId: "r" }))).toMatchObject({ status: "completed" });
      calm = true;
      await wait(3_600_000);
      await world.run(last.outbox.deliver({ early: true }));
      const journal = (await store.read("r", 0, 99)) ?? [];
      expect(order).toEqual(journal.map(({ seq }) => seq));
      expect(await letters()).toEqual([]);
      expect(await open()).toBe(0);
    },
  );

  test("at each single write of the store, before it and after it", async () => {
    for (let commit = 1; commit <= 20; commit++) {
      for (const when of ["before", "after"] as const) {
        const { world, start, wait, store, open } = stage(commit);
        const { sink, taken } = receiver();
        const first = start({ all: everything(sink) }, { crash: { commit, when } });
        first.runner
          .start(names, { runId: "r" })
          .result()
          .catch(() => {});
        await wait(5_000);
        first.process.kill();
        const second = start({ all: everything(sink) });
        await world.run(second.runner.run(names, { runId: "r" }));
        await world.run(second.outbox.deliver());
        await wait(1_000);
        const told = taken.map(({ event }) => event.seq);
        const journal = (await store.read("r", 0, 99)) ?? [];
        expect([...new Set(told)]).toEqual(journal.map(({ seq }) => seq));
        expect(told.length - new Set(told).size).toBeLessThanOrEqual(1); // what was delivered as it died
        expect(new Set(taken.map(({ id }) => id)).size).toBe(journal.length);
        expect(await open()).toBe(0);
      }
    }
  });
});
