import { describe, expect, test } from "vitest";
import { mapOver, pipeline, step } from "../core/compose.ts";
import type { Entry } from "../core/entries.ts";
import type { FlujoError } from "../core/errors.ts";
import type { Step } from "../core/step.ts";
import { Runner } from "../engine/runner.ts";
import { memory } from "../stores/memory.ts";
import { virtualWorld } from "../testing/virtual-world.ts";
import { Hooks } from "./hooks.ts";

const greet = pipeline(
  "greet",
  mapOver(
    "each",
    step("hello", async (name: string, ctx) => {
      await ctx.sleep("a moment", "1s");
      return `Hello, ${name}!`;
    }),
    { concurrency: 1 },
  ),
) as unknown as Step<string[], string[], object>;
const names = ["Ada", "Alan", "Grace"];

const stepDone = (seq: number): Entry => ({
  type: "step-completed",
  path: "/greet/hello",
  kind: "step",
  in: 0,
  output: "Hello!",
  seq,
  at: 0,
});

function stage() {
  const world = virtualWorld();
  const process = world.process("process");
  const store = memory();
  const errors: FlujoError[] = [];
  const hooks = new Hooks(process, (error) => errors.push(error));
  const runner = new Runner(greet, { store, world: process, listeners: [hooks] });
  const wait = (ms: number) =>
    world.run(new Promise<void>((resolve) => void process.timer(ms, resolve)), { ms: ms + 1 });
  const journal = async () => (await store.read("r", 0, 99)) ?? [];
  return {
    world,
    hooks,
    runner,
    errors,
    wait,
    journal,
    run: () => world.run(runner.run(names, { runId: "r" })),
  };
}

describe("a hook", () => {
  test("is called with the events of its type, of several types, or of all, in order", async () => {
    const { hooks, run, wait, journal } = stage();
    const outputs: unknown[] = [];
    const some: string[] = [];
    const every: number[] = [];
    hooks.on("step-completed", (event) => outputs.push(event.output));
    hooks.on(["run-created", "run-completed"], ({ type }, { runId }) => some.push(`${type} ${runId}`));
    hooks.on("*", ({ seq }) => every.push(seq));
    await run();
    await wait(1);
    expect(outputs).toEqual(["Hello, Ada!", "Hello, Alan!", "Hello, Grace!"]);
    expect(some).toEqual(["run-created r", "run-completed r"]);
    expect(every).toEqual((await journal()).map(({ seq }) => seq));
  });

  test("that is asynchronous is called for one event after another, and delays no run", async () => {
    const { world, hooks, run, wait } = stage();
    const calls: string[] = [];
    hooks.on("step-completed", async ({ path }) => {
      calls.push(`begin ${path}`);
      await new Promise<void>((resolve) => void world.process("clock").timer(5_000, resolve));
      calls.push(`end ${path}`);
    });
    const began = world.now();
    await run();
    expect(world.now() - began).toBeLessThan(4_000);
    await wait(20_000);
    const paths = [0, 1, 2].map((i) => `/greet/each[${i}]/hello`);
    expect(calls).toEqual(paths.flatMap((path) => [`begin ${path}`, `end ${path}`]));
  });

  test("that throws, now or later, is told of once until it has worked again, and the run completes", async () => {
    const { hooks, run, wait, errors } = stage();
    const own: FlujoError[] = [];
    hooks.on("*", () => {
      throw new Error("oops");
    });
    hooks.on("step-completed", ({ path }) => (path.includes("[1]") ? undefined : Promise.reject("no")), {
      onError: (error) => own.push(error),
    });
    expect(await run()).toMatchObject({ status: "completed" });
    await wait(1);
    expect(errors.map(({ code, message }) => `${code}: ${message}`)).toEqual([
      "hook-failed: a hook on run-created failed: Error: oops",
    ]);
    expect(own.map(({ path }) => path)).toEqual(["/greet/each[0]/hello", "/greet/each[2]/hello"]);
  });

  test("hurts no run by what is told of its errors", async () => {
    const { hooks, run, wait, errors } = stage();
    const fail = (): never => {
      throw new Error("oops");
    };
    hooks.on("*", fail, { onError: fail });
    let called = 0;
    hooks.on("*", () => void called++);
    expect(await run()).toMatchObject({ status: "completed" });
    await wait(1);
    expect([called > 3, errors]).toEqual([true, []]);
  });

  test("that is 10,000 events behind is told of no more until it has caught up", async () => {
    const { hooks, wait, errors } = stage();
    const { promise, resolve } = Promise.withResolvers<void>();
    const heard: number[] = [];
    hooks.on("step-completed", async ({ seq }) => {
      heard.push(seq);
      await promise;
    });
    const happened = (from: number, count: number) =>
      hooks.hear(
        "r",
        Array.from({ length: count }, (_, i) => stepDone(from + i)),
        () => {},
      );
    happened(0, 10_002);
    await wait(1);
    happened(20_000, 2);
    expect(errors.map(({ message }) => message)).toEqual([
      "a hook on step-completed is 10000 events behind; it is not told of more until it has caught up",
    ]);
    resolve();
    await wait(1);
    happened(30_000, 1);
    await wait(1);
    expect([heard.length, heard.at(-2), heard.at(-1)]).toEqual([10_002, 20_000, 30_000]);
  });

  test("that hangs is left behind, and told so by its signal", async () => {
    const { hooks, run, wait, errors } = stage();
    const signals: AbortSignal[] = [];
    hooks.on(
      "step-completed",
      (_, { signal }) => {
        signals.push(signal);
        return new Promise(() => {});
      },
      { timeout: "2s" },
    );
    expect(await run()).toMatchObject({ status: "completed" });
    await wait(10_000);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true, true]);
    expect(errors.map(({ message }) => message)).toEqual([
      "a hook on step-completed failed: Error: no end after 2000 ms",
    ]);
  });

  test("may stop the run: it is cancelled for that reason, with its history", async () => {
    const { hooks, run, wait, journal } = stage();
    const told: string[] = [];
    hooks.on("step-completed", ({ path }, { stop }) => {
      if (path.includes("[1]")) stop("two are enough");
    });
    hooks.on("run-cancelled", ({ error }) => told.push(error.message));
    expect(await run()).toMatchObject({ status: "cancelled" });
    await wait(1);
    expect(told).toEqual(["run r was cancelled: two are enough"]);
    const done = (await journal()).filter(({ type }) => type === "step-completed");
    expect(done).toHaveLength(2);
  });

  test("that stops a run which is over changes nothing", async () => {
    const { hooks, run, wait, journal, errors } = stage();
    hooks.on("run-completed", (_, { stop }) => stop("too late"));
    expect(await run()).toMatchObject({ status: "completed" });
    await wait(1_000);
    expect((await journal()).at(-1)?.type).toBe("run-completed");
    expect(errors).toEqual([]);
  });

  test("is not called any more once it is called off", async () => {
    const { hooks, run, wait } = stage();
    const seen: string[] = [];
    const off = hooks.on("*", ({ type }) => {
      seen.push(type);
      if (type === "step-completed") off();
    });
    await run();
    await wait(1);
    expect(seen.filter((type) => type === "step-completed")).toHaveLength(1);
    expect(seen.at(-1)).toBe("step-completed");
  });

  test("under way when the process leaves is waited for, but not for ever", async () => {
    const { world, hooks, runner, run } = stage();
    let isDone = false;
    hooks.on("run-completed", async () => {
      await new Promise<void>((resolve) => void world.process("clock").timer(3_000, resolve));
      isDone = true;
    });
    hooks.on("run-completed", () => new Promise(() => {}), { timeout: "1h" });
    await run();
    const began = world.now();
    await world.run(runner[Symbol.asyncDispose]());
    expect(isDone).toBe(true);
    expect(world.now() - began).toBe(10_000);
  });
});
