/** OpenAI's Responses API. */
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

export const openaiResponses: WireFormat = {
  name: "openai",
  countsCacheWrites: true,
  read: (path, body) => (path.endsWith("/responses") ? asked(body) : undefined),
  document: (served) => ({ ...ending(served), output: items(served) }),
  frames(served) {
    const created = { ...head(served), status: "in_progress" };
    const type = served.end === "length" ? "response.incomplete" : "response.completed";
    return numbered([
      { type: "response.created", response: created },
      ...items(served).flatMap(itemEvents),
      { type, response: { ...ending(served), output: items(served) } },
    ]);
  },
  refusal: (status, message, retryAfter) => ({
    document: { error: { message, type: `http_${status}`, param: null, code: null } },
    ...retryHeader(retryAfter),
  }),
};

const asked = (body: Body) => ({
  model: String(body.model),
  stream: body.stream === true,
  streamUsage: true,
  text: textsIn(body.input, ["content", "text", "output"]),
  cap: numberOr(body.max_output_tokens),
  schema: at(body, "text", "format", "schema"),
  tools: listOf(body.tools).map((tool) => String(at(tool, "name"))),
});

const head = ({ index, asked }: Served) => ({
  id: `resp_${index}`,
  object: "response",
  created_at: 0,
  model: asked.model,
});

const ending = (served: Served) => ({
  ...head(served),
  status: served.end === "length" ? "incomplete" : "completed",
  incomplete_details: served.end === "length" ? { reason: "max_output_tokens" } : null,
  ...usage(served),
});

function usage({ counts }: Served) {
  if (counts === undefined) return {};
  return {
    usage: {
      input_tokens: counts.input,
      input_tokens_details: { cached_tokens: counts.cacheRead, cache_write_tokens: counts.cacheWrite },
      output_tokens: counts.output,
      output_tokens_details: { reasoning_tokens: counts.reasoning },
      total_tokens: counts.input + counts.output,
    },
  };
}

type Item = ReturnType<typeof items>[number];

function items({ index, thought, text, toolCalls }: Served) {
  const reasoning = { type: "reasoning" as const, id: `rs_${index}`, summary: [summary(thought)] };
  const message = {
    type: "message" as const,
    id: `msg_${index}`,
    role: "assistant",
    status: "completed",
    content: [{ type: "output_text", text, annotations: [] }],
  };
  const calls = toolCalls.map(({ name, input }, i) => ({
    type: "function_call" as const,
    id: `fc_${index}_${i}`,
    call_id: `call_${index}_${i}`,
    name,
    arguments: JSON.stringify(input),
    status: "completed",
  }));
  return [...(thought === "" ? [] : [reasoning]), ...(calls.length > 0 ? calls : [message])];
}

const summary = (text: string) => ({ type: "summary_text", text });

function itemEvents(item: Item, output_index: number): object[] {
  const { id: item_id } = item;
  const done = { type: "response.output_item.done", output_index, item };
  const added = (open: object) => ({ type: "response.output_item.added", output_index, item: open });
  const at = { item_id, output_index };
  switch (item.type) {
    case "message": {
      const [content] = item.content;
      return [
        added({ ...item, status: "in_progress", content: [] }),
        ...pieces(content?.text ?? "").map((delta) => ({
          type: "response.output_text.delta",
          ...at,
          content_index: 0,
          delta,
        })),
        done,
      ];
    }
    case "reasoning": {
      const [shown] = item.summary;
      const part = { ...at, summary_index: 0 };
      return [
        added({ ...item, summary: [] }),
        { type: "response.reasoning_summary_part.added", ...part, part: summary("") },
        ...pieces(shown?.text ?? "").map((delta) => ({
          type: "response.reasoning_summary_text.delta",
          ...part,
          delta,
        })),
        { type: "response.reasoning_summary_part.done", ...part, part: shown },
        done,
      ];
    }
    case "function_call":
      return [
        added({ ...item, status: "in_progress", arguments: "" }),
        ...pieces(item.arguments).map((delta) => ({
          type: "response.function_call_arguments.delta",
          ...at,
          delta,
        })),
        { type: "response.function_call_arguments.done", ...at, arguments: item.arguments },
        done,
      ];
  }
}

const numbered = (events: readonly object[]): Frame[] =>
  events.map((event, sequence_number) => ({
    event: String(at(event, "type")),
    data: { sequence_number, ...event },
  }));
