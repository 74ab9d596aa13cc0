/** Whatever stops a run reaches the requests that are open, and what that did to the money is written down. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createOpenAI } from "@ai-sdk/openai";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Entry } from "../../src/core/entries.ts";
import type { CommonOptions } from "../../src/engine/options.ts";
import { agent, Flujo, mapOver, models, pipeline, type Step } from "../../src/index.ts";
import { memory } from "../../src/stores/memory.ts";
import { sqlite } from "../../src/stores/sqlite.ts";
import { Folder } from "../cli/command.ts";

/** A server that answers when it is told to, and sees who hangs up. */
async function patientServer() {
  const open = new Set<ServerResponse>();
  const counts = { arrived: 0, hungUp: 0 };
  const watchers = new Set<() => void>();
  const tell = (): void => {
    for (const watcher of watchers) watcher();
  };
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      counts.arrived += 1;
      open.add(response);
      tell();
    });
    response.once("close", () => {
      if (!response.writableFinished) counts.hungUp += 1;
      open.delete(response);
      tell();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server has one
  return {
    url: `http://127.0.0.1:${port}/v1`,
    counts,
    /** Resolves when so many requests have arrived, or hung up. */
    until: (what: keyof typeof counts, count: number) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (counts[what] < count) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    answerAll() {
      for (const response of open)
        response.writeHead(200, { "content-type": "application/json" }).end(answer);
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

const answer = JSON.stringify({
  id: "a",
  object: "chat.completion",
  created: 0,
  model: "model",
  choices: [{ index: 0, message: { role: "assistant", content: "done" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 },
});

let server: Awaited<ReturnType<typeof patientServer>>;
beforeEach(async () => {
  server = await patientServer();
});
afterEach(() => server.close());

const calls = 3;

function asking(stream = false): Step<readonly string[], string[]> {
  const ask = agent("ask", { model: "patient:model", system: "Answer.", maxOutputTokens: 50, stream });
  return mapOver("all", ask, { concurrency: calls });
}

function flujo(step: Step<readonly string[], unknown>, options: CommonOptions = {}) {
  const provider = createOpenAI({ baseURL: server.url, apiKey: "none" });
  const store = options.store ?? memory();
  const known = models({
    providers: { patient: (id) => provider.chat(id) },
    prices: { "patient:model": { input: "$1", output: "$1" } },
  });
  const made = new Flujo(pipeline("p", step), { budget: "$1", ...options, models: known, store });
  const journal = async (): Promise<readonly Entry[]> => (await store.read("r", 0, 1_000)) ?? [];
  return { made, store, journal };
}

/** What became of the reservations, in order of their settlement. */
const fates = (entries: readonly Entry[]) => ({
  open: entries.reduce(
    (open, { type }) =>
      open +
      (type === "budget-reserved" ? 1 : type === "budget-settled" || type === "budget-released" ? -1 : 0),
    0,
  ),
  doubted: entries.filter((entry) => entry.type === "budget-settled" && entry.doubt).length,
  paid: entries.filter((entry) => entry.type === "budget-settled" && !entry.doubt).length,
});

const words = ["one", "two", "three"];

describe("a run that is cancelled", () => {
  test.each([false, true])("hangs up on calls that outlast its grace (stream: %s)", async (stream) => {
    const { made, journal } = flujo(asking(stream), { grace: "100ms" });
    const run = made.start(words, { runId: "r" });
    await server.until("arrived", calls);
    await run.cancel("enough");
    expect(await run.result()).toMatchObject({
      status: "cancelled",
      error: { message: expect.stringContaining("enough") },
    });
    await server.until("hungUp", calls);
    expect(fates(await journal())).toEqual({ open: 0, doubted: calls, paid: 0 });
  });

  test("keeps what comes back within its grace, and pays what it cost", async () => {
    const { made, journal } = flujo(asking());
    const run = made.start(words, { runId: "r" });
    await server.until("arrived", calls);
    const cancelled = run.cancel();
    server.answerAll();
    await cancelled;
    expect(await run.result()).toMatchObject({
      status: "cancelled",
      spent: { inputTokens: 30, outputTokens: 6 },
    });
    expect(server.counts.hungUp).toBe(0);
    expect(fates(await journal())).toEqual({ open: 0, doubted: 0, paid: calls });
  });

  test("by its caller's signal hangs up, too", async () => {
    const { made, journal } = flujo(asking(), { grace: "100ms" });
    const caller = new AbortController();
    const run = made.start(words, { runId: "r", signal: caller.signal });
    await server.until("arrived", calls);
    caller.abort();
    expect(await run.result()).toMatchObject({ status: "cancelled" });
    await server.until("hungUp", calls);
    expect(fates(await journal())).toEqual({ open: 0, doubted: calls, paid: 0 });
  });

  test("by somebody who does not advance it hangs up, too", async () => {
    const { made, store, journal } = flujo(asking(), { grace: "100ms" });
    const run = made.start(words, { runId: "r" });
    await server.until("arrived", calls);
    await flujo(asking(), { store }).made.cancel("r", "from elsewhere");
    expect(await run.result()).toMatchObject({ status: "cancelled" });
    await server.until("hungUp", calls);
    expect(fates(await journal())).toEqual({ open: 0, doubted: calls, paid: 0 });
  });
});

test("a timeout hangs up at once, and the calls count in full", async () => {
  const { made, journal } = flujo(asking().timeout("100ms"));
  const result = await made.run(words, { runId: "r" });
  expect(result).toMatchObject({ status: "failed", error: { code: "timeout" } });
  await server.until("hungUp", calls);
  expect(fates(await journal())).toEqual({ open: 0, doubted: calls, paid: 0 });
});

describe("a run that comes to stand at its budget", () => {
  /** Pays for two calls at their worst: the third is refused while they are open. */
  const limited = { budget: { calls: calls - 1 } } as const;

  test("keeps what comes back within its grace", async () => {
    const { made, journal } = flujo(asking(), limited);
    const run = made.run(words, { runId: "r" });
    await server.until("arrived", calls - 1);
    server.answerAll();
    expect(await run).toMatchObject({ status: "halted" });
    expect(server.counts.hungUp).toBe(0);
    expect(fates(await journal())).toEqual({ open: 0, doubted: 0, paid: calls - 1 });
  });

  test("hangs up on what outlasts it", async () => {
    const two = { cost: "$1", time: "200ms" } as const; // the time is up while the calls are open
    const { made, journal } = flujo(asking(), { budget: two, grace: "100ms" });
    const result = await made.run(words, { runId: "r" });
    expect(result).toMatchObject({ status: "halted" });
    await server.until("hungUp", calls);
    expect(fates(await journal())).toEqual({ open: 0, doubted: calls, paid: 0 });
  });
});

describe("Ctrl-C", () => {
  const source = `
    import { agent, mapOver, pipeline } from "flujo";
    const ask = agent("ask", { model: "openai.chat:gpt-4o-mini", system: "Answer.", maxOutputTokens: 50 });
    export default pipeline("p", mapOver("all", ask, { concurrency: ${calls} }));
  `;

  async function running(folder: Folder) {
    folder.write("p.ts", source);
    const env = { OPENAI_API_KEY: "sk-of-nobody", OPENAI_BASE_URL: server.url };
    const input = ["--input-json", JSON.stringify(words), "--run-id", "r", "--budget", "$1"];
    const run = folder.start(["run", "p.ts", ...input], { env });
    await server.until("arrived", calls);
    return { run, env };
  }

  async function journalIn(folder: Folder): Promise<readonly Entry[]> {
    const store = sqlite(`${folder.path}/.flujo/flujo.db`);
    const entries = (await store.read("r", 0, 1_000)) ?? [];
    await store.close();
    return entries;
  }

  test("once: what is paid for is awaited and kept, and nothing new begins", async () => {
    const folder = new Folder();
    const { run, env } = await running(folder);
    run.kill("SIGINT");
    await run.saw("Stopping");
    server.answerAll();
    expect(await run.ended).toMatchObject({ code: 130 });
    expect(fates(await journalIn(folder))).toEqual({ open: 0, doubted: 0, paid: calls });
    const resumed = await folder.start(["resume", "r"], { env }).ended;
    expect(JSON.parse(resumed.stdout)).toEqual(["done", "done", "done"]);
    expect(server.counts.arrived).toBe(calls); // nothing was bought twice
  });

  test("twice: it stops now, and who resumes finds the calls in doubt", async () => {
    const folder = new Folder();
    const { run, env } = await running(folder);
    run.kill("SIGINT");
    await run.saw("Stopping");
    run.kill("SIGINT");
    expect(await run.ended).toMatchObject({ code: 130 });
    await server.until("hungUp", calls);
    expect(fates(await journalIn(folder))).toEqual({ open: calls, doubted: 0, paid: 0 });
    const resumed = folder.start(["resume", "r"], { env });
    await server.until("arrived", 2 * calls);
    server.answerAll();
    expect(await resumed.ended).toMatchObject({ code: 0 });
    expect(fates(await journalIn(folder))).toEqual({ open: 0, doubted: calls, paid: calls });
  });
});
