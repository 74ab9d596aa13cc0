/** OpenAI's Responses API. */
import { type Asked, isRecord, numberIn, records, type Said, type Turn, textIn, type Wire } from "./asked.ts";
import { callable } from "./chat-wire.ts";

export const responsesWire: Wire = {
  read(body): Asked {
    const format = isRecord(body.text) && isRecord(body.text.format) ? body.text.format : {};
    const instructions: Turn[] =
      typeof body.instructions === "string" ? [{ role: "system", text: body.instructions }] : [];
    const input: Turn[] =
      typeof body.input === "string" ? [{ role: "user", text: body.input }] : records(body.input).map(turn);
    return {
      api: "responses",
      model: String(body.model),
      turns: [...instructions, ...input],
      tools: records(body.tools).map(callable),
      schema: isRecord(format.schema)
        ? format.schema
        : format.type === "json_object"
          ? { type: "object" }
          : undefined,
      cap: numberIn(body.max_output_tokens),
      stop: [],
      temperature: numberIn(body.temperature),
      topP: numberIn(body.top_p),
      seed: undefined,
      stream: body.stream === true,
    };
  },

  document: response,

  opening: (id, model) => [
    { type: "response.created", response: { id, object: "response", created_at: 0, model } },
  ],
  firstDelta: (id) => ({
    type: "response.output_item.added",
    output_index: 0,
    item: { type: "message", id: itemOf(id), status: "in_progress", role: "assistant", content: [] },
  }),
  delta: (id, _, text) => ({
    type: "response.output_text.delta",
    item_id: itemOf(id),
    output_index: 0,
    delta: text,
  }),
  closing(said) {
    const items = outputOf(said).map((item, output_index) => ({
      type: "response.output_item.done",
      output_index,
      item,
    }));
    const type = said.finish === "length" ? "response.incomplete" : "response.completed";
    return [...items, { type, response: response(said) }];
  },
};

const itemOf = (id: string) => `msg_${id}`;

function turn(item: Record<string, unknown>): Turn {
  if (item.type === "function_call")
    return { role: "call", name: String(item.name), arguments: String(item.arguments) };
  if (item.type === "function_call_output") return { role: "result", text: textIn(item.output) };
  const role = item.role === "developer" ? "system" : item.role;
  if (role !== "system" && role !== "user" && role !== "assistant")
    throw new Error(
      `an input item of type ${String(item.type)} and role ${String(item.role)} is not understood`,
    );
  return { role, text: textIn(item.content) };
}

function outputOf(said: Said): object[] {
  if (said.calls.length > 0) {
    return said.calls.map((call) => ({
      type: "function_call",
      id: `fc_${call.id}`,
      call_id: call.id,
      name: call.name,
      arguments: call.arguments,
      status: "completed",
    }));
  }
  const content = [{ type: "output_text", text: said.text, annotations: [] }];
  return [{ type: "message", id: itemOf(said.id), role: "assistant", status: "completed", content }];
}

function response(said: Said): object {
  const cut = said.finish === "length";
  return {
    id: said.id,
    object: "response",
    created_at: 0,
    status: cut ? "incomplete" : "completed",
    model: said.model,
    output: outputOf(said),
    incomplete_details: cut ? { reason: "max_output_tokens" } : null,
    usage: {
      input_tokens: said.promptTokens,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: said.outputTokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: said.promptTokens + said.outputTokens,
    },
  };
}
