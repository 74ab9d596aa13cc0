import { describe, expect, it } from "vitest";
import { type Cap, capsOf } from "../core/caps.ts";
import { pipeline, step } from "../core/compose.ts";
import { InvalidOptionError } from "../core/errors.ts";
import { chance } from "../testing/chance.ts";
import { crashingStore } from "../testing/crash-store.ts";
import { type Scene, scene } from "../testing/scene.ts";
import { Lookout } from "./lookout.ts";
import { Slots } from "./slots.ts";

const ttlMs = 15_000;

/** Runs that note when they are under way: from their beginning to their end, or the death of their process. */
function noted() {
  const log: { readonly at: number; readonly tenant: string; readonly by: 1 | -1 }[] = [];
  const begun: number[] = [];
  return { log, begun };
}

function slow(on: Scene, seen: ReturnType<typeof noted>) {
  return pipeline(
    "slow",
    step("hold", async (tenant: string, ctx) => {
      seen.begun.push(on.world.now());
      seen.log.push({ at: on.world.now(), tenant, by: 1 });
      await ctx.sleep("nap", "10s");
      seen.log.push({ at: on.world.now(), tenant, by: -1 });
      return tenant;
    }),
  );
}

/** A worker of its own process. */
function worker(on: Scene, one: ReturnType<typeof slow>, limits: Parameters<typeof capsOf>, host?: string) {
  const caps = capsOf(...limits);
  const { runner, store, process } = on.cast(one, {
    takeOver: false,
    ...(host === undefined ? {} : { host }),
  });
  const lookout = new Lookout({
    store,
    world: process,
    pipelines: new Map([["slow", (runId, why) => runner.adopt(runId, why).result()]]),
    most: 10,
    choice: caps === undefined ? {} : { caps },
    letGo: ({ runId }) => runner.letGo(runId),
    tell: { refused: () => {}, foreign: () => {}, store: () => {} },
  });
  lookout.start();
  return { runner, process, lookout };
}

async function submit(
  on: Scene,
  one: ReturnType<typeof slow>,
  count: number,
  tenant: string,
  queue = "default",
) {
  const { runner } = on.cast(one, { takeOver: false });
  for (let i = 0; i < count; i++)
    await on.play(runner.submit(tenant, { runId: `${tenant}-${queue}-${i}`, tenant, queue }));
}

const mostAtOnce = ({ log }: ReturnType<typeof noted>, tenant: string): number => {
  let [now, most] = [0, 0];
  for (const one of log.toSorted((a, b) => a.at - b.at || a.by - b.by)) {
    if (one.tenant !== tenant) continue;
    now += one.by;
    most = Math.max(most, now);
  }
  return most;
};

const completed = async (on: Scene): Promise<number> =>
  (await on.store.list({ status: ["completed"], limit: 1_000 })).length;

describe("several workers on one store", () => {
  it("advance no more runs of a tenant at once than it may have, all together, and use what it may", async () => {
    const on = scene();
    const seen = noted();
    const one = slow(on, seen);
    await submit(on, one, 12, "acme");
    await submit(on, one, 6, "other");
    for (let i = 0; i < 4; i++) worker(on, one, [{ most: 5, named: { acme: 3 } }]);
    await on.wait(9_000);
    expect([seen.begun.length, mostAtOnce(seen, "acme"), mostAtOnce(seen, "other")]).toEqual([8, 3, 5]);
    await on.wait(60_000);
    expect([await completed(on), mostAtOnce(seen, "acme"), mostAtOnce(seen, "other")]).toEqual([18, 3, 5]);
  });

  it.each([
    ["here, at once", "here", 2_500],
    ["elsewhere, when its leases end", "elsewhere", 18_000],
  ])("have the slots back of one that was killed %s", async (_, host, ms) => {
    const on = scene();
    const seen = noted();
    const one = slow(on, seen);
    await submit(on, one, 4, "acme");
    const killed = worker(on, one, [{ most: 2 }], host);
    await on.wait(2_000);
    expect(seen.begun).toHaveLength(2);
    killed.process.kill();
    seen.log.length = 0;
    worker(on, one, [{ most: 2 }]);
    await on.wait(ms);
    expect([seen.begun.length, mostAtOnce(seen, "acme")]).toEqual([4, 2]);
    await on.wait(30_000);
    expect([await completed(on), mostAtOnce(seen, "acme")]).toEqual([4, 2]);
  });

  it("let go what they had when they stood still for so long that it is others' by now", async () => {
    const on = scene();
    const seen = noted();
    const one = slow(on, seen);
    await submit(on, one, 2, "acme");
    const stood = worker(on, one, [{ most: 2 }]);
    await on.wait(2_000);
    stood.process.pause();
    await submit(on, one, 2, "acme", "more");
    const other = on.world.process("other", "elsewhere");
    await on.wait(16_000);
    const slots = new Slots(on.store, other, ttlMs);
    const caps = [{ scope: "tenant/acme", most: 2 }];
    for (const _ of [1, 2]) expect(await on.play(slots.take(caps, false))).toBeDefined();
    stood.process.wake();
    await on.wait(5_500);
    expect(stood.runner.running).toEqual([]);
    expect(await completed(on)).toBe(0);
  });

  it("advance no more runs of a queue at once than it may have, and leave their room to others", async () => {
    const on = scene();
    const seen = noted();
    const one = slow(on, seen);
    await submit(on, one, 20, "a", "mail");
    await submit(on, one, 4, "b", "reports");
    for (let i = 0; i < 2; i++) worker(on, one, [{}, { mail: { most: 3 } }]);
    await on.wait(9_000);
    expect([mostAtOnce(seen, "a"), mostAtOnce(seen, "b")]).toEqual([3, 4]);
    await on.wait(90_000);
    expect([await completed(on), mostAtOnce(seen, "a")]).toEqual([24, 3]);
  });

  it("begin no more runs of a queue in any minute than it may have", async () => {
    const on = scene();
    const seen = noted();
    const one = slow(on, seen);
    await submit(on, one, 35, "a", "mail");
    for (let i = 0; i < 3; i++) worker(on, one, [{}, { mail: { perMinute: 10 } }]);
    await on.wait(4 * 60_000);
    expect(await completed(on)).toBe(35);
    const { begun } = seen;
    for (const at of begun)
      expect(begun.filter((one) => one >= at && one < at + 60_000).length).toBeLessThanOrEqual(10);
    expect(begun.filter((at) => at < (begun[0] ?? 0) + 60_000)).toHaveLength(10);
  });
});

it("a run that has begun is gone on with though no more may begin in this minute", async () => {
  const on = scene();
  const seen = noted();
  const one = slow(on, seen);
  await submit(on, one, 2, "a", "mail");
  await on.wait(1);
  const killed = worker(on, one, [{}, { mail: { perMinute: 1 } }]);
  await on.wait(2_000);
  killed.process.kill();
  worker(on, one, [{}, { mail: { perMinute: 1 } }]);
  await on.wait(20_000);
  expect([seen.begun.length, await completed(on)]).toEqual([2, 1]); // the same one twice
  await on.wait(60_000);
  expect(await completed(on)).toBe(2);
});

describe("slots under a limit", () => {
  it("are never more than it says, whatever is asked for, given back and killed at whatever moment", async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const on = scene({ seed });
      const { next } = chance(seed);
      const cap: Cap = { scope: "tenant/acme", most: 3 };
      let [held, most] = [0, 0];
      for (let i = 0; i < 4; i++) {
        const process = on.world.process(`p${i}`);
        const commit = 1 + Math.floor(next() * 12);
        const crash = i === 0 ? ({ commit, when: next() < 0.5 ? "before" : "after" } as const) : undefined;
        let own = 0;
        const died = () => {
          held -= own;
          own = 0;
        };
        const store = crashingStore(on.store, { process, crash, latencyMs: 20, onCrash: died });
        const slots = new Slots(store, process, ttlMs);
        const again = async (): Promise<void> => {
          const slot = await slots.take([cap], next() < 0.5);
          if (slot === undefined) return void process.timer(100 + next() * 500, () => void again());
          held += 1;
          own += 1;
          most = Math.max(most, held);
          process.timer(next() * 2_000, () => {
            held -= 1;
            own -= 1;
            slot.free(true);
            void again();
          });
        };
        for (let k = 0; k < 3; k++) void again();
      }
      await on.wait(40_000);
      expect([seed, most]).toEqual([seed, 3]);
    }
  });

  it("are refused under limits that are none", () => {
    expect(() => capsOf({ most: 0 })).toThrow(InvalidOptionError);
    expect(() => capsOf({ named: { a: 1.5 } })).toThrow(InvalidOptionError);
    expect(() => capsOf({}, { mail: { perMinute: -1 } })).toThrow(InvalidOptionError);
    expect(() => capsOf({ named: { "no name": 1 } })).toThrow(/names no tenant/);
    expect(capsOf({}, {})).toBeUndefined();
  });

  it("are taken under all limits of a run or none, and count of a minute only where it was begun", async () => {
    const on = scene();
    const slots = new Slots(on.store, on.world.process("p"), ttlMs);
    const tenant: Cap = { scope: "tenant/a", most: 2 };
    const queue: Cap = { scope: "queue/mail", most: 1, perMinute: 2 };
    const roomOf = async () => [...(await on.play(slots.room([tenant, queue]))).values()];
    const first = await on.play(slots.take([tenant, queue], true));
    expect(await on.play(slots.take([tenant, queue], true))).toBeUndefined();
    await on.wait(100);
    expect(await roomOf()).toMatchObject([{ slots: 1 }, { slots: 0, begins: 1 }]);
    first?.free(false);
    await on.wait(100);
    expect(await roomOf()).toMatchObject([{ slots: 2 }, { slots: 1, begins: 2 }]);
    (await on.play(slots.take([tenant, queue], true)))?.free(true);
    await on.wait(100);
    expect(await roomOf()).toMatchObject([{ slots: 2 }, { slots: 1, begins: 1 }]);
  });

  it("of a limit whose name begins another's are its own", async () => {
    const on = scene();
    const slots = new Slots(on.store, on.world.process("p"), ttlMs);
    await on.play(slots.take([{ scope: "tenant/acme", most: 1 }], false));
    expect(await on.play(slots.take([{ scope: "tenant/ac", most: 1 }], false))).toBeDefined();
  });

  it("leave nothing behind when nobody has any", async () => {
    const on = scene();
    const slots = new Slots(on.store, on.world.process("p"), ttlMs);
    const caps = [{ scope: "tenant/a", most: 1 }];
    const slot = await on.play(slots.take(caps, false));
    expect(await on.play(slots.take(caps, false))).toBeUndefined();
    expect(await on.store.notes({ prefix: "slots/" })).toHaveLength(1);
    slot?.free(true);
    await on.wait(100);
    expect(await on.store.notes({ prefix: "slots/" })).toEqual([]);
  });
});
