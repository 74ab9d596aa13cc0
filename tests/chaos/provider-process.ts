/** Serves OpenAI's wire format until its parent lets go of it. */
import { openaiServer } from "../../src/testing/openai-server.ts";
import { analystSays } from "./pipelines.ts";
import type { Meter } from "./provider.ts";

const answer = "A sentence that says what the text says, and is as long as sentences are. ".repeat(3);
const server = await openaiServer({
  reply: ({ body }) => (body.tools === undefined ? answer : analystSays(answersIn(body.messages))),
  latencyMs: () => 5 + Math.random() * 25,
});

function answersIn(messages: unknown): number {
  return Array.isArray(messages) ? messages.filter(({ role }) => role === "assistant").length : 0;
}

process.on("message", () => {
  const meter: Meter = {
    picoUsd: server.billedPicoUsd,
    texts: server.requests.map(({ text }) => text),
    bodies: server.requests.map(({ body }) => body),
  };
  process.send?.(meter);
});
process.once("disconnect", () => void server.close());
process.send?.(server.url);
