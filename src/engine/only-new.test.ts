import { describe, expect, it } from "vitest";
import { z } from "zod";
import { pipeline, step } from "../core/compose.ts";
import { sleep } from "../core/pauses.ts";
import type { Step } from "../core/step.ts";
import { crashingStore } from "../testing/crash-store.ts";
import { type Scene, scene } from "../testing/scene.ts";
import { Runner } from "./runner.ts";

/** A process whose answers come late, each after a while of its own. */
function farFromItsStore<In, Out, State>({ world, store }: Scene, one: Step<In, Out, State>) {
  const process = world.process("far");
  return new Runner(one, { store: crashingStore(store, { process, latencyMs: 30 }), world: process });
}

const exists = { code: "run-exists", message: "run r exists", runId: "r" };

describe("a run that is to be a new one", () => {
  it("is started like any other", async () => {
    const result = await scene()
      .cast(step("up", (text: string) => text.toUpperCase()))
      .run("a", { runId: "r", onlyNew: true });
    expect(result).toMatchObject({ status: "completed", output: "A" });
  });

  it("is refused when it has completed, failed or waits, and stays as it is", async () => {
    let tries = 0;
    const fails = step("fails", (_: string): string => {
      tries++;
      throw new Error("no");
    });
    for (const made of [step("up", (text: string) => text), fails, pipeline("p", sleep("long", "9d"))]) {
      const on = scene();
      await on.cast(made).run("a", { runId: "r" });
      const before = await on.journal("r");
      await expect(on.cast(made).run("a", { runId: "r", onlyNew: true })).rejects.toMatchObject(exists);
      expect(await on.journal("r")).toEqual(before);
    }
    expect(tries).toBe(1);
  });

  it("is refused while another process advances it", async () => {
    const on = scene();
    const slow = step("slow", (_: string, ctx) => ctx.sleep("nap", "30s"));
    on.cast(slow).runner.start("a", { runId: "r" });
    await on.wait(1_000);
    await expect(on.cast(slow).run("a", { runId: "r", onlyNew: true })).rejects.toMatchObject(exists);
  });

  it("is begun by one of all that start it at the same moment, which says so; the others are refused", async () => {
    const up = step("up", (text: string) => text.toUpperCase());
    for (let seed = 1; seed <= 30; seed++) {
      const on = scene({ seed });
      const runners = [1, 2, 3].map(() => farFromItsStore(on, up));
      const starting = [...runners, ...runners].map(async (runner) => {
        await runner.start("a", { runId: "r", onlyNew: true }).begun();
        return "begun";
      });
      const outcomes = await on.play(Promise.allSettled(starting));
      expect([seed, outcomes.filter(({ status }) => status === "fulfilled").length]).toEqual([seed, 1]);
      for (const outcome of outcomes)
        if (outcome.status === "rejected")
          expect(["run-exists", "lease-held"]).toContain(outcome.reason.code);
      expect((await on.journal("r")).filter(({ type }) => type === "run-created")).toHaveLength(1);
    }
  });

  it("is refused in the process that begins it as it is in others, and with what kept that one from beginning", async () => {
    const on = scene();
    const picky = pipeline(
      "p",
      step("up", (text: string) => text),
      { input: z.string() },
    );
    const { runner } = on.cast(picky);
    const both = (input: string, runId: string) =>
      on.play(Promise.allSettled([1, 2].map(() => runner.start(input, { runId, onlyNew: true }).begun())));
    expect(await both("a", "r")).toMatchObject([
      { status: "fulfilled" },
      { status: "rejected", reason: exists },
    ]);
    const wrong = { status: "rejected", reason: { code: "invalid-input" } };
    expect(await both(7 as unknown as string, "wrong")).toMatchObject([wrong, wrong]); // as JavaScript may
  });

  it("is new when whoever began it died before anything of it was recorded", async () => {
    const on = scene();
    const up = step("up", (text: string) => text.toUpperCase());
    const first = on.cast(up, { crash: { commit: 1, when: "before" } });
    first.runner.start("a", { runId: "r", onlyNew: true });
    await on.wait(1_000);
    expect(first.process.isAlive).toBe(false);
    expect(await on.journal("r")).toEqual([]);
    expect(await on.cast(up).run("a", { runId: "r", onlyNew: true })).toMatchObject({ output: "A" });
  });
});
