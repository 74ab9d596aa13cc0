/** Limits over the wire: a real server counts what arrives, on a clock whose long waits pass when the test says so. */
import { createOpenAI } from "@ai-sdk/openai";
import { expect, test } from "vitest";
import { mapOver } from "../core/compose.ts";
import { Runner } from "../engine/runner.ts";
import { nodeWorld } from "../node-world.ts";
import type { World } from "../ports/world.ts";
import { memory } from "../stores/memory.ts";
import { type OpenAIServerOptions, openaiServer } from "../testing/openai-server.ts";
import { agent } from "./agent.ts";
import { models } from "./models.ts";
import type { PaceLimits } from "./pace.ts";

/** The real world, but for waits of seconds: they pass when `skip` says so. */
function patientWorld() {
  const real = nodeWorld();
  let skipped = 0;
  let waits: { readonly due: number; readonly callback: () => void }[] = [];
  const now = (): number => real.now() + skipped;
  const world: World = {
    ...real,
    now,
    timer(ms, callback, options) {
      if (ms < 1_000 || options?.background) return real.timer(ms, callback, options);
      const wait = { due: now() + ms, callback };
      waits.push(wait);
      return () => {
        waits = waits.filter((one) => one !== wait);
      };
    },
  };
  const skip = (): void => {
    const next = waits.reduce((first, wait) => (wait.due < first.due ? wait : first));
    skipped += Math.max(0, next.due - now());
    waits = waits.filter((one) => one !== next);
    next.callback();
  };
  return { world, skip, isWaiting: () => waits.length > 0 };
}

async function traffic(limits: PaceLimits, behaviour: OpenAIServerOptions, calls: number) {
  const server = await openaiServer(behaviour);
  const { world, skip, isWaiting } = patientWorld();
  const model = createOpenAI({ apiKey: "sk-test-0123456789abcdef", baseURL: server.url })("gpt-4o-mini");
  const ask = agent<string>("ask", { model, system: "Be brief.", maxOutputTokens: 20 });
  const store = memory();
  const runner = new Runner(mapOver("all", ask, { concurrency: calls }), {
    world,
    store,
    models: models({ limits }),
    takeOver: false,
  });
  const handle = runner.start(
    Array.from({ length: calls }, (_, i) => String(i)),
    { runId: "r", budget: "$1" },
  );
  /** Waits until so many requests have arrived, and a moment for one too many. @returns how many did. */
  const arrived = async (count: number): Promise<number> => {
    while (server.requests.length < count || !isWaiting()) await moment();
    for (let i = 0; i < 10; i++) await moment();
    return server.requests.length;
  };
  return { server, skip, arrived, result: handle.result() };
}

const moment = () => new Promise((resolve) => setTimeout(resolve, 2));

test("no more requests reach a server in a minute than the limit allows, and all are made in the end", async () => {
  const { server, skip, arrived, result } = await traffic({ "openai:*": { requestsPerMinute: 4 } }, {}, 10);
  for (const count of [4, 8]) {
    expect(await arrived(count)).toBe(count);
    skip();
  }
  const { status, spent } = await result;
  expect([status, spent.calls, spent.picoUsd]).toEqual(["completed", 10, server.billedPicoUsd]);
  expect(server.requests).toHaveLength(10);
  await server.close();
});

test("a server's retry-after is waited for once by all, and costs nothing", async () => {
  const behaviour: OpenAIServerOptions = {
    retryAfterSeconds: 30,
    fault: ({ index }) => (index < 3 ? "rate-limit" : undefined),
  };
  const { server, skip, arrived, result } = await traffic({}, behaviour, 3);
  expect(await arrived(3)).toBe(3);
  skip();
  const { status, spent } = await result;
  expect([status, spent.picoUsd, server.requests.length]).toEqual(["completed", server.billedPicoUsd, 6]);
  await server.close();
});
