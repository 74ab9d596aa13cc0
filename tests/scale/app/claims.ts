/** What the workers of the chaos test do: a step, an agent, a person, a step. */
import { appendFileSync } from "node:fs";
import { agent, humanInTheLoop, pipeline, type StepContext, step } from "flujo";

/** What bodies have done, for the test to count. */
const note = (runId: string, what: string): void =>
  appendFileSync(process.env.LOG ?? "/dev/null", `${runId} ${what}\n`);

const read = step("read", (claim: number, { runId }: StepContext) => {
  note(runId, "read");
  return `claim ${claim}`;
});

const judge = agent("judge", {
  model: "openai:gpt-4o-mini",
  system: "Judge claims.",
  prompt: (claim: string) => `Judge ${claim}`,
  maxOutputTokens: 20,
}).retry({ attempts: 5 });

const ask = humanInTheLoop("ask", { prompt: (verdict: string) => `Shall it be paid? ${verdict}` });

const close = step(
  "close",
  ({ approved, note: why = "" }: { approved: boolean; note?: string }, { runId }) => {
    note(runId, "close");
    return `${approved ? "paid" : "refused"}: ${why}`;
  },
);

export default pipeline("claims", read.to(judge).to(ask).to(close));
