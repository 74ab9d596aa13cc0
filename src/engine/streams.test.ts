/** Streamed answers and the engine: crashes at every commit, retries, halts, late readers. */
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { agent } from "../agents/agent.ts";
import type { AgentOptions } from "../agents/agent-options.ts";
import { models } from "../agents/models.ts";
import { tool } from "../agents/tool.ts";
import { parallel } from "../core/compose.ts";
import type { Entry, EntryOf } from "../core/entries.ts";
import type { RunEvent } from "../core/events.ts";
import { sleep } from "../core/pauses.ts";
import { show } from "../lens/show.ts";
import type { CrashPoint } from "../testing/crash-store.ts";
import { scene } from "../testing/scene.ts";
import { type ScriptedCall, type ScriptedReply, scriptedModel } from "../testing/scripted-model.ts";

const text =
  "Call me Ishmael. Some years ago, never mind how long precisely, having little money, I went to sea.";

/** A scene with an agent whose model streams a token every 20 ms, on a clock that outlives every process. */
function stage(
  options: Partial<AgentOptions<string>> = {},
  trouble: (call: ScriptedCall) => object = () => ({}),
) {
  const set = scene();
  const model = scriptedModel({
    world: set.world.process("provider"),
    replies: (call): ScriptedReply => ({ text: rest(call), delayMs: 30, pieceMs: 20, ...trouble(call) }),
  });
  const narrate = agent("narrate", { model, system: "Narrate.", stream: true, ...options });
  const engine = { models: models({ prices: model.prices }) };
  return { ...set, model, narrate, engine };
}

/** What is left to say after what the request says has been said. */
function rest({ options: { prompt } }: ScriptedCall): string {
  return text.slice(saidIn(prompt).length);
}

function saidIn(prompt: ScriptedCall["options"]["prompt"]): string {
  return prompt
    .flatMap(({ role, content }) => (role === "assistant" ? content : []))
    .map((part) => (part.type === "text" ? part.text : ""))
    .join("");
}

type Streamed = EntryOf<"text-streamed">;
const streamedIn = (entries: readonly Entry[]): Streamed[] =>
  entries.filter((entry): entry is Streamed => entry.type === "text-streamed");

/** What each call said, in order. */
function textsOf(entries: readonly Entry[]): string[] {
  const calls = Map.groupBy(streamedIn(entries), ({ of }) => of);
  return [...calls.values()].map((parts) => parts.flatMap(({ chunks }) => chunks).join(""));
}

describe.each(["repeat", "continue"] as const)(
  "killed at any commit of a streaming agent, with onCut: %s",
  (onCut) => {
    async function killedAt(crash: CrashPoint) {
      const { cast, narrate, engine, model, journal, world } = stage({ onCut });
      const first = cast(narrate, { ...engine, crash });
      const begun = first.runner.start("sea", { runId: "r" });
      const isOver = begun.result().then(
        () => true,
        () => true,
      );
      let over = false;
      void isOver.then(() => {
        over = true;
      });
      await world.run(() => over || !first.process.isAlive);
      const cut = textsOf(await journal("r"));
      const result = await cast(narrate, engine).run("sea", { runId: "r" });
      return { over, cut, result, model, entries: await journal("r") };
    }

    test.each(["before", "after"] as const)(
      "(%s it is written), the answer comes out whole and is accounted for",
      async (when) => {
        let cuts = 0;
        for (let commit = 1; ; commit++) {
          const { over, cut, result, model, entries } = await killedAt({ commit, when });
          expect(result).toMatchObject({ status: "completed", output: text });
          expect(result.spent.picoUsd).toBeGreaterThanOrEqual(model.billedPicoUsd);
          const said = textsOf(entries);
          const [first = "", ...later] = said;
          expect(text.startsWith(first)).toBe(true);
          if (onCut === "repeat") for (const one of later) expect(one).toBe(text);
          else if (cut.length > 0) expect(said.join("")).toBe(text);
          const results = entries.filter(({ type }) => type === "operation-completed");
          expect(results).toHaveLength(1);
          expect(JSON.stringify(results)).not.toContain("Ishmael");
          const report = await show("r", entries, async () => undefined);
          expect(report.operations.find(({ kind }) => kind === "model-call")?.output).toMatchObject({
            parts: [{ type: "text", text }],
          });
          if (cut.length > 0 && model.calls.length > 1) cuts += 1;
          if (over) break;
        }
        expect(cuts).toBeGreaterThan(5);
      },
    );
  },
);

test("killed at any commit, a tool is called with the arguments that were streamed, and once", async () => {
  const look = tool("look", {
    description: "Looks",
    input: z.object({ where: z.string() }),
    execute: ({ where }) => `nothing at ${where}`,
  });
  for (let commit = 1; ; commit++) {
    const { cast, narrate, engine, model, journal, world } = stage({ tools: [look] }, ({ options }) =>
      options.prompt.some(({ role }) => role === "tool")
        ? {}
        : { text: "", toolCalls: [{ name: "look", input: { where: "sea" } }] },
    );
    const first = cast(narrate, { ...engine, crash: { commit, when: "after" } });
    let over = false;
    const end = (): void => {
      over = true;
    };
    first.runner.start("sea", { runId: "r" }).result().then(end, end);
    await world.run(() => over || !first.process.isAlive);
    const result = await cast(narrate, engine).run("sea", { runId: "r" });
    expect(result).toMatchObject({ status: "completed", output: text });
    const told = model.calls.at(-1)?.options.prompt.at(-1);
    expect(JSON.stringify(told)).toContain("nothing at sea");
    const tools = (await journal("r")).filter((entry) => "path" in entry && entry.path.endsWith("look#0"));
    expect(tools.filter(({ type }) => type === "operation-completed")).toHaveLength(1);
    if (over) break;
  }
});

test("a step that is tried again goes on with the answer its last attempt was cut in", async () => {
  const { cast, narrate, engine, model, journal } = stage({ onCut: "continue" }, ({ index }) =>
    index < 4 ? { error: new Error("the line was cut"), cutAfter: 5 } : {},
  );
  const result = await cast(narrate.retry({ attempts: 2, backoff: "1s" }), engine).run("sea", { runId: "r" });
  expect(result).toMatchObject({ status: "completed", output: text });
  expect(model.calls).toHaveLength(5);
  const said = textsOf(await journal("r"));
  expect(said).toHaveLength(5);
  expect(said.join("")).toBe(text);
  const paths = new Set(streamedIn(await journal("r")).map(({ path }) => path));
  expect([...paths]).toEqual(["/narrate/narrate:call#0", "/narrate/narrate@2:call#0"]);
});

test("an answer to another question is not gone on with", async () => {
  let asked = 0;
  const { cast, narrate, engine, model, journal } = stage(
    { onCut: "continue", prompt: () => `question ${++asked}` },
    ({ index }) => (index < 3 ? { error: new Error("the line was cut"), cutAfter: 5 } : {}),
  );
  const result = await cast(narrate.retry({ attempts: 2 }), engine).run("sea", { runId: "r" });
  expect(result).toMatchObject({ output: text });
  expect(model.calls.map(({ options }) => saidIn(options.prompt).length)).toEqual([0, 20, 40, 0]);
  expect(textsOf(await journal("r")).at(-1)).toBe(text);
});

test("an answer that was cut in a tool call, or is of a schema, is asked for again", async () => {
  const { cast, narrate, engine, model } = stage({ onCut: "continue" }, ({ index }) =>
    index === 0
      ? {
          text: "I will look",
          toolCalls: [{ name: "look", input: {} }],
          error: new Error("cut"),
          cutAfter: 9,
        }
      : {},
  );
  expect(await cast(narrate, engine).run("sea", { runId: "r" })).toMatchObject({ output: text });
  expect(model.calls.map(({ options }) => saidIn(options.prompt))).toEqual(["", ""]);
});

test("an answer that the budget's cap has cut is gone on with when the budget is raised", async () => {
  const { cast, narrate, engine, model, journal } = stage({ onCut: "continue", minOutputTokens: 1 });
  const first = await cast(narrate, engine).run("sea", { runId: "r", budget: "$0.00014" });
  expect(first.status).toBe("halted");
  const [begun = ""] = textsOf(await journal("r"));
  expect(text.startsWith(begun) && begun !== "").toBe(true);
  const result = await cast(narrate, engine).run("sea", { runId: "r", budget: "$1" });
  expect(result).toMatchObject({ status: "completed", output: text });
  expect(model.calls.map(({ options }) => saidIn(options.prompt))).toEqual(["", begun]);
  expect(textsOf(await journal("r")).join("")).toBe(text);
});

test("a run that is cancelled while an answer comes keeps what came in the grace period, and counts it in full", async () => {
  const { cast, narrate, engine, journal, play, wait, model } = stage();
  const { runner } = cast(narrate, { ...engine, grace: "200ms" });
  const run = runner.start("sea", { runId: "r" });
  await wait(150);
  await play(run.cancel());
  expect(await play(run.result())).toMatchObject({ status: "cancelled" });
  const entries = await journal("r");
  const [said = ""] = textsOf(entries);
  expect(said.length).toBeGreaterThan(40); // 150 ms and 200 ms, at a token in 20
  expect(text.startsWith(said) && said !== text).toBe(true);
  expect(entries.filter((entry) => "doubt" in entry)).toHaveLength(1);
  expect(entries.at(-1)?.type).toBe("run-cancelled");
  expect(model.calls).toHaveLength(1);
});

test("a run that halts while an answer comes lets it come, and keeps it", async () => {
  const { cast, engine, model, journal, narrate } = stage({ maxOutputTokens: 40, minOutputTokens: 40 });
  const greedy = agent("greedy", {
    model,
    system: "Narrate.",
    maxOutputTokens: 4_000,
    minOutputTokens: 4_000,
  });
  const racing = parallel("both", { slow: narrate, greedy: sleep<string>("a while", "100ms").to(greedy) });
  const halted = await cast(racing, engine).run("sea", { runId: "r", budget: { tokens: 300 } });
  expect(halted.status).toBe("halted");
  expect(textsOf(await journal("r"))).toEqual([text]);
  const result = await cast(racing, engine).run("sea", { runId: "r", budget: { tokens: 100_000 } });
  expect(result).toMatchObject({ status: "completed", output: { slow: text } });
  expect(model.calls).toHaveLength(2);
});

describe("events", () => {
  async function read(events: AsyncIterable<RunEvent>): Promise<RunEvent[]> {
    const found: RunEvent[] = [];
    for await (const event of events) found.push(event);
    return found;
  }

  test("have one numbering, from which a late reader begins anywhere, while it runs and after", async () => {
    const { cast, narrate, engine, play, wait } = stage();
    const { runner } = cast(narrate, engine);
    const run = runner.start("sea", { runId: "r" });
    const all = read(run.events);
    await wait(300);
    const late = read(run.eventsFrom(4));
    const followed = read(cast(narrate, engine).runner.events("r", { from: 4 }));
    const here = read(runner.events("r", { from: 4 }));
    await play(run.result());
    const events = await play(all);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i));
    expect(events.filter(({ type }) => type === "text-streamed").length).toBeGreaterThan(5);
    expect(await play(late)).toEqual(events.slice(4));
    expect(await play(followed)).toEqual(events.slice(4));
    expect(await play(here)).toEqual(events.slice(4));
    for (const from of [0, 3, events.length - 1, events.length, 1_000]) {
      expect(await play(read(cast(narrate, engine).runner.events("r", { from })))).toEqual(
        events.slice(from),
      );
    }
  });

  test("of a run that nobody has begun, or from no number, are refused", async () => {
    const { cast, narrate, engine, play } = stage();
    const { runner } = cast(narrate, engine);
    await expect(play(read(runner.events("nobody")))).rejects.toThrow("there is no run nobody");
    await expect(play(read(runner.events("nobody", { from: -1 })))).rejects.toThrow("numbered from 0");
  });

  test("of a run whose process died are waited for until another one takes it over, or the reader leaves", async () => {
    const { cast, narrate, engine, play, wait, world } = stage();
    const first = cast(narrate, { ...engine, crash: { commit: 4, when: "after" } });
    void first.runner.start("sea", { runId: "r" }).result();
    await world.run(() => !first.process.isAlive);
    const other = cast(narrate, engine);
    const reader = read(other.runner.events("r"));
    const impatient = new AbortController();
    const left = read(other.runner.events("r", { signal: impatient.signal }));
    await wait(1_000);
    impatient.abort();
    expect((await play(left)).at(-1)?.type).not.toBe("run-completed");
    await cast(narrate, engine).run("sea", { runId: "r" });
    expect((await play(reader)).at(-1)?.type).toBe("run-completed");
  });

  test("of a piece are bounded in size and rate: one entry for each text and moment, however small the tokens", async () => {
    const { cast, narrate, engine, journal } = stage({}, () => ({
      text: "x".repeat(40_000),
      pieceMs: 0,
      pieceLength: 10_000,
      reasoning: "hm ".repeat(50),
    }));
    await cast(narrate, engine).run("sea", { runId: "large" });
    for (const { chunks } of streamedIn(await journal("large")))
      expect(chunks.join("").length).toBeLessThanOrEqual(8_192);
    const small = stage({}, () => ({ pieceMs: 1, pieceLength: 1, text: text.repeat(5) }));
    await small.cast(small.narrate, small.engine).run("sea", { runId: "small" });
    expect(streamedIn(await small.journal("small")).length).toBeLessThanOrEqual(12); // 500 ms, a moment being 50
  });
});
