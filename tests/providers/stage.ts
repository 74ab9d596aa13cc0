/** A provider under test, a server for it to speak to, and a Flujo that runs agents between them. */
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import { type AgentOptions, agent, Flujo, models, pipeline, type RunResult, type Step } from "flujo";
import { memory } from "flujo/memory";
import { vi } from "vitest";
import type { Entry } from "../../src/core/entries.ts";
import type { Usd } from "../../src/core/limits.ts";
import type { Schema, SchemaOutput } from "../../src/core/schema.ts";
import { type WireServer, type WireServerOptions, wireServer } from "../../src/testing/wire/server.ts";
import type { HandClock } from "./hand-clock.ts";
import type { Subject } from "./subjects.ts";

/** The rates of `wirePrice`, in US dollars a million tokens. */
const prices = { input: "$1", cacheRead: "$0.10", cacheWrite: "$1.30", output: "$7" } as const;

const declared = ({ model, embeddings, images }: Subject) => ({
  [model]: prices,
  ...(embeddings === undefined ? {} : { [embeddings]: { input: prices.input } }),
  ...(images === undefined ? {} : { [images]: { image: "$0.04" as const } }),
});

export interface Played<Out> {
  readonly result: RunResult<Out>;
  readonly journal: readonly Entry[];
}

export interface Player {
  readonly subject: Subject;
  /** An agent of the provider's model. */
  agent(options?: Partial<AgentOptions<string>>): Step<string, string>;
  /** One that answers with a value. */
  asking<S extends Schema>(output: S, options?: Partial<AgentOptions<string>>): Step<string, SchemaOutput<S>>;
  /** Runs it on "Hello", with a budget: default $1. */
  play<Out>(
    step: Step<string, Out>,
    options?: { readonly budget?: Usd; readonly clock?: HandClock },
  ): Promise<Played<Out>>;
  /** The parts of a stream, read to its end. Rejects when the stream does, or when it says that it failed. */
  stream(options?: Partial<LanguageModelV4CallOptions>): Promise<readonly LanguageModelV4StreamPart[]>;
}

/** Whose prices Flujo reckons with: those of `wirePrice`, or the published ones. */
type Prices = "declared" | "published";

/** Leads the provider's package to the server at `origin`, by the environment alone. */
export function player(subject: Subject, origin: string, from: Prices = "declared"): Player {
  for (const [variable, value] of Object.entries(subject.environment(origin))) vi.stubEnv(variable, value);
  const source = models(from === "declared" ? { prices: declared(subject) } : {});
  const defaults = { model: subject.model, system: "Be brief." };
  return {
    subject,
    agent: (options = {}) => agent("ask", { ...defaults, ...options }),
    asking: (output, options = {}) => agent("ask", { ...defaults, ...options, output }),
    async play(step, { budget = "$1", clock } = {}) {
      const store = memory();
      const world = clock === undefined ? {} : { world: clock.world };
      await using flujo = new Flujo(pipeline("p", step), { store, budget, models: source, ...world });
      const result = await flujo.run("Hello", { runId: "r" });
      return { result, journal: (await store.read("r", 0, 1_000)) ?? [] };
    },
    async stream(options = {}) {
      const { model } = await source.find(subject.model);
      // Every package under test speaks specification 4.
      const { stream } = await (model as LanguageModelV4).doStream({
        prompt: [{ role: "user", content: [{ type: "text", text: "Hello" }] }],
        maxOutputTokens: 100,
        ...options,
      });
      const parts: LanguageModelV4StreamPart[] = [];
      for await (const part of stream) {
        if (part.type === "error") throw part.error;
        parts.push(part);
      }
      return parts;
    },
  };
}

export interface Stage extends Player, AsyncDisposable {
  readonly server: WireServer;
}

/** The provider with a server of its own. */
export async function stage(
  subject: Subject,
  options: WireServerOptions = {},
  from: Prices = "declared",
): Promise<Stage> {
  const server = await wireServer(options);
  return {
    ...player(subject, server.origin, from),
    server,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** What was reserved for calls whose cost nobody knows, and so counts in full. */
export function inDoubt(journal: readonly Entry[]): bigint {
  return journal.reduce(
    (sum, entry) =>
      entry.type === "budget-settled" && entry.doubt ? sum + BigInt(entry.amount.picoUsd) : sum,
    0n,
  );
}
