import { describe, expect, it } from "vitest";
import { pipeline, step } from "../core/compose.ts";
import { sleep } from "../core/pauses.ts";
import { scene } from "../testing/scene.ts";

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
