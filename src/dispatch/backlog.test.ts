import { expect, it } from "vitest";
import { pipeline, step } from "../core/compose.ts";
import { humanInTheLoop } from "../core/pauses.ts";
import { scene } from "../testing/scene.ts";
import { Backlog } from "./backlog.ts";

const made = pipeline(
  "made",
  step("up", (text: string) => text.toUpperCase()),
);
const asking = pipeline("asking", humanInTheLoop("ask", { prompt: (n: string) => n }));

it("what waits for a worker is counted by queue, with the age of the oldest; what waits for others is not", async () => {
  const on = scene();
  const { runner } = on.cast(made, { takeOver: false });
  const asked = on.cast(asking, { takeOver: false });
  const backlog = new Backlog(on.store, on.world.process("scraped"), ["made", "asking"]);
  expect(await on.play(backlog.byQueue())).toEqual(new Map());

  await on.play(runner.submit("x", { runId: "a", queue: "mail" }));
  await on.wait(60_000);
  await on.play(runner.submit("x", { runId: "b", queue: "mail" }));
  await on.play(runner.submit("x", { runId: "later", queue: "mail", delay: "5m" }));
  await asked.run("x", { runId: "q" });
  await on.wait(1_000);
  const found = await on.play(backlog.byQueue());
  expect([...found]).toEqual([["mail", { waiting: 2, oldestMs: 61_000 }]]);
  expect(await on.play(backlog.byQueue())).toBe(found); // whoever asks again at once gives the store nothing to do

  await on.wait(5 * 60_000);
  await on.play(asked.runner.signal("q", "/asking/ask", { approved: true }));
  await on.play(runner.resume("a").result());
  await on.wait(3_000);
  const after = await on.play(backlog.byQueue());
  expect(after.get("default")).toEqual({ waiting: 1, oldestMs: 0 });
  expect(after.get("mail")?.waiting).toBe(2);
});

it("a run whose process has died waits from the end of its lease on", async () => {
  const on = scene();
  const owner = on.cast(made, { takeOver: false, crash: { commit: 1, when: "after" } });
  owner.runner.start("x", { runId: "r" });
  await on.wait(10_000);
  const backlog = new Backlog(on.store, on.world.process("scraped"), ["made"]);
  expect((await on.play(backlog.byQueue())).size).toBe(0);
  await on.wait(6_000);
  expect((await on.play(backlog.byQueue())).get("default")?.waiting).toBe(1);
});
