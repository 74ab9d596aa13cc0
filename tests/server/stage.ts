import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Flujo, humanInTheLoop, mapOver, pipeline, type Step, sleep, step, waitFor } from "flujo";
import { sqlite } from "flujo/sqlite";
import { onTestFinished } from "vitest";
import * as z from "zod";
import type { AnyStep } from "../../src/core/step.ts";
import type { Outbox } from "../../src/events/outbox.ts";
import { nodeWorld } from "../../src/node-world.ts";
import type { Store } from "../../src/ports/store.ts";
import { serverApp } from "../../src/server/app.ts";
import { listen } from "../../src/server/listen.ts";
import type { ServerOptions } from "../../src/server/options.ts";
import type { Served } from "../../src/server/parts.ts";

export const hello = pipeline(
  "hello",
  step("greet", (name: string) => `Hello, ${name}!`),
  { input: z.string() },
);
export const asking = pipeline("asking", humanInTheLoop("approve", { prompt: () => "Shall I?" }), {
  input: z.unknown(),
});
export const choosing = pipeline(
  "choosing",
  humanInTheLoop("pick", {
    prompt: () => "Which?",
    answer: z.object({ colour: z.enum(["red", "blue"]) }),
  }).to(waitFor("paid", { schema: z.number() })),
);
export const failing = pipeline(
  "failing",
  step("break", () => {
    throw new Error("no");
  }),
);
export const spending = pipeline(
  "spending",
  mapOver(
    "each",
    step("buy", (item: string, ctx) => ctx.spend("pay", "$0.000000000001", () => item.toUpperCase())),
  ),
);
export const sleeping = pipeline("sleeping", sleep("nap", "10m"));

/** What is asked of a run, after its address. */
export const viewsOfRun = [
  "",
  "/operations",
  "/tree",
  "/state",
  "/operation?path=/x",
  "/entries",
  "/events",
  "/graph",
] as const;

let made = 0;
/** Its input is never twice the same. */
const counting = pipeline(
  "counting",
  step("keep", (input: { n: number }) => input.n),
  {
    input: z.object({ n: z.number().default(() => ++made) }),
  },
);

/** What the runs of `gated` wait for, each by its id. */
const gates = new Map<string, PromiseWithResolvers<void>>();
export function gate(runId: string): PromiseWithResolvers<void> {
  const known = gates.get(runId) ?? Promise.withResolvers<void>();
  gates.set(runId, known);
  return known;
}
/** Runs on until its gate is opened. */
export const gated = pipeline(
  "gated",
  step("before", () => "before")
    .to(step("wait", (_: string, ctx) => gate(ctx.runId).promise))
    .to(step("after", () => "after")),
);

export const all: readonly AnyStep[] = [
  hello,
  asking,
  choosing,
  failing,
  spending,
  sleeping,
  gated,
  counting,
];

export interface Stage {
  readonly url: string;
  readonly store: Store;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Until the run has come to stand. */
  stands(runId: string): Promise<Answer>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests are about
  readonly body: any;
}

export interface StageOptions {
  readonly store?: Store;
  readonly options?: ServerOptions;
  readonly steps?: readonly AnyStep[];
  readonly outbox?: Outbox;
}

/** A folder that is gone when the test ends. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "flujo-server-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A server on a real port, over a real database, that serves these pipelines. */
export async function stage({ steps = all, ...given }: StageOptions = {}): Promise<Stage> {
  const store = given.store ?? sqlite(join(folder(), "runs.db"), { durability: "relaxed" });
  const flujos = steps.map(
    (one) => new Flujo(one as Step<unknown, unknown>, { store, awake: "1s", onError: () => {} }),
  );
  const pipelines = steps.map((one, i): Served => ({ step: one, flujo: flujos[i] as Served["flujo"] }));
  const app = serverApp({
    store,
    world: nodeWorld(),
    pipelines,
    options: { port: 0, ...given.options },
    ...(given.outbox === undefined ? {} : { outbox: given.outbox }),
  });
  const listening = await listen(app);
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await listening.close(1_000);
    for (const flujo of flujos) await flujo[Symbol.asyncDispose]();
    if (given.store === undefined) await store.close();
  };
  onTestFinished(close);
  const ask = async (path: string, init: RequestInit): Promise<Answer> => {
    const response = await fetch(listening.url + path, init);
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.includes("json") === true;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };
  const get: Stage["get"] = (path, headers = {}) => ask(path, { headers });
  return {
    url: listening.url,
    store,
    get,
    post: (path, body = {}, headers = {}) =>
      ask(path, {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "content-type": "application/json", ...headers },
      }),
    async stands(runId) {
      await fetch(`${listening.url}/api/v1/runs/${runId}/events`).then((response) => response.text());
      return get(`/api/v1/runs/${runId}`);
    },
    close,
  };
}
