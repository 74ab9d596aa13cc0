import { describe, expect, it } from "vitest";
import { fingerprintOf, jobOf, limited, serving, slow, submit } from "../../tests/dispatch/stage.ts";
import { LeaseHeldError, StoreUnavailableError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { scene } from "../testing/scene.ts";
import type { Adopt } from "./lookout.ts";

const minute = 60_000;

describe("a job that a dispatcher hands over", () => {
  it("is done once the run has come to stand, and handed over again, late or for nothing, changes nothing", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    const lookout = serving(on, one, 10, { headStartMs: 15_000 });
    await submit(on, one, "r");
    const job = jobOf(one, "r");
    const [first, twice] = await on.play(Promise.all([lookout.take(job), lookout.take(job)]));
    expect([first, twice]).toEqual(["done", "done"]);
    expect((await on.journal("r")).at(-1)?.type).toBe("run-completed");
    const before = await on.journal("r");
    expect(await on.play(lookout.take(job))).toBe("done");
    expect(await on.play(lookout.take(jobOf(one, "unknown")))).toBe("done");
    expect([await on.journal("r"), begun]).toEqual([before, ["r"]]);
  });

  it("is left where the pipeline, its version or room is not", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    const versions = { own: new Map([["slow", fingerprintOf(one)]]), patienceMs: minute };
    const lookout = serving(on, one, 1, { headStartMs: minute, versions });
    for (const id of ["r", "next"]) await submit(on, one, id);
    const job = jobOf(one, "r");
    expect(await on.play(lookout.take({ ...job, pipeline: "other" }))).toBe("left");
    expect(await on.play(lookout.take({ ...job, fingerprint: "other" }))).toBe("left");
    const both = [lookout.take(job), lookout.take(jobOf(one, "next"))];
    expect((await on.play(Promise.all(both))).toSorted()).toEqual(["done", "left"]);
    expect(begun).toEqual(["r"]);
    await on.play(lookout.stop());
    expect(await on.play(lookout.take(jobOf(one, "next")))).toBe("left");
  });

  it("is left while its tenant, or its queue, has as much under way as it may", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    const limits = limited({ most: 1 }, { mail: { most: 1 } });
    const lookout = serving(on, one, 10, { headStartMs: minute, ...limits });
    const jobs = [
      jobOf(one, "a", { tenant: "acme", queue: "mail" }),
      jobOf(one, "b", { tenant: "acme" }),
      jobOf(one, "c", { tenant: "other", queue: "mail" }),
      jobOf(one, "d", { tenant: "other" }),
    ];
    for (const { runId } of jobs) await submit(on, one, runId);
    const taken = await on.play(Promise.all(jobs.map((job) => lookout.take(job))));
    expect(taken).toEqual(["done", "left", "left", "done"]);
    expect(begun.toSorted()).toEqual(["a", "d"]);
  });

  it("counts as its tenant's turn: what is found in the store beside it is another one's", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    const lookout = serving(on, one, 2, { headStartMs: 3_000, ...limited({ most: 9 }) });
    for (const id of ["a-0", "a-1"]) await submit(on, one, id, { tenant: "a" });
    await submit(on, one, "b", { tenant: "b" });
    void lookout.take(jobOf(one, "a-0", { tenant: "a" }));
    await on.wait(6_000);
    expect(begun).toEqual(["a-0", "b"]);
  });

  it("that comes before its run is due is left for so long as clocks may differ, and is for nothing if it comes much too early", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    const lookout = serving(on, one, 10, { headStartMs: minute });
    await submit(on, one, "soon", { delay: "30s" });
    await submit(on, one, "late", { delay: "10m" });
    expect(await on.play(lookout.take(jobOf(one, "soon")))).toBe("left");
    expect(await on.play(lookout.take(jobOf(one, "late")))).toBe("done"); // it is found when it is due
    expect(begun).toEqual([]);
    await on.wait(30_000);
    expect(await on.play(lookout.take(jobOf(one, "soon")))).toBe("done");
    expect(begun).toEqual(["soon"]);
  });

  it("is done with where another process has the run: that one's death is found in the store", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    const lookout = serving(on, one, 10, { headStartMs: minute });
    await submit(on, one, "r");
    const owner = on.cast(one, { takeOver: false });
    owner.runner.adopt("r", "taken-over");
    await on.wait(1_000);
    expect(await on.play(lookout.take(jobOf(one, "r")))).toBe("done");
    owner.process.kill();
    await on.wait(20_000);
    expect((await on.journal("r")).at(-1)?.type).toBe("run-completed");
  });

  it("is left when the time of the worker is over", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    const until = on.world.now() + 5_000;
    const lookout = serving(on, one, 10, { headStartMs: 0 }, { until });
    await on.wait(5_000);
    await submit(on, one, "r");
    expect(await on.play(lookout.take(jobOf(one, "r")))).toBe("left");
    await on.wait(minute);
    expect(begun).toEqual([]); // nor is it found in the store by this worker
  });

  it("is left while the store does not answer", async () => {
    const inner = memory();
    let fails = false;
    const store: Store = {
      ...inner,
      list: (filter) =>
        fails ? Promise.reject(new StoreUnavailableError("it is away")) : inner.list(filter),
    };
    const on = scene({ store });
    const begun: string[] = [];
    const one = slow(begun);
    const lookout = serving(on, one, 10, { headStartMs: minute });
    await submit(on, one, "r");
    fails = true;
    expect(await on.play(lookout.take(jobOf(one, "r")))).toBe("left");
    fails = false;
    expect(await on.play(lookout.take(jobOf(one, "r")))).toBe("done");
    expect(begun).toEqual(["r"]);
  });
});

describe("a run that a worker does not come to go on with", () => {
  /** A worker that meets this, once, and a lookout that has told so much of it. */
  async function meeting(error: Error, limits: Parameters<typeof limited>) {
    const on = scene();
    const one = slow([]);
    const refused: string[] = [];
    const adopted: string[] = [];
    let met = 0;
    const adopt: Adopt = async (runId) => {
      met += 1;
      if (met === 1) throw error;
      adopted.push(runId);
    };
    const tell = {
      refused: ({ runId }: { readonly runId: string }) => void refused.push(runId),
      foreign: () => {},
      store: () => {},
    };
    const choice = { headStartMs: minute, ...limited(...limits) };
    const lookout = serving(on, one, 10, choice, { pipelines: new Map([["slow", adopt]]), tell });
    for (const id of ["a", "b"]) await submit(on, one, id, { queue: "mail" });
    const take = (id: string) => on.play(lookout.take(jobOf(one, id, { queue: "mail" })));
    return { on, take, refused, adopted };
  }

  it("is told once and left alone where nothing here can, whoever hands it over again", async () => {
    const { take, refused, adopted } = await meeting(new Error("it has changed"), [{}]);
    expect([await take("a"), await take("a")]).toEqual(["done", "done"]);
    expect([refused, adopted]).toEqual([["a"], []]);
  });

  it("is left, and tried again, where that may pass", async () => {
    const away = new StoreUnavailableError("it is away", { retryable: true });
    const { take, refused, adopted } = await meeting(away, [{}]);
    expect([await take("a"), await take("a")]).toEqual(["left", "done"]);
    expect([refused, adopted]).toEqual([[], ["a"]]);
  });

  it("counts for nothing in its queue's minute where another process was first", async () => {
    const held = new LeaseHeldError("another process has it", { retryable: true });
    const { on, take, adopted } = await meeting(held, [{}, { mail: { perMinute: 1 } }]);
    await take("a");
    await on.wait(100);
    expect(await take("b")).toBe("done");
    expect(await take("a")).toBe("left"); // that was the one of this minute
    expect(adopted).toEqual(["b"]);
  });
});
