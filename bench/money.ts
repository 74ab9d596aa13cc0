/** What a budget costs: reserving and settling beside a plain durable step, many calls at once, and the bound on a prompt. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText } from "ai";
import { agent, Flujo, mapOver, models, pipeline, type Step, type StepContext, step } from "flujo";
import { sqlite } from "flujo/sqlite";
import { scriptedModel } from "flujo/testing";
import { tokenBound } from "../src/budget/token-bound.ts";
import type { Finding } from "./finding.ts";
import { content, figure, inFolder, inTurns, items, ratio, timed } from "./measure.ts";

const operations = 200;
const callsAtOnce = 1_000;
/** How long the server takes for each answer. */
const answerMs = 50;

/** So many operations in one step, each on the disk before the next begins. */
function inStep(one: (ctx: StepContext, n: number) => Promise<unknown>): Step<null, boolean> {
  const work = async (_: null, ctx: StepContext): Promise<boolean> => {
    for (let n = 0; n < operations; n++) await one(ctx, n);
    return true;
  };
  return pipeline("money", step("all", work));
}

async function reserving(folder: string): Promise<readonly Finding[]> {
  const model = scriptedModel({ replies: () => content(0).text });
  const store = sqlite(join(folder, "money.db"));
  const flow = {
    plain: inStep((ctx, n) => ctx.run("plain", () => content(n))),
    spent: inStep((ctx, n) => ctx.spend("spent", "$0.001", () => content(n))),
    asked: inStep((ctx) => ctx.generate("asked", { model, prompt: "Say a short sentence." })),
  };
  let runs = 0;
  const us = async (pipe: Step<null, boolean>): Promise<number> => {
    await using flujo = new Flujo(pipe, { store, budget: "$1000", models: models({ prices: model.prices }) });
    const ms = await timed(async () => {
      const { status } = await flujo.run(null, { runId: `money-${runs++}` });
      if (status !== "completed") throw new Error(`it ended ${status}`);
    });
    return (ms * 1_000) / operations;
  };
  const found = await inTurns(
    21,
    { plain: () => us(flow.plain), spent: () => us(flow.spent), asked: () => us(flow.asked) },
    8, // until Node has compiled what is hot
  );
  await store.close();
  const beside = `${figure(found.spent.median)} us beside ${figure(found.plain.median)} us`;
  return [
    {
      work: "reserve + settle, over a durable operation: what it adds",
      figure: ratio(found.spent, found.plain) - 1,
      unit: "x",
      target: 1.3,
      note: beside,
    },
    { work: "a model call that takes no time, on SQLite", figure: found.asked.median, unit: "us" },
  ];
}

/** A thousand calls on a server that serves so many at once, by Flujo, by the AI SDK alone, and by bare requests. */
async function onServer(folder: string, served: number) {
  const args = [`${answerMs}`, `${served}`];
  const server = fork(new URL("slow-server.ts", import.meta.url), args, { execArgv: [] });
  const [url] = await once(server, "message");
  const provider = createOpenAI({ baseURL: url, apiKey: "none" });
  const store = sqlite(join(folder, `calls-${served}.db`));
  const ask = agent("ask", {
    model: "bench:model",
    system: "Answer.",
    prompt: (n: number) => `Number ${n}?`,
  });
  const flow = pipeline("calls", mapOver("all", ask, { concurrency: callsAtOnce }));
  const known = models({
    providers: { bench: (id) => provider.chat(id) },
    prices: { "bench:model": { input: "$0.15", output: "$0.60" } },
  });
  let runs = 0;
  const found = await inTurns(5, {
    bare: () =>
      timed(() =>
        Promise.all(
          items(callsAtOnce).map(async (n) => {
            const messages = [{ role: "user", content: `Number ${n}?` }];
            const body = JSON.stringify({ model: "model", messages });
            return (await fetch(`${url}/chat/completions`, { method: "POST", body })).json();
          }),
        ),
      ),
    alone: () =>
      timed(() =>
        Promise.all(
          items(callsAtOnce).map((n) =>
            generateText({ model: provider.chat("model"), system: "Answer.", prompt: `Number ${n}?` }),
          ),
        ),
      ),
    flujo: () =>
      timed(async () => {
        await using flujo = new Flujo(flow, { store, budget: "$1000", models: known });
        const { status } = await flujo.run(items(callsAtOnce), { runId: `calls-${runs++}` });
        if (status !== "completed") throw new Error(`it ended ${status}`);
      }),
  });
  await store.close();
  server.disconnect();
  return found;
}

/** As many at once as a busy provider serves one customer; and a server that nothing holds back. */
const servedAtOnce = 50;

async function atOnce(folder: string): Promise<readonly Finding[]> {
  const busy = await onServer(folder, servedAtOnce);
  const idle = await onServer(folder, callsAtOnce);
  const leastMs = (callsAtOnce / servedAtOnce) * answerMs;
  return [
    {
      work: `${callsAtOnce} model calls at once, over what a server needs that takes ${answerMs} ms and serves ${servedAtOnce} at once`,
      figure: busy.flujo.median / leastMs,
      unit: "x",
      target: 1.2,
      note: `${figure(busy.flujo.median)} ms; bare fetch ${figure(busy.bare.median)} ms, the AI SDK alone ${figure(busy.alone.median)} ms`,
    },
    {
      work: "... on a server that serves all at once, over the AI SDK alone",
      figure: ratio(idle.flujo, idle.alone),
      unit: "x",
      note: `${figure(idle.flujo.median)} ms; bare fetch ${figure(idle.bare.median)} ms, the AI SDK alone ${figure(idle.alone.median)} ms`,
    },
  ];
}

async function bounding(): Promise<readonly Finding[]> {
  const megabyte = 2 ** 20;
  const prompts = {
    English: "A sentence of the kind that people write, and models read. ".repeat(megabyte / 59),
    "unbroken text": "a".repeat(megabyte),
    Chinese: "\u5bb6".repeat(megabyte / 3),
    "lone surrogates": "\ud800".repeat(megabyte / 3),
  };
  const findings = await inTurns(
    9,
    Object.fromEntries(
      Object.entries(prompts).map(([name, text]) => [
        name,
        () => timed(() => tokenBound({ messages: [{ role: "user", content: [{ type: "text", text }] }] })),
      ]),
    ),
  );
  const worst = Object.entries(findings).sort(([, a], [, b]) => b.median - a.median)[0];
  return [
    {
      work: "token bound of a prompt of 1 MB, the slowest of four texts",
      figure: worst?.[1].median ?? Number.NaN,
      unit: "ms",
      target: 50,
      note: worst?.[0] ?? "",
    },
  ];
}

export async function money(): Promise<readonly Finding[]> {
  return [...(await inFolder(reserving)), ...(await inFolder(atOnce)), ...(await bounding())];
}
