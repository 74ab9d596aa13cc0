/** A conversation as the text the model was trained on (ChatML), and its answer read back. */
import type { Asked, Call, Callable, Turn } from "./asked.ts";

/** A piece of the prompt. Only marks are read as special tokens: what a user writes cannot open a turn. */
export interface Piece {
  readonly text: string;
  readonly mark: boolean;
}

const open: Piece = { text: "<|im_start|>", mark: true };
const close: Piece = { text: "<|im_end|>", mark: true };
const plain = (text: string): Piece => ({ text, mark: false });

/** What the model's own template says where nobody says anything. */
const ownSystem = "You are a helpful AI assistant named SmolLM, trained by Hugging Face";

export function prompt(asked: Pick<Asked, "turns" | "tools" | "schema">): Piece[] {
  const said = asked.turns.flatMap((turn) => (turn.role === "system" ? turn.text : []));
  const system = [
    ...(said.length > 0 ? said : [ownSystem]),
    ...(asked.tools.length > 0 ? [toolInstructions(asked.tools)] : []),
    ...(asked.schema === undefined ? [] : [schemaInstructions(asked.schema)]),
  ].join("\n\n");
  const turns = asked.turns.filter(({ role }) => role !== "system").map(spoken);
  return [
    ...[["system", system] as const, ...turns].flatMap(([role, text]) => [
      open,
      plain(`${role}\n${text}`),
      close,
      plain("\n"),
    ]),
    open,
    plain("assistant\n"),
  ];
}

export const callMark = "<tool_call>";
export const callEnd = "</tool_call>";

/** The model was not trained to call functions: all it knows of them is said here. */
const toolInstructions = (tools: readonly Callable[]) =>
  `You answer questions. You may call a function by writing ${callMark}{"name": ..., "arguments": ...}${callEnd} and nothing else; its result comes in the next message. Functions:\n${tools.map((tool) => JSON.stringify(tool)).join("\n")}`;

const schemaInstructions = (schema: object) =>
  `Answer with JSON that fits this JSON Schema, and nothing else: ${JSON.stringify(schema)}`;

function spoken(turn: Turn): readonly [role: string, text: string] {
  switch (turn.role) {
    case "call":
      return [
        "assistant",
        `${callMark}{"name":${JSON.stringify(turn.name)},"arguments":${turn.arguments}}${callEnd}`,
      ];
    case "result":
      // Under a role of its own ("tool"), the model repeats the result in its marks instead of using it.
      return ["user", `The result of the call is: ${turn.text}. Answer my question with it.`];
    default:
      return [turn.role, turn.text];
  }
}

/** The calls in an answer; none when it is meant as text, or as a call that nobody can read. */
export function callsIn(text: string, id: string): Call[] {
  const written = [...text.matchAll(/<tool_call>([\s\S]*?)<\/tool_call>/g)].map(([, json = ""]) => json);
  return written.flatMap((json, i) => {
    try {
      const { name, arguments: args } = JSON.parse(json);
      return typeof name === "string"
        ? [{ id: `call_${id}_${i}`, name, arguments: JSON.stringify(args ?? {}) }]
        : [];
    } catch {
      return [];
    }
  });
}
