/** What the browser tests look at: every kind of place, a person in the middle, a paid model. */
import {
  agent,
  branchOn,
  humanInTheLoop,
  loopUntil,
  mapOver,
  parallel,
  pipeline,
  type StepContext,
  step,
  tool,
} from "flujo";
import * as z from "zod";

const model = "openai:gpt-4o-mini";

interface Notes {
  readonly findings: { readonly [company: string]: string };
}

const lookUp = tool("figures", {
  description: "The figures of a company's last quarter",
  input: z.object({ company: z.string() }),
  price: "$0.0005",
  execute: async ({ company }) => ({ company, revenue: company.length * 1_000, growth: "4 %" }),
});

const fetchFiling = step("fetch filing", (company: string, ctx: StepContext<Notes>) =>
  ctx.run("get", () => `${company} filed its quarterly report. Revenue grew.`),
);

const summarise = agent("summarise", {
  model,
  system: "You are a financial analyst. Say in one sentence what matters. Look the figures up.",
  tools: [lookUp],
  maxOutputTokens: 200,
}).retry({ attempts: 3, backoff: "10ms" });

const note = step("note", (summary: string, ctx: StepContext<Notes>) => {
  ctx.set({ findings: { ...ctx.state.findings, [ctx.path]: summary } });
  return summary;
});

const draft = step("draft", (summaries: readonly string[]) => summaries.join("\n"));

const checks = parallel("checks", {
  tone: agent("judge tone", { model, system: "Is the tone sober?", maxOutputTokens: 60 }),
  length: step("count words", (text: string) => text.split(" ").length),
});

const size = branchOn(
  "size",
  ({ length }: { tone: string; length: number }) => (length > 1_000 ? "long" : "short"),
  {
    short: step("keep", ({ tone }: { tone: string; length: number }) => tone),
    long: step("cut", ({ tone }: { tone: string; length: number }) => tone.slice(0, 1_000)),
  },
);

const refine = loopUntil(
  "refine",
  agent("rewrite", { model, system: "Rewrite it shorter.", maxOutputTokens: 80 }),
  {
    until: (_, { count }) => count >= 2,
    maxLoops: 3,
  },
);

const publish = humanInTheLoop("publish", {
  prompt: (text: string) => `Publish the report?\n\n${text}`,
  context: (text) => ({ words: text.split(" ").length, audience: "investors" }),
  assignees: ["ana", "team:finance"],
  timeout: "2d",
  answer: z.object({
    verdict: z.enum(["publish", "hold back"]).describe("What is to become of it"),
    headline: z.string().max(80),
    priority: z.number().int().min(1).max(5),
    urgent: z.boolean(),
  }),
});

const post = step(
  "post",
  (answer: { verdict: string; headline: string }) => `${answer.verdict}: ${answer.headline}`,
).fallback(step("queue", (answer: { headline: string }) => `queued: ${answer.headline}`));

export default pipeline(
  "quarterly",
  mapOver("companies", fetchFiling.to(summarise).to(note), { concurrency: 2 })
    .to(draft)
    .to(checks)
    .to(size)
    .to(refine)
    .to(publish)
    .to(post),
  { input: z.array(z.string()), state: (): Notes => ({ findings: {} }) },
);
