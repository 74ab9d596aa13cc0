/** Anthropic's Messages API. Its input count leaves out what a cache was read or written for. */
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

export const anthropicMessages: WireFormat = {
  name: "anthropic",
  countsCacheWrites: true,
  read: (path, body) => (path.endsWith("/messages") ? asked(body) : undefined),
  document: (served) => ({
    ...head(served),
    content: blocks(served),
    stop_reason: stopReason(served),
    stop_sequence: null,
    ...usage(served),
  }),
  frames(served) {
    const events = [
      {
        type: "message_start",
        message: { ...head(served), content: [], stop_reason: null, ...usage(served, 1) },
      },
      ...blocks(served).flatMap(blockEvents),
      {
        type: "message_delta",
        delta: { stop_reason: stopReason(served), stop_sequence: null },
        ...usage(served),
      },
      { type: "message_stop" },
    ];
    return events.map((data): Frame => ({ event: data.type, data }));
  },
  refusal: (status, message, retryAfter) => ({
    document: { type: "error", error: { type: `http_${status}`, message } },
    ...retryHeader(retryAfter),
  }),
};

const asked = (body: Body) => ({
  model: String(body.model),
  stream: body.stream === true,
  streamUsage: true,
  text: textsIn([body.system, body.messages], ["content", "text"]),
  cap: numberOr(body.max_tokens),
  schema: at(body, "output_config", "format", "schema") ?? at(jsonTool(body), "input_schema"),
  tools: listOf(body.tools).map((tool) => String(at(tool, "name"))),
});

/** Older models are made to answer in JSON by a tool they must call. */
const jsonTool = (body: Body): unknown =>
  at(body, "output_config", "format") === undefined
    ? listOf(body.tools).find((tool) => at(tool, "name") === jsonToolName)
    : undefined;
const jsonToolName = "json";

const head = ({ index, asked }: Served) => ({
  id: `msg_${index}`,
  type: "message",
  role: "assistant",
  model: asked.model,
});

const stopReason = ({ end }: Served) => ({ stop: "end_turn", length: "max_tokens", tools: "tool_use" })[end];

/** `written`: output tokens so far, where the count is not final yet. */
function usage({ counts }: Served, written?: number) {
  if (counts === undefined) return {};
  return {
    usage: {
      input_tokens: counts.input - counts.cacheRead - counts.cacheWrite,
      cache_read_input_tokens: counts.cacheRead,
      cache_creation_input_tokens: counts.cacheWrite,
      cache_creation: { ephemeral_5m_input_tokens: counts.cacheWrite, ephemeral_1h_input_tokens: 0 },
      output_tokens: written ?? counts.output,
      ...(written === undefined ? { output_tokens_details: { thinking_tokens: counts.reasoning } } : {}),
    },
  };
}

type Block =
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: object };

function blocks({ index, asked, thought, text, toolCalls }: Served): Block[] {
  const answered = asked.tools.includes(jsonToolName)
    ? [{ name: jsonToolName, input: JSON.parse(text) as object }]
    : toolCalls;
  const calls = answered.map(
    ({ name, input }, i): Block => ({ type: "tool_use", id: `toolu_${index}_${i}`, name, input }),
  );
  const thinking: Block = { type: "thinking", thinking: thought, signature: `signed-${index}` };
  return [
    ...(thought === "" ? [] : [thinking]),
    ...(calls.length > 0 ? calls : [{ type: "text" as const, text }]),
  ];
}

function blockEvents(block: Block, index: number) {
  const delta = (one: object) => ({ type: "content_block_delta", index, delta: one });
  const open = (content_block: object) => ({ type: "content_block_start", index, content_block });
  const stop = { type: "content_block_stop", index };
  switch (block.type) {
    case "thinking": {
      const { thinking, signature } = block;
      const shown = pieces(thinking).map((part) => delta({ type: "thinking_delta", thinking: part }));
      return [
        open({ type: "thinking", thinking: "", signature: "" }),
        ...shown,
        delta({ type: "signature_delta", signature }),
        stop,
      ];
    }
    case "text":
      return [
        open({ type: "text", text: "" }),
        ...pieces(block.text).map((text) => delta({ type: "text_delta", text })),
        stop,
      ];
    case "tool_use":
      return [
        open({ ...block, input: {} }),
        ...pieces(JSON.stringify(block.input)).map((partial_json) =>
          delta({ type: "input_json_delta", partial_json }),
        ),
        stop,
      ];
  }
}
