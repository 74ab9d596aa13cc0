/** Answers in OpenAI's wire format: one document, or the same as a list of events. */

/** What is answered, and what it counts. */
export interface Served {
  readonly request: { readonly index: number; readonly api: "chat" | "responses"; readonly model: string };
  readonly text: string;
  readonly toolCalls: readonly { readonly name: string; readonly input: object }[];
  readonly cut: boolean;
  readonly counts: {
    readonly input: number;
    readonly cached: number;
    readonly output: number;
    readonly reasoning: number;
  };
}

/** @param pieces the text, as it is streamed. */
export function inWire(
  served: Served,
  pieces: readonly string[],
  hasUsage: boolean,
): { readonly document: object; readonly events: readonly object[] } {
  if (served.request.api === "chat") {
    const document = chatDocument(served, hasUsage);
    return { document, events: chatEvents(document, pieces) };
  }
  const document = responsesDocument(served, hasUsage);
  return { document, events: responsesEvents(document, pieces) };
}

function chatDocument({ request, text, toolCalls, cut, counts }: Served, hasUsage: boolean) {
  const tool_calls = toolCalls.map(({ name, input }, i) => ({
    id: `call_${request.index}_${i}`,
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  }));
  const called = tool_calls.length > 0;
  const usage = {
    prompt_tokens: counts.input,
    completion_tokens: counts.output,
    total_tokens: counts.input + counts.output,
    prompt_tokens_details: { cached_tokens: counts.cached },
    completion_tokens_details: { reasoning_tokens: counts.reasoning },
  };
  const message = { role: "assistant", content: called ? null : text, ...(called ? { tool_calls } : {}) };
  return {
    id: `chatcmpl-${request.index}`,
    object: "chat.completion",
    created: 0,
    model: request.model,
    choices: [{ index: 0, message, finish_reason: cut ? "length" : called ? "tool_calls" : "stop" }],
    usage: hasUsage ? usage : undefined,
  };
}

function responsesDocument({ request, text, toolCalls, cut, counts }: Served, hasUsage: boolean) {
  const message = {
    type: "message",
    id: `msg_${request.index}`,
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text, annotations: [] }],
  };
  const calls = toolCalls.map(({ name, input }, i) => ({
    type: "function_call",
    id: `fc_${request.index}_${i}`,
    call_id: `call_${request.index}_${i}`,
    name,
    arguments: JSON.stringify(input),
    status: "completed",
  }));
  const usage = {
    input_tokens: counts.input,
    input_tokens_details: { cached_tokens: counts.cached },
    output_tokens: counts.output,
    output_tokens_details: { reasoning_tokens: counts.reasoning },
    total_tokens: counts.input + counts.output,
  };
  return {
    id: `resp_${request.index}`,
    object: "response",
    created_at: 0,
    status: cut ? "incomplete" : "completed",
    model: request.model,
    output: calls.length > 0 ? calls : [message],
    incomplete_details: cut ? { reason: "max_output_tokens" } : null,
    usage: hasUsage ? usage : undefined,
  };
}

/** The same answer as chunks: its text in pieces, each tool call in two. */
function chatEvents(
  { choices: [choice], usage, ...rest }: ChatDocument,
  pieces: readonly string[],
): object[] {
  const { message, finish_reason } = choice as ChatDocument["choices"][number]; // there is one
  const base = { ...rest, object: "chat.completion.chunk" };
  const chunk = (delta: object, finish: string | null = null): object => ({
    ...base,
    choices: [{ index: 0, delta, finish_reason: finish }],
  });
  const calls = (message.tool_calls ?? []).flatMap(({ function: { name, arguments: all }, ...call }, index) =>
    [
      { index, ...call, function: { name, arguments: all.slice(0, 5) } },
      { index, function: { arguments: all.slice(5) } },
    ].map((part) => chunk({ tool_calls: [part] })),
  );
  const texts = message.content === null ? [] : pieces.map((content) => chunk({ content }));
  const end = usage === undefined ? [] : [{ ...base, choices: [], usage }];
  return [chunk({ role: "assistant", content: "" }), ...texts, ...calls, chunk({}, finish_reason), ...end];
}

function responsesEvents(document: ResponsesDocument, pieces: readonly string[]): object[] {
  const items = document.output.flatMap((item, output_index): object[] => {
    const at = { item_id: item.id, output_index };
    const deltas =
      "arguments" in item
        ? [item.arguments.slice(0, 5), item.arguments.slice(5)].map((delta) => ({
            type: "response.function_call_arguments.delta",
            ...at,
            delta,
          }))
        : pieces.map((delta) => ({ type: "response.output_text.delta", ...at, content_index: 0, delta }));
    const begun = "arguments" in item ? { ...item, arguments: "" } : { ...item, content: [] };
    return [
      { type: "response.output_item.added", output_index, item: begun },
      ...deltas,
      { type: "response.output_item.done", output_index, item },
    ];
  });
  return [
    { type: "response.created", response: { ...document, output: [], usage: null } },
    ...items,
    { type: `response.${document.status}`, response: document },
  ];
}

type ChatDocument = ReturnType<typeof chatDocument>;
type ResponsesDocument = ReturnType<typeof responsesDocument>;
