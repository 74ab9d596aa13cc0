/** OpenAI's chat completions. */
import { type Asked, isRecord, numberIn, records, type Said, type Turn, textIn, type Wire } from "./asked.ts";

export const chatWire: Wire = {
  read(body): Asked {
    const format = isRecord(body.response_format) ? body.response_format : {};
    const schema = isRecord(format.json_schema) ? format.json_schema.schema : undefined;
    return {
      api: "chat",
      model: String(body.model),
      turns: records(body.messages).flatMap(turns),
      tools: records(body.tools).flatMap((tool) =>
        isRecord(tool.function) ? [callable(tool.function)] : [],
      ),
      schema: isRecord(schema) ? schema : format.type === "json_object" ? { type: "object" } : undefined,
      cap: numberIn(body.max_completion_tokens ?? body.max_tokens),
      stop:
        typeof body.stop === "string" ? [body.stop] : Array.isArray(body.stop) ? body.stop.map(String) : [],
      temperature: numberIn(body.temperature),
      topP: numberIn(body.top_p),
      seed: numberIn(body.seed),
      stream: body.stream === true,
    };
  },

  document(said) {
    const called = said.calls.length > 0;
    const message = {
      role: "assistant",
      content: called ? null : said.text,
      ...(called ? { tool_calls: callsOf(said) } : {}),
    };
    return {
      id: said.id,
      object: "chat.completion",
      created: 0,
      model: said.model,
      choices: [{ index: 0, message, finish_reason: said.finish }],
      usage: usageOf(said),
    };
  },

  opening: (id, model) => [chunk(id, model, { role: "assistant", content: "" })],
  delta: (id, model, text) => chunk(id, model, { content: text }),
  closing(said) {
    const { id, model } = said;
    const tool_calls = callsOf(said).map((call, index) => ({ index, ...call }));
    return [
      ...(tool_calls.length > 0 ? [chunk(id, model, { tool_calls })] : []),
      chunk(id, model, {}, said.finish),
      { ...chunk(id, model), choices: [], usage: usageOf(said) },
    ];
  },
  last: "[DONE]",
};

export const callable = (source: Record<string, unknown>) => ({
  name: String(source.name),
  description: String(source.description ?? ""),
  parameters: isRecord(source.parameters) ? source.parameters : { type: "object" },
});

function turns(message: Record<string, unknown>): Turn[] {
  const text = textIn(message.content);
  if (message.role === "tool") return [{ role: "result", text }];
  const calls = records(message.tool_calls).flatMap(({ function: called }): Turn[] =>
    isRecord(called)
      ? [{ role: "call", name: String(called.name), arguments: String(called.arguments) }]
      : [],
  );
  const role = message.role === "developer" ? "system" : message.role;
  if (role !== "system" && role !== "user" && role !== "assistant")
    throw new Error(`no message has the role ${String(message.role)}`);
  return [...(text === "" && calls.length > 0 ? [] : [{ role, text } as const]), ...calls];
}

const callsOf = (said: Said) =>
  said.calls.map(({ id, name, arguments: args }) => ({
    id,
    type: "function",
    function: { name, arguments: args },
  }));

const usageOf = ({ promptTokens, outputTokens }: Said) => ({
  prompt_tokens: promptTokens,
  completion_tokens: outputTokens,
  total_tokens: promptTokens + outputTokens,
});

const chunk = (id: string, model: string, delta: object = {}, finish: string | null = null) => ({
  id,
  object: "chat.completion.chunk",
  created: 0,
  model,
  choices: [{ index: 0, delta, finish_reason: finish }],
});
