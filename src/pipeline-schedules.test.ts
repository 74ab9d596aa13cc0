import { describe, expect, test } from "vitest";
import * as z from "zod";
import { pipeline, step } from "./core/compose.ts";
import { rootOf } from "./engine/root.ts";
import { Runner } from "./engine/runner.ts";
import { Schedules } from "./pipeline-schedules.ts";
import type { TimetableNews } from "./schedules/timetable.ts";
import { memory } from "./stores/memory.ts";
import { virtualWorld } from "./testing/virtual-world.ts";

const noon = Date.UTC(2026, 10, 25, 12);
const hour = 3_600_000;
const hourly = { cron: "0 * * * *", input: "x" };

function town() {
  const store = memory();
  const world = virtualWorld({ start: noon });
  const clock = world.process("clock");
  const of = (name: string) => {
    const process = world.process(name);
    const made = pipeline(
      name,
      step("up", (text: string) => text.toUpperCase()),
      { input: z.string() },
    );
    const starter = new Runner(made, { store, world: process });
    const root = rootOf(made.node);
    return new Schedules<string>({ root, store, world: process, starter, origin: undefined });
  };
  const wait = (ms: number) =>
    world.run(new Promise<void>((resolve) => void clock.timer(ms, resolve)), { ms: ms + 1 });
  return { store, of, wait };
}

describe("the schedules of a pipeline", () => {
  test("are made, listed, paused and removed; those of other pipelines are not touched", async () => {
    const { of, wait } = town();
    const [one, two] = [of("one"), of("two")];
    await one.set("a", { ...hourly, by: "ana" });
    await two.set("b", hourly);
    expect(await one.list()).toMatchObject([
      { name: "a", by: "ana", timeZone: "UTC", paused: false, file: null },
    ]);
    await expect(one.set("b", hourly)).rejects.toThrow('is one of the pipeline "two"');
    await one.pause("a");
    await wait(3 * hour);
    expect(await one.list()).toMatchObject([{ paused: true, next: null, overdueSince: null }]);
    await one.unpause("a");
    expect(await one.list()).toMatchObject([
      { paused: false, next: "2026-11-25T16:00:00.000Z", overdueSince: null },
    ]);
    await one.remove("a");
    expect(await one.list()).toEqual([]);
    for (const change of [one.pause("a"), one.unpause("a"), one.remove("a")]) {
      await expect(change).rejects.toThrow("there is no schedule a in memory");
    }
  });

  test("said again they change nothing, so that a program may say them at every start", async () => {
    const { of, wait } = town();
    const schedules = of("one");
    await schedules.set("a", hourly);
    const [before] = await schedules.list();
    await wait(100 * 60_000);
    await schedules.set("a", hourly);
    expect(await schedules.list()).toEqual([
      { ...before, next: "2026-11-25T14:00:00.000Z", overdueSince: "2026-11-25T13:00:00.000Z" },
    ]);
    await schedules.set("a", { ...hourly, cron: "30 * * * *" });
    expect(await schedules.list()).toMatchObject([{ next: "2026-11-25T14:30:00.000Z", overdueSince: null }]);
  });

  test("an input that does not fit is refused when it is said", async () => {
    const wrong = { ...hourly, input: 7 as never };
    await expect(town().of("one").set("a", wrong)).rejects.toThrow("input of /one does not fit its schema");
  });

  test("are fired by who says so, those of its own pipeline, until it stops", async () => {
    const { of, wait, store } = town();
    const [one, two] = [of("one"), of("two")];
    await one.set("a", hourly);
    await two.set("b", hourly);
    const news: TimetableNews[] = [];
    await one.fire({ onNews: (some) => news.push(some) });
    await one.fire();
    await wait(2.5 * hour);
    await one.stop();
    await wait(2 * hour);
    const runs = await store.list({});
    expect(runs.map(({ runId }) => runId)).toEqual(["a-20261125T140000Z", "a-20261125T130000Z"]);
    expect(news).toMatchObject([{ what: "started" }, { what: "started" }]);
  });
});
