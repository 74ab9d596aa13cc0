/**
 * What must not compile. Each comment says where the error sits and words that its message has; `misuse.test.ts`
 * holds the compiler to both.
 */
import * as z from "zod";
import {
  agent,
  branchOn,
  Flujo,
  loopUntil,
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

const validate = step("validate", async (text: string) => text);
const half = step("half", (n: number) => n / 2);
const needsTotal = step(
  "needs-total",
  (n: number, ctx: StepContext<{ total: number }>) => n + ctx.state.total,
);
const summarise = agent("summarise", { model: "openai:gpt-4o-mini", system: "Summarise." });
const shown = step("shown", (n: number) => `${n}`);
const refund = step("refund", ({ output }: Undo<string, number>) => output);
const Title = z.object({ title: z.string() });

// @ts-expect-error on `half`: Type 'string' is not assignable to type 'number'
validate.to(half);

// @ts-expect-error on `half`: Type 'Undo<string, string>' is not assignable to type 'number'
validate.compensate(half);

// @ts-expect-error on `refund`: Type 'string' is not assignable to type 'number'
validate.compensate(refund);

// @ts-expect-error on `toFixed`: Property 'toFixed' does not exist on type 'string'
validate.compensate("refund", ({ output }) => output.toFixed(2));

// @ts-expect-error on `half.retry`: Type 'string' is not assignable to type 'number'
validate.to("shout", (text) => text.toUpperCase()).to(half.retry({ attempts: 2 }));

// @ts-expect-error on `onCut`: Type '"later"' is not assignable to type
agent("narrate", { model: "openai:gpt-4o-mini", system: "Narrate.", stream: true, onCut: "later" });

// @ts-expect-error on `toFixed`: Property 'toFixed' does not exist on type 'string'
validate.to("fix", (text) => text.toFixed(2));

// @ts-expect-error on `summarise`: Type 'number' is not assignable to type 'string'
half.to(summarise);

// @ts-expect-error on `(n: number)`: Type '"tiny"' is not assignable to type 'Awaitable<"big">'
branchOn("size", (n: number) => (n > 1 ? "big" : "tiny"), { big: half });

// @ts-expect-error on `text`: Type 'number' is not assignable to type 'string'
branchOn("size", (_: number) => "text" as const, { text: validate });

// @ts-expect-error on `half`: Type '{ one: number; two: string; }' is not assignable to type 'number'
parallel("both", { one: half, two: needsTotal.to(shown) }).to(half);

// @ts-expect-error on `validate`: Type 'number' is not assignable to type 'string'
half.fallback(validate);

// @ts-expect-error on `half.to`: Type 'string' is not assignable to type 'number'
loopUntil("changes-type", half.to(shown), { until: () => true, maxLoops: 3 });

// @ts-expect-error on `{ until`: Property 'maxLoops' is missing
loopUntil("forever", half, { until: (n: number) => n > 3 });

// @ts-expect-error on `mapOver("halves"`: Type 'string' is not assignable to type 'number'
mapOver("each", validate).to(mapOver("halves", half));

// @ts-expect-error on `state`: Property 'total' is missing
new Flujo(needsTotal, { state: () => ({}) });

// @ts-expect-error on `state`: Types of property 'total' are incompatible
pipeline("tally", needsTotal, { state: () => ({ total: "none" }) });

// @ts-expect-error on `budget`: Type '"0.15"' is not assignable to type
new Flujo(half, { budget: "0.15" });

// @ts-expect-error on `onLimit`: Type '"stop"' is not assignable to type
half.budget("$1", { onLimit: "stop" });

// @ts-expect-error on `time`: 'time' does not exist in type
new Flujo(half, { scopes: [{ scope: "day", time: "1h" }] });

// @ts-expect-error on `"60"`: '"60"' is not assignable to parameter of type '`${number}d`
half.timeout("60");

// @ts-expect-error on `"soon"`: '"soon"' is not assignable to parameter of type '`${number}d`
sleep("nap", "soon");

// @ts-expect-error on `{ backoff`: Property 'attempts' is missing
half.retry({ backoff: "1s" });

// @ts-expect-error on `totals`: 'totals' does not exist in type 'Partial<{ total: number; }>'
step("adds-a-field", (n: number, ctx: StepContext<{ total: number }>) => ctx.set({ totals: n }));

export function assigns(ctx: StepContext<{ total: number }>): void {
  // @ts-expect-error on `total`: Cannot assign to 'total' because it is a read-only property
  ctx.state.total = 1;
}

// @ts-expect-error on `halved`: Type 'number' is not assignable to type 'string'
export const halved: Step<number, string> = half;

// @ts-expect-error on `body`: Property 'body' does not exist on type '{ title: string; }'
agent("report", { model: "openai:gpt-4o", system: "Write.", output: Title }).to("read", (r) => r.body);

// @ts-expect-error on `"text"`: Argument of type 'string' is not assignable to parameter of type 'number'
new Flujo(half).run("text");

// @ts-expect-error on `"run-complete"`: Argument of type '"run-complete"' is not assignable to parameter of type
new Flujo(half).on("run-complete", () => {});

// @ts-expect-error on `error`: Property 'error' does not exist on type
new Flujo(half).on("run-completed", (event) => console.log(event.error));

// @ts-expect-error on `most`: Property 'most' does not exist on type
step("a", (n: number, c) => n > c.settings.most, { settings: { least: { type: "number", value: 1 } } });

// @ts-expect-error on `improve`: Type 'string' is not assignable to type 'false | ImproveTerms
agent("narrate", { model: "x:y", system: "Narrate.", improve: "all" });

export function charged(failure: unknown): unknown {
  // @ts-expect-error on `charge`: Property 'charge' does not exist on type 'TimeoutError'
  return TimeoutError.isInstance(failure) && failure.charge;
}
