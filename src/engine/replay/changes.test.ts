/** Changes of code that a replay finds, and those it must not. */
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { agent } from "../../agents/agent.ts";
import { models } from "../../agents/models.ts";
import { tool } from "../../agents/tool.ts";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "../../core/compose.ts";
import type { Context } from "../../core/context.ts";
import { humanInTheLoop, sleepUntil } from "../../core/pauses.ts";
import { concat, union } from "../../core/reducers.ts";
import type { Step } from "../../core/step.ts";
import { scene } from "../../testing/scene.ts";
import { scriptedModel } from "../../testing/scripted-model.ts";

type Any = Step<unknown, unknown>;
type Body = (n: number, ctx: Context<{ tags: string[] }>) => unknown;

const model = scriptedModel({
  replies: ({ options: { prompt } }) => {
    const isTool = prompt.some(({ role }) => role === "tool");
    const wants = JSON.stringify(prompt).includes("look it up");
    return wants && !isTool ? { toolCalls: [{ name: "look", input: { at: "x" } }] } : '{"text":"ok"}';
  },
});
const other = scriptedModel({ replies: ["{}"], id: "other" });

interface Version {
  readonly inc?: Body;
  readonly choose?: (n: number) => string;
  readonly ops?: Body;
  readonly name?: string;
  readonly maxLoops?: number;
  readonly until?: (n: number) => boolean;
  readonly key?: (n: number) => string;
  readonly over?: (n: number) => number[];
  readonly first?: boolean;
  readonly system?: string;
  readonly prompt?: string;
  readonly other?: boolean;
  readonly tool?: z.ZodType;
  readonly answer?: z.ZodType;
  readonly reduce?: typeof concat;
  readonly output?: z.ZodType;
  readonly check?: (n: unknown) => boolean;
  readonly question?: string;
  readonly decision?: z.ZodType;
  readonly until2?: number;
  readonly branches?: readonly string[];
  readonly input?: z.ZodType;
  readonly retries?: number;
  readonly timeout?: "1h" | "2h";
  readonly concurrency?: number;
  readonly budget?: "$1" | "$2";
  readonly later?: boolean;
}

/** One pipeline of everything, with changes. */
function flow(v: Version = {}): Any {
  const inc = step(
    "inc",
    v.inc ?? ((n: number) => n + 1),
    v.output === undefined ? {} : { output: v.output },
  );
  const ops = step(
    v.name ?? "ops",
    v.ops ??
      (async (n: number, ctx) => {
        const a = await ctx.run("a", () => n + 1);
        const b = await ctx.run("b", () => a * 2);
        return b;
      }),
  );
  const sized = branchOn(
    "size",
    (v.choose ?? ((n: number) => (n > 3 ? "big" : "small"))) as never,
    {
      big: step("big", (n: number) => n),
      small: step("small", (n: number) => n),
    } as never,
  );
  const loop = loopUntil(
    "loop",
    step("turn", (n: number) => n + 1),
    {
      until: v.until ?? ((n) => n > 9),
      maxLoops: v.maxLoops ?? 5,
    },
  );
  const look = tool("look", {
    description: "Looks",
    input: v.tool ?? z.object({ at: z.string() }),
    execute: () => "seen",
  });
  const asked = agent("asked", {
    model: v.other ? other : model,
    system: v.system ?? "You look it up.",
    prompt: v.prompt ?? "Number {{input}}",
    tools: [look],
    output: v.answer ?? z.object({ text: z.string() }),
    maxOutputTokens: 100,
  });
  const person = humanInTheLoop("person", {
    prompt: () => v.question ?? "Right?",
    answer: v.decision ?? z.object({ yes: z.boolean() }),
  });
  const names = v.branches ?? ["left", "right"];
  const both = parallel(
    "both",
    Object.fromEntries(
      names.map((name) => [
        name,
        step(`tag-${name}`, (_: unknown, ctx: Context<{ tags: string[] }>) => {
          ctx.update("tags", (tags) => [...tags, "same"]);
          return name;
        }),
      ]),
    ),
  );
  const tagged = branchOn(
    "tagged",
    (_: unknown, { state }: { state: unknown }) => String((state as { tags: string[] }).tags.length),
    { "1": step("one", () => 1), "2": step("two", () => 2) },
    { otherwise: step("none", () => 0) },
  );
  const each = mapOver(
    "each",
    step("item", (n: number) => n),
    {
      over: v.over ?? (() => [1, 2, 3]),
      key: v.key ?? ((n) => `k${n}`),
      concurrency: v.concurrency ?? 2,
    },
  );
  const nap = sleepUntil("nap", () => new Date(v.until2 ?? 1_000));
  const start = (v.first ? step("new", (n: number) => n).to(inc as Any) : inc) as Any;
  const checked = v.check === undefined ? start : start.validate(v.check);
  const calm = checked
    .retry({ attempts: v.retries ?? 2 })
    .timeout(v.timeout ?? "1h")
    .budget(v.budget ?? "$1");
  const whole = [ops, sized, loop, nap, asked, person, both, tagged, each].reduce(
    (before: Any, next) => before.to(next as Any),
    calm,
  );
  const longer = v.later ? whole.to(step("later", (x) => x)) : whole;
  return pipeline("p", longer as Any, {
    state: () => ({ tags: [] }),
    reducers: { tags: v.reduce ?? concat },
    ...(v.input === undefined ? {} : { input: v.input }),
  }) as Any;
}

async function replay(version: Version, options: { bodies?: "all" } = {}, stop = false) {
  const { store, cast, play } = scene();
  const given = { models: models({ prices: { ...model.prices, ...other.prices } }) };
  const first = cast(flow(), given);
  await first.run(1, { runId: "r" });
  if (!stop) {
    await play(first.runner.signal("r", "/p/person", { yes: true }));
    const result = await play(first.runner.resume("r").result());
    expect(result.status).toBe("completed");
  }
  return play(cast(flow(version), { store, ...given }).runner.replay("r", options));
}

test("the same code differs in nothing", async () => {
  expect(await replay({})).toMatchObject({ same: true, differences: [], changed: [] });
  expect(await replay({}, { bodies: "all" })).toMatchObject({ same: true, notRun: [] });
});

describe("found, where it is", () => {
  const swapped: Body = async (n, ctx) => {
    const b = await ctx.run("b", () => 0);
    const a = await ctx.run("a", () => n + 1);
    return a + b;
  };
  const removed: Body = async (n, ctx) => (await ctx.run("a", () => n + 1)) * 2;
  const added: Body = async (n, ctx) => {
    const a = await ctx.run("a", () => n + 1);
    const b = await ctx.run("b", () => a * 2);
    return ctx.run("c", () => b);
  };
  const renamed: Body = async (n, ctx) => ctx.run("b", async () => ctx.run("z", () => n));
  const later: Body = async (n, ctx) => {
    const a = await ctx.run("a", () => n + 1);
    const b = await ctx.run("b", () => a * 2);
    await ctx.sleepUntil("c", new Date(0));
    return b;
  };
  const slept: Body = async (n, ctx) => {
    await ctx.sleep("a", "1s");
    return ctx.run("b", () => n);
  };

  test.each<[string, Version, string, string]>([
    ["a branch's predicate", { choose: () => "small" }, "/p/size", "branch"],
    ["a branch that throws", { choose: () => "neither" }, "/p/size", "failure"],
    ["operations in another order", { ops: swapped }, "/p/ops:a#0", "order"],
    ["an operation removed", { ops: removed }, "/p/ops:b#0", "operation"],
    ["an operation added", { ops: added }, "/p/ops:c#0", "missing"],
    ["a sleep added", { ops: later }, "/p/ops:c#0", "missing"],
    ["an operation renamed", { ops: renamed }, "/p/ops:a#0", "operation"],
    ["an operation of another kind", { ops: slept }, "/p/ops:a#0", "operation"],
    ["a step renamed", { name: "operations" }, "/p/operations", "missing"],
    ["fewer turns of a loop", { maxLoops: 2 }, "/p/loop", "failure"],
    ["a loop's verdict, earlier", { until: (n) => n > 7 }, "/p/loop[1]", "verdict"],
    ["a loop's verdict, later", { until: (n) => n > 10 }, "/p/loop[3]", "verdict"],
    ["a map's keys", { key: (n) => `key${n}` }, "/p/each", "items"],
    ["a map's items", { over: () => [1, 2] }, "/p/each", "items"],
    ["a new step before", { first: true }, "/p/new", "missing"],
    ["a system prompt", { system: "You look it up, kindly." }, "/p/asked:call#0", "request"],
    ["a prompt", { prompt: "The number {{input}}" }, "/p/asked:call#0", "request"],
    ["a model", { other: true }, "/p/asked:call#0", "model"],
    ["a tool's schema", { tool: z.object({ at: z.string(), on: z.string() }) }, "/p/asked:call#0", "request"],
    ["a reducer", { reduce: union as typeof concat }, "/p/tagged", "branch"],
    ["a step's output schema, tightened", { output: z.number().max(1) }, "/p/inc", "output"],
    ["a check", { check: () => false }, "/p/inc", "output"],
    [
      "an agent's answer schema, tightened",
      { answer: z.object({ text: z.string().min(9) }) },
      "/p/asked:call#0",
      "request",
    ],
    ["what a person is asked", { question: "Really?" }, "/p/person", "question"],
    ["what a person may answer", { decision: z.object({ yes: z.literal(false) }) }, "/p/person", "answer"],
    ["the moment of a sleep", { until2: 2_000 }, "/p/nap", "moment"],
    ["a branch of a parallel removed", { branches: ["left"] }, "/p/both", "output"],
    ["a branch of a parallel added", { branches: ["left", "right", "up"] }, "/p/both[up]/tag-up", "missing"],
    ["the input's schema, tightened", { input: z.number().min(5) }, "/p", "input"],
  ])("%s", async (_, version, path, what) => {
    const { same, differences } = await replay(version);
    expect(differences.map(({ path, what }) => ({ path, what }))).toContainEqual({ path, what });
    expect(same).toBe(false);
  });

  test("what a step without operations returns, when all bodies run", async () => {
    const version: Version = { inc: (n) => n + 2 };
    expect(await replay(version)).toMatchObject({ same: true, changed: ["/p/inc"] });
    const { differences } = await replay(version, { bodies: "all" });
    expect(differences).toContainEqual({ path: "/p/inc", what: "output", recorded: "2", now: "3" });
  });

  test("what a step sets, when all bodies run", async () => {
    const sets: Version = {
      inc: (n, ctx) => {
        ctx.set({ tags: ["set"] });
        return n + 1;
      },
    };
    const { differences } = await replay(sets, { bodies: "all" });
    expect(differences).toContainEqual(expect.objectContaining({ path: "/p/inc", what: "state" }));
  });

  test("a difference says in which part of a request it is", async () => {
    const { differences } = await replay({ tool: z.object({ at: z.string(), on: z.string() }) });
    expect(differences[0]).toMatchObject({ recorded: "as recorded", now: "other: tools" });
    const prompts = await replay({ system: "Other.", prompt: "{{input}}" });
    expect(prompts.differences[0]).toMatchObject({ now: "other: system prompt, messages" });
  });
});

describe("not found, since it changes no decision", () => {
  test.each<[string, Version]>([
    ["retries", { retries: 9 }],
    ["a timeout", { timeout: "2h" }],
    ["a budget", { budget: "$2" }],
    ["concurrency", { concurrency: 1 }],
    ["more turns that no loop took", { maxLoops: 50 }],
    ["another predicate with the same verdict", { choose: (n) => (n >= 4 ? "big" : "small") }],
    ["a check that holds", { check: (n) => n === 2 }],
    ["an output schema that fits", { output: z.number().min(1) }],
  ])("%s", async (_, version) => {
    expect(await replay(version)).toMatchObject({ same: true, differences: [] });
  });

  test("a later step of a run that waits", async () => {
    expect(await replay({ later: true }, {}, true)).toMatchObject({
      same: true,
      status: "waiting",
      changed: [],
    });
  });

  test("later steps of a run that has ended are missing", async () => {
    const { differences } = await replay({ later: true });
    expect(differences).toMatchObject([{ path: "/p/later", what: "missing" }]);
  });
});
