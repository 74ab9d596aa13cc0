/** Small pipelines of the browser tests, one for each thing that is looked at. */
import { agent, humanInTheLoop, mapOver, pipeline, step } from "flujo";
import * as z from "zod";

export const hello = pipeline(
  "hello",
  step("greet", (name: string) => `Hello, ${name}!`),
  { input: z.string() },
);

export const payout = pipeline(
  "payout",
  humanInTheLoop("approve", { prompt: (order: string) => `Pay $120 for ${order}?`, assignees: ["ana"] }).to(
    "pay",
    ({ approved }) => (approved ? "paid" : "not paid"),
  ),
  { input: z.string() },
);

/** What a hostile model or user may put into names and texts. */
const hostile = `<img src=x onerror="document.title='owned'"><script>document.title="owned"</script>`;

export const script = pipeline(
  "script",
  mapOver(
    "each",
    step(hostile.replaceAll("/", "|"), (text: string) => text),
    { key: (text) => text },
  )
    .to("join", (all) => all.join(""))
    .to(humanInTheLoop("ask", { prompt: (text: string) => text, context: (text) => ({ [text]: text }) })),
  { input: z.array(z.string()) },
);

export const ask = pipeline(
  "ask",
  agent("answer", { model: "openai:gpt-4o-mini", system: "Answer.", stream: true, maxOutputTokens: 400 }),
  {
    input: z.string(),
  },
);

export const failing = pipeline(
  "failing",
  step("read", () => "text").to(
    step("parse", () => {
      throw new Error("line 3 is no number");
    }).retry({ attempts: 2, backoff: "5ms" }),
  ),
);

/** Costs too small for a float to add to others. */
export const paid = pipeline(
  "paid",
  step("buy", (_: number, ctx) => ctx.spend("a", "$0.000000000001", () => 1)).to("more", (_, ctx) =>
    ctx.spend("b", "$1234567.000000000001", () => 2),
  ),
  { input: z.number() },
);

/** As many items as its input says. */
export const wide = pipeline(
  "wide",
  mapOver(
    "items",
    step("twice", (n: number) => n * 2),
    {
      over: (count: number) => Array.from({ length: count }, (_, i) => i),
      concurrency: 256,
    },
  ).to("count", (all) => all.length),
  { input: z.number() },
);
