/** What this machine's model is taken to cost: gpt-4o-mini's price, so that its budgets read as usual. */
const declared = {
  input: "$0.15",
  output: "$0.60",
  source: "declared by the bench",
  date: "2026-11-25",
} as const;

/** By the names the bench calls it by. The showcase asks for gpt-4o-mini, and gets SmolLM2. */
export const prices = {
  "openai:gpt-4o-mini": declared,
  "openai:smollm2": declared,
  "openai:smollm2-free": declared,
  "openai:smollm2-calls": declared,
};

/** The same, in pico-dollars a token: what the server's log is billed at. */
export const picoPrice = { input: 150_000n, output: 600_000n };
