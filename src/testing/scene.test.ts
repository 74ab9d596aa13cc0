import { expect, test } from "vitest";
import { step } from "../core/compose.ts";
import { scene } from "./scene.ts";

const greet = step("greet", async (name: string, ctx) => {
  const word = await ctx.run("word", () => "Hello");
  return `${word}, ${name}!`;
});

test("a process dies where it is told to, and another one goes on", async () => {
  const { cast, wait, journal } = scene();
  const first = cast(greet, { crash: { commit: 1, when: "after" } });
  first.runner.start("Ada", { runId: "r" });
  await wait(100);
  expect(first.process.isAlive).toBe(false);
  expect(await cast(greet).run("Ada", { runId: "r" })).toMatchObject({ output: "Hello, Ada!" });
  const types = (await journal("r")).map(({ type }) => type);
  expect(types).toEqual([
    "run-created",
    "operation-completed",
    "run-resumed",
    "step-completed",
    "run-completed",
  ]);
});

test("time passes only when it is let", async () => {
  const { wait, world } = scene();
  const before = world.now();
  await wait(3_600_000);
  expect(world.now() - before).toBe(3_600_000);
});
