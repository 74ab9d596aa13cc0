/**
 * The fetch that Google's providers are given. It bends two habits of Gemini to what the others do:
 *
 * - Gemini may end an answer at a limit of its own and offer to go on with it. The package then sends further requests
 *   inside the same call, each with the prompt and all that was written so far as input. One reservation covers one
 *   request, so no further one is sent: the answer ends there, as if at its cap.
 * - A refusal for calling too often says in its body how long to wait. Here it says so in the header as well.
 */
export const geminiFetch: typeof fetch = async (target, init) => {
  if (asksForMore(init?.body)) return theEnd(String(target).includes(":streamGenerateContent"));
  const response = await fetch(target, init);
  return response.status === 429 && !response.headers.has("retry-after") ? waiting(response) : response;
};

const field = "continuationToken";

function asksForMore(body: unknown): boolean {
  // Parsed only when the word occurs at all: prompts can be large.
  if (typeof body !== "string" || !body.includes(`"${field}"`)) return false;
  const request: unknown = JSON.parse(body);
  return typeof request === "object" && request !== null && field in request;
}

function theEnd(streamed: boolean): Response {
  const text = JSON.stringify({ candidates: [{ finishReason: "MAX_TOKENS" }] });
  return new Response(streamed ? `data: ${text}\n\n` : text, {
    headers: { "content-type": streamed ? "text/event-stream" : "application/json" },
  });
}

async function waiting(response: Response): Promise<Response> {
  const { status, statusText } = response;
  const text = await response.text();
  const seconds = /"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"/.exec(text)?.[1];
  const type = response.headers.get("content-type") ?? "application/json";
  const headers = { "content-type": type, ...(seconds === undefined ? {} : { "retry-after": seconds }) };
  return new Response(text, { status, statusText, headers });
}
