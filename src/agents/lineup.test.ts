import { describe, expect, it } from "vitest";
import * as z from "zod";
import { pipeline } from "../core/compose.ts";
import type { Usd } from "../core/limits.ts";
import type { CastOptions } from "../testing/scene.ts";
import { scene } from "../testing/scene.ts";
import {
  type ScriptedCall,
  type ScriptedModel,
  type ScriptedReply,
  scriptedModel,
} from "../testing/scripted-model.ts";
import { agent } from "./agent.ts";
import type { AgentOptions } from "./agent-options.ts";
import { models } from "./models.ts";
import { type ToolOptions, tool } from "./tool.ts";

const turnOf = ({ options }: ScriptedCall): number =>
  options.prompt.filter(({ role }) => role === "assistant").length;
const bad = Object.assign(new Error("not like this"), { statusCode: 400 });

/** Calls a tool in its first two turns, then answers. */
const threeTurns =
  (who: string) =>
  (call: ScriptedCall): ScriptedReply =>
    turnOf(call) < 2
      ? { toolCalls: [{ name: "look", input: { at: `${who}${turnOf(call)}` } }] }
      : { text: `${who} says` };

const Place = z.object({ at: z.string() });

/** One agent over several models, in a world of its own. */
function office(
  scripts: { readonly [id: string]: (call: ScriptedCall) => string | ScriptedReply },
  options: (models: { readonly [id: string]: ScriptedModel }) => Partial<AgentOptions<string>>,
  looking: Partial<ToolOptions<typeof Place, unknown>> = {},
) {
  const on = scene();
  const asked: string[] = [];
  const cheap = { input: "$0.10", output: "$0.20" } as const;
  const scripted = Object.fromEntries(
    Object.entries(scripts).map(([id, replies]) => [
      id,
      scriptedModel({
        id,
        replies,
        ...(id === "cheap" ? { price: cheap } : {}),
        onCall: ({ options: { prompt } }) => asked.push(`${id} ${JSON.stringify(prompt)}`),
      }),
    ]),
  );
  const look = tool("look", {
    description: "Looks",
    input: Place,
    execute: ({ at }) => `seen ${at}`,
    ...looking,
  });
  const made = pipeline(
    "p",
    agent<string>("a", {
      model: Object.values(scripted)[0] as ScriptedModel,
      system: "S",
      tools: [look],
      maxOutputTokens: 100,
      ...options(scripted),
    }),
  );
  const prices = Object.assign({}, ...Object.values(scripted).map((model) => model.prices));
  const cast = (more: CastOptions<unknown> = {}) => on.cast(made, { models: models({ prices }), ...more });
  const whom = () => asked.map((one) => one.slice(0, one.indexOf(" ")));
  return { on, cast, asked, whom };
}

const chain = (scripted: { readonly [id: string]: ScriptedModel }): Partial<AgentOptions<string>> => ({
  model: Object.values(scripted) as [ScriptedModel, ...ScriptedModel[]],
});

describe("a chain of models", () => {
  /** The first model fails for good in its second turn. */
  const failing = {
    first: (call: ScriptedCall) =>
      turnOf(call) === 1 ? { error: bad, unbilled: true } : threeTurns("first")(call),
    second: threeTurns("second"),
  };

  it("goes on with the next one where the first has failed for good, and stays with it", async () => {
    const { on, cast, whom } = office(failing, chain);
    expect(await cast().run("x", { runId: "r" })).toMatchObject({ output: "second says" });
    expect(whom()).toEqual(["first", "first", "second", "second"]);
    const journal = await on.journal("r");
    expect(journal.filter(({ type }) => type === "fallback-taken")).toMatchObject([
      { path: "/p/a:call#1", to: "/p/a:call%3Ascripted%3Asecond#0", error: { code: "model-call-failed" } },
    ]);
    expect(journal.flatMap((entry) => (entry.type === "operation-completed" ? [entry.path] : []))).toEqual([
      "/p/a:call#0",
      "/p/a:tool%3Alook#0",
      "/p/a:call%3Ascripted%3Asecond#0",
      "/p/a:tool%3Alook#1",
      "/p/a:call%3Ascripted%3Asecond#1",
    ]);
  });

  it("does so with the last failure when all have failed", async () => {
    const { cast, whom } = office({ first: () => ({ error: bad }), second: () => ({ error: bad }) }, chain);
    expect(await cast().run("x")).toMatchObject({ status: "failed", error: { code: "model-call-failed" } });
    expect(whom()).toEqual(["first", "second"]);
  });

  it("asks each as often as a call is worth retrying, before it is given up", async () => {
    const busy = Object.assign(new Error("busy"), { statusCode: 503 });
    const { cast, whom } = office({ first: () => ({ error: busy }), second: () => "there" }, chain);
    expect(await cast().run("x")).toMatchObject({ output: "there" });
    expect(whom()).toEqual(["first", "first", "first", "second"]);
  });

  it("is not gone down for want of money: the run halts", async () => {
    const { cast, whom } = office({ first: () => "a", second: () => "b" }, chain);
    expect(await cast().run("x", { budget: "$0.000001" })).toMatchObject({ status: "halted" });
    expect(whom()).toEqual([]);
  });

  it("is gone down once: after a wait, whoever goes on does not ask the first again", async () => {
    const { on, cast, whom } = office(failing, chain, { approval: ({ at }) => at.startsWith("second") });
    const path = "/p/a:tool%3Alook#1";
    expect(await cast().run("x", { runId: "r" })).toMatchObject({ status: "waiting", signals: [path] });
    await on.play(cast().runner.signal("r", path, { approved: true }));
    expect(await on.play(cast().runner.resume("r").result())).toMatchObject({ output: "second says" });
    expect(whom()).toEqual(["first", "first", "second", "second"]);
  });

  it("killed at any boundary, has the same conversation", async () => {
    const calm = office(failing, chain);
    const first = calm.cast();
    await first.run("x", { runId: "r" });
    for (let commit = 1; commit <= first.store.commits; commit++) {
      for (const when of ["before", "after"] as const) {
        const { on, cast, asked } = office(failing, chain);
        void cast({ crash: { commit, when } }).runner.start("x", { runId: "r" }).result();
        await on.wait(60_000);
        expect(await cast().run("x", { runId: "r" })).toMatchObject({ output: "second says" });
        expect([...new Set(asked)]).toEqual(calm.asked);
      }
    }
  });

  it("is examined whole before anything runs, and names each model once", async () => {
    const { cast } = office({ first: () => "a" }, ({ first }) => ({
      model: [first as ScriptedModel, "nobody:x"],
    }));
    await expect(cast().run("x")).rejects.toMatchObject({ code: "unknown-model" });
    const twice = { model: ["openai:gpt-4o", "openai:gpt-4o"], system: "S" } as const;
    expect(() => agent("a", twice)).toThrow("has the model openai:gpt-4o twice");
    // @ts-expect-error a chain has a first
    expect(() => agent("a", { model: [], system: "S" })).toThrow("has no model");
  });
});

describe("an agent that degrades", () => {
  const dear = (call: ScriptedCall): ScriptedReply =>
    turnOf(call) > 0
      ? threeTurns("dear")(call)
      : { ...threeTurns("dear")(call), usage: { inputTokens: 1_000, outputTokens: 100 } };
  const scripts = { dear, cheap: threeTurns("cheap") };
  const toCheap = ({ cheap }: { readonly [id: string]: ScriptedModel }): Partial<AgentOptions<string>> => ({
    degradeTo: { model: cheap as ScriptedModel, below: 0.5 },
  });
  /** A call of the dear model may cost about $0.0017; its first one costs $0.0012. */
  const tight: Usd = "$0.002";

  it("asks the cheaper model when the call of the other one cannot be paid, or too little is left", async () => {
    const { cast, whom } = office(scripts, toCheap);
    expect(await cast().run("x", { budget: "$0.0005" })).toMatchObject({ status: "completed" });
    expect(whom()).toEqual(["cheap", "cheap", "cheap"]);
    const rich = office(scripts, toCheap);
    expect(await rich.cast().run("x", { budget: "$1" })).toMatchObject({ output: "dear says" });
    expect(rich.whom()).toEqual(["dear", "dear", "dear"]);
    const free = office(scripts, toCheap);
    expect(await free.cast().run("x")).toMatchObject({ output: "dear says" });
  });

  it("changes over once, in the middle, and stays there however much more there is later", async () => {
    const { on, cast, whom } = office(scripts, toCheap, { approval: ({ at }) => at === "cheap1" });
    const waiting = await cast().run("x", { runId: "r", budget: tight });
    expect(waiting).toMatchObject({ status: "waiting" });
    expect(whom()).toEqual(["dear", "cheap"]);
    const { runner } = cast();
    await on.play(runner.signal("r", "/p/a:tool%3Alook#1", { approved: true }));
    expect(await on.play(runner.resume("r", { budget: "$9" }).result())).toMatchObject({
      output: "cheap says",
    });
    expect(whom()).toEqual(["dear", "cheap", "cheap"]);
  });

  it("takes a share from 0 to 1", () => {
    const degradeTo = { model: "openai:gpt-4o-mini", below: 20 };
    expect(() => agent("a", { model: "openai:gpt-4o", system: "S", degradeTo })).toThrow(
      "a share from 0 to 1",
    );
  });
});

describe("an agent that is shown its budget", () => {
  const shown = (): Partial<AgentOptions<string>> => ({ showBudget: true });
  const systems = (asked: readonly string[]) =>
    asked.map((one) => JSON.parse(one.slice(one.indexOf(" ")))[0].content as string);

  it("reads at each turn what is left, and after a crash exactly what it read before", async () => {
    const calm = office({ one: threeTurns("one") }, shown);
    const budget = { cost: "$0.50", calls: 10 } as const;
    const first = calm.cast();
    await first.run("x", { runId: "r", budget });
    const [before, then, last] = systems(calm.asked);
    expect(before).toBe("S\n\nLeft of the budget for this work: $0.5, 10 calls of a model.");
    expect(then).toMatch(/^S\n\nLeft of the budget for this work: \$0\.499\d+, 9 calls of a model\.$/);
    expect(last).toContain("8 calls");
    for (let commit = 1; commit <= first.store.commits; commit++) {
      const { on, cast, asked } = office({ one: threeTurns("one") }, shown);
      void cast({ crash: { commit, when: "after" } })
        .runner.start("x", { runId: "r", budget })
        .result();
      await on.wait(60_000);
      await cast().run("x", { runId: "r" });
      const decisions = (await on.journal("r")).flatMap((entry) =>
        entry.type === "operation-completed" && entry.path.includes(":budget#") ? [entry.output] : [],
      );
      expect(decisions).toHaveLength(3);
      for (const one of asked) {
        const prompt: { role: string; content: unknown }[] = JSON.parse(one.slice(one.indexOf(" ")));
        const turn = prompt.filter(({ role }) => role === "assistant").length;
        expect(prompt[0]?.content).toBe(`S\n\n${decisions[turn]}`);
      }
    }
  });

  it("reads nothing of it where nothing is limited", async () => {
    const { cast, asked } = office({ one: () => "ok" }, shown);
    await cast().run("x");
    expect(systems(asked)).toEqual(["S"]);
  });
});
