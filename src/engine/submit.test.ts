import { describe, expect, it } from "vitest";
import { pipeline, step } from "../core/compose.ts";
import { DispatcherUnavailableError } from "../core/errors.ts";
import type { Dispatcher, Job } from "../ports/dispatcher.ts";
import { scene } from "../testing/scene.ts";

const greet = pipeline(
  "greet",
  step("hello", (name: string) => `Hello, ${name}`),
);

/** A dispatcher that notes what it is told. */
function noting(): { readonly dispatcher: Dispatcher; readonly jobs: Job[] } {
  const jobs: Job[] = [];
  const dispatcher: Dispatcher = {
    name: "noting",
    submit: async (job) => void jobs.push(job),
    work: async () => ({ stop: async () => {} }),
    close: async () => {},
  };
  return { dispatcher, jobs };
}

describe("a run that is submitted", () => {
  it("is in the store when it returns, free for whoever finds it, and nothing of it is done", async () => {
    const on = scene();
    const { runner } = on.cast(greet);
    expect(await on.play(runner.submit("Ada", { runId: "r" }))).toEqual({ runId: "r", isNew: true });
    expect((await on.journal("r")).map(({ type }) => type)).toEqual(["run-created"]);
    const [run] = await on.store.list({ leaseEndsBefore: Number.MAX_SAFE_INTEGER });
    expect([run?.runId, run?.status, run?.lease]).toEqual(["r", "running", undefined]);
    expect(await on.cast(greet).run("Ada", { runId: "r" })).toMatchObject({ output: "Hello, Ada" });
  });

  it("is made once, whoever submits it, and keeps what it was submitted with", async () => {
    const on = scene();
    const { dispatcher, jobs } = noting();
    const first = on.cast(greet, { dispatcher });
    const second = on.cast(greet, { dispatcher });
    const options = { runId: "r", queue: "mail", priority: 7, tenant: "acme" };
    const both = await on.play(
      Promise.allSettled([first.runner.submit("Ada", options), second.runner.submit("Ada", options)]),
    );
    const made = both.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    expect(made.filter(({ isNew }) => isNew).length).toBe(1);
    expect(await on.play(second.runner.submit("Ada", { runId: "r", queue: "other" }))).toEqual({
      runId: "r",
      isNew: false,
    });
    expect((await on.journal("r")).length).toBe(1);
    for (const job of jobs)
      expect(job).toMatchObject({ runId: "r", queue: "mail", priority: 7, tenant: "acme" });
  });

  it("is refused when the id is taken by another input, or by another pipeline", async () => {
    const on = scene();
    await on.play(on.cast(greet).runner.submit("Ada", { runId: "r" }));
    const other = on.cast(pipeline("other", greet)).runner.submit("Ada", { runId: "r" });
    await expect(on.play(other)).rejects.toMatchObject({ code: "invalid-run-id" });
    const grace = on.cast(greet).runner.submit("Grace", { runId: "r" });
    await expect(on.play(grace)).rejects.toMatchObject({ code: "invalid-input" });
  });

  it("is refused with terms that are none, and nothing is made", async () => {
    const on = scene();
    const { runner } = on.cast(greet);
    for (const wrong of [{ queue: "a b" }, { tenant: "" }, { priority: -1 }, { priority: 1.5 }]) {
      await expect(runner.submit("Ada", { runId: "r", ...wrong })).rejects.toMatchObject({
        code: "invalid-option",
      });
    }
    expect(await on.store.list({})).toEqual([]);
  });

  it("is not due before its delay is over, and its limit of time begins only then", async () => {
    const on = scene();
    const { dispatcher, jobs } = noting();
    const cast = on.cast(greet, { dispatcher, takeOver: false, budget: { time: "10s" } });
    await on.play(cast.runner.submit("Ada", { runId: "r", delay: "1h" }));
    expect(jobs).toMatchObject([{ runId: "r", delayMs: 3_600_000 }]);
    await on.wait(3_599_000);
    expect(await on.store.list({ dueBefore: on.world.now() })).toEqual([]);
    await on.wait(2_000);
    expect(await on.store.list({ dueBefore: on.world.now() })).toMatchObject([{ runId: "r" }]);
    expect(await on.play(cast.runner.adopt("r", "woken").result())).toMatchObject({ status: "completed" });
    expect(await on.play(cast.runner.replay("r"))).toMatchObject({ same: true, differences: [] });
  });

  it("waits in the store when the dispatcher is away, and whoever submitted it is told", async () => {
    const on = scene();
    const away = new DispatcherUnavailableError("it is away", { retryable: true });
    const { dispatcher } = noting();
    const submit = (): Promise<void> => Promise.reject(away);
    const { runner } = on.cast(greet, { dispatcher: { ...dispatcher, submit } });
    expect(await on.play(runner.submit("Ada", { runId: "r" }))).toEqual({
      runId: "r",
      isNew: true,
      untold: away,
    });
    expect((await on.journal("r")).length).toBe(1);
  });

  it.each(["before", "after"] as const)(
    "is made whole or not at all by a process that dies %s it writes, and submitting again makes it",
    async (when) => {
      const on = scene();
      const first = on.cast(greet, { crash: { commit: 1, when } });
      first.runner.submit("Ada", { runId: "r" }).catch(() => {});
      await on.wait(1_000);
      expect(first.process.isAlive).toBe(false);
      expect((await on.journal("r")).length).toBe(when === "before" ? 0 : 1);
      const again = await on.play(on.cast(greet).runner.submit("Ada", { runId: "r" }));
      expect(again.isNew).toBe(when === "before");
      expect((await on.journal("r")).length).toBe(1);
    },
  );
});
