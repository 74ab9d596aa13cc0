import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { createOpenAI } from "@ai-sdk/openai";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { agent } from "../../agents/agent.ts";
import { models } from "../../agents/models.ts";
import { tool } from "../../agents/tool.ts";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "../../core/compose.ts";
import type { Context } from "../../core/context.ts";
import type { Entry } from "../../core/entries.ts";
import { StoreUnavailableError } from "../../core/errors.ts";
import { humanInTheLoop } from "../../core/pauses.ts";
import type { Step } from "../../core/step.ts";
import { Flujo } from "../../flujo.ts";
import type { Store } from "../../ports/store.ts";
import { memory } from "../../stores/memory.ts";
import type { Falters } from "../../testing/faltering-store.ts";
import { openaiServer } from "../../testing/openai-server.ts";
import { scene } from "../../testing/scene.ts";
import { scriptedModel } from "../../testing/scripted-model.ts";

/** A store in which entries of a journal are missing. */
function without(store: Store, isGone: (entry: Entry) => boolean): Store {
  return {
    ...store,
    read: async (runId, from, limit) => {
      const all = await store.read(runId, 0, Number.MAX_SAFE_INTEGER);
      return all?.filter((entry) => entry.seq >= from && !isGone(entry)).slice(0, limit);
    },
  };
}

/** Runs a pipeline to its end, and replays it with another. */
async function replayed<In, Out>(
  before: Step<In, Out>,
  input: In,
  after: Step<In, unknown> = before,
  options: Parameters<Flujo<In, unknown>["replay"]>[1] = {},
) {
  const { store, cast, play } = scene();
  await cast(before).run(input, { runId: "r" });
  const { runner } = cast(after, { store });
  return play(runner.replay("r", options));
}

describe("a run is walked again without any outside call", () => {
  test("retries, a person's answer, a loop, an agent with tools, streams: no request, and nothing differs", async () => {
    await using server = await openaiServer({
      reply: ({ text }) =>
        text.includes("weather") && !text.includes("sunny")
          ? { toolCalls: [{ name: "look", input: { city: "Madrid" } }] }
          : "It is sunny, and will stay so for the rest of the week.",
    });
    const model = createOpenAI({ apiKey: "sk-test-0123456789abcdef", baseURL: server.url }).chat(
      "gpt-4o-mini",
    );
    let fails = 2;
    const looked: string[] = [];
    const look = tool("look", {
      description: "Looks out of a window",
      input: z.object({ city: z.string() }),
      execute: ({ city }) => {
        looked.push(city);
        return `sunny in ${city}`;
      },
    });
    const all = pipeline(
      "all",
      step("flaky", (text: string) => {
        if (fails-- > 0) throw new Error("not yet");
        return text;
      })
        .retry({ attempts: 3, backoff: "1ms" })
        .to(agent("forecast", { model, system: "Tell the weather.", tools: [look], stream: true }))
        .to(humanInTheLoop("check", { prompt: (text: string) => `Is this right? ${text}` }))
        .to(
          step("own", async ({ approved }, ctx) => {
            const text = await ctx.generate("write", { model, prompt: "weather, sunny", stream: true });
            const both = await Promise.all([ctx.run("a", () => 1), ctx.run("b", () => 2)]);
            return `${approved} ${text} ${both}`;
          }),
        )
        .to(
          loopUntil(
            "polish",
            step("longer", (text: string) => `${text}!`),
            {
              until: (text) => text.endsWith("!!!"),
              maxLoops: 9,
            },
          ),
        ),
    );
    await using flujo = new Flujo(all, { store: memory() });
    const waiting = await flujo.run("the weather in Madrid", { runId: "r" });
    expect(waiting.status).toBe("waiting");
    expect(await flujo.replay("r")).toMatchObject({ status: "waiting", same: true });
    await flujo.signal("r", "/all/check", { approved: true });
    const ended = await flujo.resume("r").result();
    expect(ended.status).toBe("completed");
    const before = server.requests.length;
    await server.close();
    const report = await flujo.replay("r");
    expect(report).toMatchObject({
      status: "completed",
      same: true,
      differences: [],
      changed: [],
      unknownRequests: [],
    });
    expect(report.compared).toMatchObject({ bodies: 2, requests: 3 });
    expect(report.notRun).toContain("/all/flaky");
    expect({ requests: server.requests.length, looked }).toEqual({ requests: before, looked: ["Madrid"] });
    const bodies = await flujo.replay("r", { bodies: "all" });
    expect(bodies).toMatchObject({ same: true, notRun: [] });
  });

  test("a body that calls the outside by itself is refused, and others in the process are not", async () => {
    const other = createServer((_, response) => response.end("hello")).listen(0, "127.0.0.1");
    await once(other, "listening");
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const body = async (_: string, ctx: Context): Promise<string> => {
      const text = await (await fetch(url)).text();
      return ctx.run("greet", () => text);
    };
    await using flujo = new Flujo(step("s", body), { store: memory() });
    await flujo.run("x", { runId: "r" });
    const [report, elsewhere] = await Promise.all([flujo.replay("r"), fetch(url).then((got) => got.text())]);
    expect(report.differences[0]).toEqual({
      path: "/s/s",
      what: "outside-call",
      recorded: "nothing of it",
      now: `fetch ${url}`,
    });
    expect(elsewhere).toBe("hello");
    other.close();
  });

  test.each([
    ["an HTTP request", () => void request("http://127.0.0.1:9")],
    ["a connection", () => void connect(9, "127.0.0.1")],
    ["a program", () => void spawn("true")],
  ])("%s is refused", async (what, call) => {
    let isAgain = false;
    const body = step("s", async (_: string, ctx: Context) => {
      if (isAgain) call();
      isAgain = true;
      return ctx.run("a", () => 1);
    });
    await using flujo = new Flujo(body, { store: memory() });
    await flujo.run("x", { runId: "r" });
    const { differences } = await flujo.replay("r");
    expect(differences[0]).toMatchObject({ path: "/s/s", what: "outside-call", now: what });
  });

  test("no key, package or provider of a model is needed: it goes by its name", async () => {
    const model = scriptedModel({ replies: ["Hello!"] });
    const all = pipeline(
      "p",
      agent("greet", { model: "mine:one", system: "Greet." }).to(
        step("again", (text: string, ctx: Context) =>
          ctx.generate("more", { model: "mine:two", prompt: text }),
        ),
      ),
    );
    const store = memory();
    await using flujo = new Flujo(all, { store, models: models({ providers: { mine: () => model } }) });
    expect((await flujo.run("Ada", { runId: "r" })).status).toBe("completed");
    await using other = new Flujo(all, { store });
    expect(await other.replay("r")).toMatchObject({ same: true, compared: { requests: 2 } });
    expect(model.calls).toHaveLength(2);
  });

  test("nothing is written", async () => {
    const { store, cast, play, journal } = scene();
    const greet = step("greet", (name: string) => `Hello, ${name}!`);
    await cast(greet).run("Ada", { runId: "r" });
    const before = JSON.stringify([await journal("r"), await store.list({})]);
    const { runner, store: seen } = cast(greet);
    await play(runner.replay("r"));
    expect(seen.commits).toBe(0);
    expect(JSON.stringify([await journal("r"), await store.list({})])).toBe(before);
  });
});

describe("a journal with an entry taken out fails by name", () => {
  const flow = pipeline(
    "p",
    step("first", (n: number) => n + 1)
      .to(
        step("second", async (n: number, ctx) => {
          const twice = await ctx.run("double", () => n * 2);
          return ctx.run("add", () => twice + 1);
        }),
      )
      .to(parallel("both", { left: step("l", (n: number) => n), right: step("r", (n: number) => -n) }))
      .to(
        branchOn("size", ({ left }) => (left > 5 ? "big" : "small"), {
          big: step("many", () => [1, 2]),
          small: step("few", () => [0]),
        }),
      )
      .to(
        mapOver(
          "each",
          step("item", (n: number) => n),
          { key: String },
        ),
      ),
  );

  test.each([
    ["step-completed", "/p/first"],
    ["operation-completed", "/p/second:double#0"],
    ["step-completed", "/p/both[right]/r"],
    ["container-completed", "/p/both"],
    ["branch-chosen", "/p/size"],
    ["map-started", "/p/each"],
    ["step-completed", "/p/each[2]/item"],
  ])("%s of %s", async (type, path) => {
    const { store, cast, play } = scene();
    await cast(flow).run(3, { runId: "r" });
    const gone = (entry: Entry): boolean => entry.type === type && "path" in entry && entry.path === path;
    const { runner } = cast(flow, { store: without(store, gone) });
    const report = await play(runner.replay("r"));
    expect(report.same).toBe(false);
    expect(report.differences[0]).toMatchObject({ path, what: "missing", recorded: `no ${type}` });
    expect(report.differences.at(-1)).toMatchObject({ what: "missing", now: "not in the journal" });
  });

  test("the first one", async () => {
    const { store, cast, play } = scene();
    await cast(flow).run(3, { runId: "r" });
    const { runner } = cast(flow, { store: without(store, ({ seq }) => seq === 0) });
    await expect(play(runner.replay("r"))).rejects.toThrow("its first entry, run-created, is missing");
  });
});

describe("bodies", () => {
  const counted = (runs: string[]) => (name: string) =>
    step(name, async (n: number, ctx: Context) => {
      runs.push(name);
      return name === "durable" ? ctx.run("add", () => n + 1) : n + 1;
    });

  test.each([
    ["none", []],
    ["durable", ["durable"]],
    ["all", ["plain", "durable"]],
  ] as const)("%s: of steps, these run again: %j", async (bodies, again) => {
    const runs: string[] = [];
    const made = counted(runs);
    const flow = made("plain").to(made("durable"));
    const report = await replayed(pipeline("p", flow), 1, undefined, { bodies });
    expect(report.same).toBe(true);
    expect(runs.slice(2)).toEqual(again);
  });

  test("the moment that a body sleeps until is taken as recorded", async () => {
    const until = (ms: number) =>
      step("s", async (_: string, ctx: Context) => ctx.sleepUntil("nap", new Date(ms)));
    expect(await replayed(until(1_000), "x", until(2_000))).toMatchObject({ same: true });
  });

  test("where the store does not answer, that is told, and not taken for the run's doing", async () => {
    const { cast, play } = scene();
    const flow = pipeline(
      "p",
      step("a", () => "a".repeat(9_000)).to("b", (text) => text.length),
    );
    await cast(flow).run(undefined, { runId: "r" });
    const error = new StoreUnavailableError("the store is away");
    const blobs: string[] = [];
    const counting: Falters = (method) => void (method === "blob" && blobs.push(method));
    await play(cast(flow, { falters: counting }).runner.replay("r", { bodies: "all" }));
    expect(blobs.length).toBeGreaterThan(1);
    for (const nth of blobs.keys()) {
      let read = 0;
      const falters: Falters = (method) =>
        method === "blob" && read++ === nth ? { when: "before", error } : undefined;
      const replay = cast(flow, { falters }).runner.replay("r", { bodies: "all" });
      await expect(play(replay)).rejects.toThrow(error);
    }
  });

  test("what runs beside one another takes the recorded course", async () => {
    const race = step("race", async (_: string, ctx: Context) => {
      const slow = ctx.sleep("nap", "5s").then(() => "slow");
      const quick = ctx.run("quick", () => "quick");
      return Promise.race([slow, quick]);
    });
    const report = await replayed(race, "x", race, { bodies: "all" });
    expect(report).toMatchObject({ same: true, compared: { operations: 2 } });
  });
});
