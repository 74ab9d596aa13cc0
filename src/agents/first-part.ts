/**
 * The fetch that Google's providers are given. Gemini may end an answer at a limit of its own and offer to go on with it;
 * the package then sends further requests inside the same call, each with the prompt and all that was written so far
 * as input. One reservation covers one request, so no further one is sent: the answer ends there, as if at its cap.
 */
export const firstPart: typeof fetch = async (target, init) => {
  if (!asksForMore(init?.body)) return fetch(target, init);
  const text = JSON.stringify({ candidates: [{ finishReason: "MAX_TOKENS" }] });
  const streamed = String(target).includes(":streamGenerateContent");
  return new Response(streamed ? `data: ${text}\n\n` : text, {
    headers: { "content-type": streamed ? "text/event-stream" : "application/json" },
  });
};

const field = "continuationToken";

function asksForMore(body: unknown): boolean {
  // Parsed only when the word occurs at all: prompts can be large.
  if (typeof body !== "string" || !body.includes(`"${field}"`)) return false;
  const request: unknown = JSON.parse(body);
  return typeof request === "object" && request !== null && field in request;
}
