import { describe, expect, it } from "vitest";
import * as z from "zod";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { tool } from "../agents/tool.ts";
import { mapOver, parallel, pipeline, step } from "../core/compose.ts";
import { sleep } from "../core/pauses.ts";
import type { Step } from "../core/step.ts";
import { scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";

/** A body that takes so long and notes that it is done. */
const working = (name: string, seconds: number, done: string[]) =>
  step(name, async (input: unknown, { signal }) => {
    await on.work(seconds * 1_000, signal);
    done.push(name);
    return input;
  });

let on: ReturnType<typeof stage>;

/** A scene whose bodies can take time without sleeping durably. */
function stage() {
  const set = scene();
  const clock = set.world.process("bodies");
  return {
    ...set,
    work: (ms: number, signal: AbortSignal): Promise<void> =>
      new Promise((resolve, reject) => {
        const off = clock.timer(ms, resolve);
        signal.addEventListener("abort", () => {
          off();
          reject(signal.reason);
        });
      }),
  };
}

/** Starts a run, drains its process after a while, and has another one end it at once. */
async function drained(made: Step<string, unknown>, afterMs: number, grace: `${number}s` = "30s") {
  const first = on.cast(made, { takeOver: false });
  const result = first.runner.run("x", { runId: "r" });
  result.catch(() => {});
  await on.wait(afterMs);
  const began = on.world.now();
  const report = await on.play(first.runner.drain(grace));
  const ms = on.world.now() - began;
  const [left] = await on.store.list({});
  const entries = await on.journal("r");
  const ended = await on.play(on.cast(made).runner.resume("r").result());
  return { report, ms, left, entries, result, ended };
}

describe("a run of a process that drains", () => {
  it("finishes the step under way, and begins no other: its lease is given back at once", async () => {
    on = stage();
    const done: string[] = [];
    const made = pipeline(
      "p",
      working("a", 10, done)
        .to(working("b", 10, done))
        .to(working("c", 10, done)),
    );
    const { report, ms, left, result, ended } = await drained(made, 12_000);
    expect(report).toEqual({ handedOver: ["r"], cutOff: [] });
    expect(ms).toBe(8_000);
    expect(left).toMatchObject({ status: "running" });
    expect(left?.lease).toBeUndefined();
    await expect(result).rejects.toMatchObject({ code: "lease-lost" });
    expect(ended.status).toBe("completed");
    expect(done).toEqual(["a", "b", "c"]);
  });

  it("finishes what is under way in each branch and item", async () => {
    on = stage();
    const done: string[] = [];
    const items = mapOver("items", working("item", 3, done), {
      over: () => ["i", "j", "k", "l"],
      concurrency: 2,
    });
    const branch = working("left", 5, done).to(working("later", 5, done));
    const { report, ms, ended } = await drained(pipeline("p", parallel("both", { items, branch })), 1_000);
    expect(report).toEqual({ handedOver: ["r"], cutOff: [] });
    expect(ms).toBe(4_000);
    expect(ended.status).toBe("completed");
    expect(done.sort()).toEqual(["item", "item", "item", "item", "later", "left"]);
  });

  it("finishes the operations under way in a body, and leaves the body, whatever it makes of that", async () => {
    on = stage();
    const did: string[] = [];
    const body = step("body", async (_: string, ctx) => {
      const part = (name: string, seconds: number) =>
        ctx.run(name, async (signal) => {
          await on.work(seconds * 1_000, signal);
          did.push(name);
          return name;
        });
      const long = part("long", 9);
      await part("short", 2);
      try {
        await part("next", 1);
      } catch {
        return "caught";
      }
      return await long;
    });
    const { report, ms, ended } = await drained(pipeline("p", body), 1_000);
    expect(report).toEqual({ handedOver: ["r"], cutOff: [] });
    expect(ms).toBe(8_000);
    expect(ended).toMatchObject({ status: "completed", output: "long" });
    expect(did).toEqual(["short", "long", "next"]);
  });

  it("finishes the call an agent has under way, and makes no other one: each is bought once", async () => {
    on = stage();
    const model = scriptedModel({
      world: on.world.process("provider"),
      replies: [
        { toolCalls: [{ name: "look", input: {} }], delayMs: 8_000 },
        { text: "seen", delayMs: 8_000 },
      ],
    });
    let looks = 0;
    const look = tool("look", { description: "Looks", input: z.object({}), execute: () => ++looks });
    const ask = agent("ask", { model, system: "S", tools: [look] });
    const known = models({ prices: model.prices });
    const first = on.cast(pipeline("p", ask), { takeOver: false, models: known, budget: "$1" });
    first.runner.start("x", { runId: "r" });
    await on.wait(3_000);
    expect(await on.play(first.runner.drain())).toEqual({ handedOver: ["r"], cutOff: [] });
    expect([model.calls.length, looks]).toEqual([1, 0]);
    const second = on.cast(pipeline("p", ask), { models: known });
    const ended = await on.play(second.runner.resume("r").result());
    expect(ended).toMatchObject({ status: "completed", output: "seen" });
    expect([model.calls.length, looks]).toEqual([2, 1]);
    expect(ended.spent.picoUsd).toBe(model.billedPicoUsd);
  });

  it("does not wait for short sleeps and retries", async () => {
    on = stage();
    let tries = 0;
    const flaky = step("flaky", () => {
      if (++tries < 2) throw new Error("not yet");
      return tries;
    }).retry({ attempts: 2, backoff: "20s", jitter: false });
    const made = pipeline("p", parallel("both", { nap: sleep<string>("nap", "40s"), flaky }));
    const { report, ms, ended } = await drained(made, 1_000);
    expect(report).toEqual({ handedOver: ["r"], cutOff: [] });
    expect(ms).toBe(0);
    expect(ended).toMatchObject({ status: "completed", output: { flaky: 2 } });
  });

  it("that only sleeps, or ends in time, comes to stand as it would", async () => {
    on = stage();
    const short = await drained(pipeline("p", sleep<string>("nap", "40s")), 1_000);
    expect(short.report).toEqual({ handedOver: ["r"], cutOff: [] });
    on = stage();
    const last = await drained(pipeline("p", working("only", 5, [])), 1_000);
    expect(last.report).toEqual({ handedOver: [], cutOff: [] });
    expect(await last.result).toMatchObject({ status: "completed" });
  });

  it("that has not finished its operation in time is cut off, and that operation is done again", async () => {
    on = stage();
    const done: string[] = [];
    const made = pipeline("p", working("quick", 1, done).to(working("slow", 60, done)));
    const { report, ms, left, ended } = await drained(made, 5_000, "10s");
    expect(report).toEqual({ handedOver: ["r"], cutOff: ["r"] });
    expect(ms).toBe(10_000);
    expect(left?.lease).toBeUndefined();
    expect(ended.status).toBe("completed");
    expect(done).toEqual(["quick", "slow"]);
  });
});

it("a process that drains starts and resumes nothing", async () => {
  on = stage();
  const { runner } = on.cast(pipeline("p", working("a", 1, [])));
  await on.play(runner.drain());
  expect(() => runner.start("x")).toThrow("disposed");
});
