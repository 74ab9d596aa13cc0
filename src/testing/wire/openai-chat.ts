/** OpenAI's chat completions, which Ollama and most other servers speak as well. */
import {
  at,
  type Body,
  type Frame,
  listOf,
  numberOr,
  pieces,
  retryHeader,
  type Served,
  textsIn,
  type WireFormat,
} from "./format.ts";

export const openaiChat: WireFormat = {
  name: "openai.chat",
  countsCacheWrites: false,
  read: (path, body) => (path.endsWith("/chat/completions") ? asked(body) : undefined),
  document(served) {
    const message = { role: "assistant", content: served.text, ...thought(served), ...calls(served) };
    const choice = { index: 0, message, finish_reason: finish[served.end] };
    return { ...head(served, "chat.completion"), choices: [choice], ...usage(served) };
  },
  frames: (served) => [...frames(served), { data: "[DONE]" }],
  refusal: (status, message, retryAfter) => ({
    document: { error: { message, type: `http_${status}`, param: null, code: null } },
    ...retryHeader(retryAfter),
  }),
};

const asked = (body: Body) => ({
  model: String(body.model),
  stream: body.stream === true,
  streamUsage: at(body, "stream_options", "include_usage") === true,
  text: textsIn(body.messages, ["content", "text"]),
  cap: numberOr(body.max_completion_tokens ?? body.max_tokens),
  schema: at(body, "response_format", "json_schema", "schema"),
  tools: listOf(body.tools).map((tool) => String(at(tool, "function", "name"))),
});

const finish = { stop: "stop", length: "length", tools: "tool_calls" } as const;

const head = ({ index, asked }: Served, object: string) => ({
  id: `chatcmpl-${index}`,
  object,
  created: 0,
  model: asked.model,
});

/** OpenAI shows no thoughts here; the servers that do put them into this field. */
const thought = (served: Served) => (served.thought === "" ? {} : { reasoning_content: served.thought });

function calls({ toolCalls, index }: Served) {
  if (toolCalls.length === 0) return {};
  const tool_calls = toolCalls.map(({ name, input }, i) => ({
    index: i,
    id: `call_${index}_${i}`,
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  }));
  return { tool_calls };
}

function usage({ counts }: Served) {
  if (counts === undefined) return {};
  return {
    usage: {
      prompt_tokens: counts.input,
      completion_tokens: counts.output,
      total_tokens: counts.input + counts.output,
      prompt_tokens_details: { cached_tokens: counts.cacheRead },
      completion_tokens_details: { reasoning_tokens: counts.reasoning },
    },
  };
}

/** The usage comes in a frame of its own, after the last choice, and only when it is asked for. */
function frames(served: Served): Frame[] {
  const chunk = (delta: object, finish_reason: string | null = null): Frame => ({
    data: {
      ...head(served, "chat.completion.chunk"),
      choices: [{ index: 0, delta, finish_reason }],
    },
  });
  const { tool_calls = [] } = calls(served);
  return [
    chunk({ role: "assistant", content: "" }),
    ...pieces(served.thought).map((reasoning_content) => chunk({ reasoning_content })),
    ...pieces(served.text).map((content) => chunk({ content })),
    ...tool_calls.flatMap((call) => [
      chunk({ tool_calls: [{ ...call, function: { ...call.function, arguments: "" } }] }),
      ...pieces(call.function.arguments).map((part) =>
        chunk({ tool_calls: [{ index: call.index, function: { arguments: part } }] }),
      ),
    ]),
    chunk({}, finish[served.end]),
    ...(served.asked.streamUsage
      ? [{ data: { ...head(served, "chat.completion.chunk"), choices: [], ...usage(served) } }]
      : []),
  ];
}
