/** What must compile, and what must be inferred: each `ok<Eq<…>>()` is an error when the two types differ. */

import { generateText } from "ai";
import { type } from "arktype";
import * as v from "valibot";
import * as z from "zod";
import {
  agent,
  BudgetExceededError,
  branchOn,
  Flujo,
  type FlujoError,
  humanInTheLoop,
  LeaseHeldError,
  loopUntil,
  ModelCallError,
  mapOver,
  parallel,
  pipeline,
  type Step,
  type StepContext,
  sleep,
  step,
  TimeoutError,
  type Undo,
} from "../../src/index.ts";

type Eq<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const ok = <_ extends true>() => {};

interface Market {
  companies: string[];
  findings: Record<string, string>;
}
declare function lookUp(company: string, signal: AbortSignal): Promise<number>;

const fetchFinancials = step("fetch", async (company: string, ctx: StepContext<Market>) => {
  const revenue = await ctx.run("revenue", (signal) => lookUp(company, signal));
  ctx.set({ findings: { ...ctx.state.findings, [company]: `${revenue}` } });
  ctx.update("companies", (companies) => [...companies, company]);
  await ctx.sleep("politeness", "100ms");
  const text = await ctx.generate("aside", { model: "openai:gpt-4o-mini", prompt: company });
  ok<Eq<typeof text, string>>();
  const rates = await ctx.spend("rates", "$0.01", ({ costs }) => {
    costs("$0.005");
    return [1, 2];
  });
  ok<Eq<typeof rates, number[]>>();
  const reported = await ctx.spend("courier", "$4.50");
  ok<Eq<typeof reported, void>>();
  const guess = await ctx.generate("guess", { model: "openai:gpt-4o-mini", prompt: company, output: Guess });
  ok<Eq<typeof guess, { billions: number }>>();
  const slow = await ctx.generate("slow", {
    model: "openai:gpt-4o-mini",
    prompt: company,
    stream: true,
    onCut: "continue",
  });
  ok<Eq<typeof slow, string>>();
  const { text: said } = await generateText({ model: ctx.model("openai:gpt-4o-mini"), prompt: company });
  ok<Eq<typeof said, string>>();
  return `${company}: Q3 revenue was $${revenue}B`;
});
const charged = step("charge", (order: string) => ({ receipt: order.length }));
const refunded = charged
  .compensate("refund", ({ input, output, reason }) => {
    ok<Eq<typeof input, string>>();
    ok<Eq<typeof output, { receipt: number }>>();
    ok<Eq<typeof reason.code, string>>();
  })
  .to("next", ({ receipt }) => receipt);
ok<Eq<typeof refunded, Step<string, number, unknown>>>();
const noted = step("noted", (_: Undo<string, unknown>, ctx: StepContext<Market>) => ctx.state.companies);
const withState = charged.compensate(noted.retry({ attempts: 3 }));
ok<Eq<typeof withState, Step<string, { receipt: number }, Market>>>();

const Guess = z.object({ billions: z.number() });
ok<Eq<typeof fetchFinancials, Step<string, string, Market>>>();

const summarise = agent("summarise", { model: "openai:gpt-4o-mini", system: "Summarise in one sentence." });
ok<Eq<typeof summarise, Step<string, string>>>();

const Report = z.object({ title: z.string(), body: z.string(), ready: z.boolean() });
const report = agent("report", {
  model: "openai:gpt-4o",
  system: "Write a report.",
  prompt: (lines: string[]) => lines.join("\n"),
  output: Report,
});
ok<Eq<typeof report, Step<string[], z.infer<typeof Report>>>>();

const analyseOne = fetchFinancials.to(
  summarise
    .retry({ attempts: 3, backoff: "1s", factor: 2, jitter: true })
    .timeout("60s")
    .cached({ ttl: "1d" }),
);
const revise = step("revise", (r: z.infer<typeof Report>) => ({ ...r, ready: true }));

export default pipeline(
  "q3-report",
  mapOver("analyse-all", analyseOne, { concurrency: 4, key: (company) => company })
    .to(report.budget("$0.05"))
    .to(loopUntil("refine", revise, { until: (r) => r.ready, maxLoops: 3, onMaxLoops: "last" }))
    .to("decide", (r) => r)
    .to(sleep("breathe", "1s"))
    .to(
      parallel("both", {
        sign: humanInTheLoop("sign-off", { prompt: (r: { title: string }) => `Publish ${r.title}?` }),
        words: step("words", (r: { body: string }) => r.body.length),
      }),
    )
    .to(
      branchOn("publish?", (b) => (b.sign.approved ? "yes" : "no"), {
        yes: step("post", (b: { words: number }) => `posted ${b.words}`),
        no: step("drop", () => null),
      }),
    ),
  { version: "1", state: () => ({ companies: [], findings: {} }) },
);

const half = step("half", (n: number) => n / 2);

// Qualifiers keep the types; a fallback and a validation change the output alone.
ok<Eq<typeof analyseOne, Step<string, string, Market>>>();
const either = half.fallback(step("zero", (_: number) => null));
ok<Eq<typeof either, Step<number, number | null>>>();
const checked = half.validate((n) => n > 0 || "must be positive");
ok<Eq<typeof checked, Step<number, number>>>();
half.budget({ cost: "$0.10", tokens: 10_000, calls: 3, time: "5m" });

// Schemas of any Standard Schema library.
const byValibot = agent("v", { model: "openai:gpt-4o", system: "…", output: v.object({ n: v.number() }) });
ok<Eq<typeof byValibot, Step<string, { n: number }>>>();
const byArkType = agent("a", { model: "openai:gpt-4o", system: "…", output: type({ n: "number" }) });
ok<Eq<typeof byArkType, Step<string, { n: number }>>>();
pipeline("typed-input", half, { input: z.number().min(1) });

// Containers.
const both = parallel("both", { n: step("n", (s: string) => s.length), s: summarise });
ok<Eq<typeof both, Step<string, { n: number; s: string }>>>();
const all = mapOver("all", analyseOne);
ok<Eq<typeof all, Step<readonly string[], string[], Market>>>();
const collected = mapOver("collected", half, { onFailure: "collect" });
collected.to("count", (results) => results.filter((result) => result.ok).map((result) => result.value + 1));
const chosen = mapOver("chosen", analyseOne, { over: (_: null, state) => state.companies });
ok<Eq<typeof chosen, Step<null, string[], Market>>>();
const route = branchOn("route", (n: number) => (n > 1 ? "big" : "small"), {
  big: step("b", (n: number) => n),
  small: step("s", (n: number) => `${n}`),
});
ok<Eq<typeof route, Step<number, number | string>>>();
const open = branchOn(
  "open",
  (n: number) => `${n}`,
  { 1: half },
  { otherwise: step("other", (_: number) => "?") },
);
ok<Eq<typeof open, Step<number, number | string>>>();
const answered = humanInTheLoop("ask", {
  prompt: (n: number) => `${n}?`,
  answer: z.object({ amount: z.number() }),
});
ok<Eq<typeof answered, Step<number, { amount: number }>>>();
const nested = pipeline("inner", half).to(half);
ok<Eq<typeof nested, Step<number, number>>>();

// Settings have the types they declare.
const routed = step(
  "route",
  (score: number, { settings }) => {
    ok<
      Eq<typeof settings, { readonly least: number; readonly name: string; readonly mode: "fast" | "slow" }>
    >();
    return score >= settings.least ? settings.mode : settings.name.length;
  },
  {
    settings: {
      least: { type: "integer", value: 2, min: 0, max: 9, mayChange: true },
      name: { type: "text", value: "clerk" },
      mode: { type: "choice", value: "fast", choices: ["fast", "slow"] },
    },
  },
);
ok<Eq<typeof routed, Step<number, number | "fast" | "slow">>>();
const split = branchOn(
  "split",
  (n: number, { settings }: { readonly settings: { readonly least: number } }) =>
    n > settings.least ? "high" : "low",
  { high: half, low: step("low", (_: number) => "low") },
  { settings: { least: { type: "number", value: 0.5 } } },
);
ok<Eq<typeof split, Step<number, number | string>>>();
half.to(
  branchOn(
    "within",
    (n, { settings }) => (n > settings.least ? "high" : "low"),
    { high: half, low: half },
    { settings: { least: { type: "number", value: 0.5 } } },
  ),
);
const looped = loopUntil("looped", half, {
  until: (n, { settings }) => n < settings.enough,
  settings: { enough: { type: "number", value: 1 } },
  maxLoops: 9,
});
ok<Eq<typeof looped, Step<number, number>>>();

// Two states a pipeline needs are both needed.
const needsBoth = fetchFinancials.to(
  step("note", (s: string, ctx: StepContext<{ notes: string[] }>) => ctx.state.notes.length + s.length),
);
ok<Eq<typeof needsBoth, Step<string, number, Market & { notes: string[] }>>>();

// A class of errors asks for itself; what is not of it may still be of another.
declare const thrown: FlujoError;
if (TimeoutError.isInstance(thrown)) ok<Eq<typeof thrown.code, "timeout">>();
else if (LeaseHeldError.isInstance(thrown)) ok<Eq<typeof thrown, LeaseHeldError>>();
else ok<Eq<typeof thrown, FlujoError>>();

export async function main() {
  await using flujo = new Flujo(all.to(report), {
    budget: "$0.15",
    state: () => ({ companies: [], findings: {} }),
  });
  const run = flujo.start(["Alpha", "Beta"], { runId: "q3-2025" });
  for await (const event of run.events) {
    if (event.type === "budget-settled") console.log(event.picoUsd + 1n, event.path);
  }
  for await (const event of flujo.events("q3-2025", { from: 12 })) {
    if (event.type === "text-streamed") console.log(event.seq + 1, event.chunks.join(""), event.kind);
  }
  const result = await run.result();
  if (result.status === "completed") {
    ok<Eq<typeof result.output, z.infer<typeof Report>>>();
    return result.output.title;
  }
  if (result.status === "waiting") return result.signals;
  if (TimeoutError.isInstance(result.error)) ok<Eq<typeof result.error, TimeoutError>>();
  else if (BudgetExceededError.isInstance(result.error)) return result.error.exceeded?.scope;
  else if (ModelCallError.isInstance(result.error)) return result.error.charge;
  return result.error.code;
}
