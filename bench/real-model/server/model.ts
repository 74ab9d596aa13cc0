/** SmolLM2 by llama.cpp, on the processor. Greedy unless a request says otherwise, so that runs can be compared. */
import {
  getLlama,
  type Llama,
  type LlamaContextSequence,
  type LlamaGrammar,
  LlamaGrammarEvaluationState,
  LlamaLogLevel,
  type LlamaModel,
  type Token,
} from "node-llama-cpp";
import type { Asked } from "./asked.ts";
import { callEnd, callMark, prompt } from "./prompt.ts";
import type { Constraint, Ending, Voice } from "./voice.ts";

const contextTokens = 8_192;
/** Prompts are read so many tokens at a time: an abort is noticed in between. */
const readTokens = 128;

/** Loads the weights. */
export async function loadVoice(path: string, threads: number): Promise<Voice> {
  const llama = await getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    maxThreads: threads,
    logLevel: LlamaLogLevel.error,
  });
  const model = await llama.loadModel({ modelPath: path });
  const context = await model.createContext({ contextSize: contextTokens, sequences: 1, threads });
  const sequence = context.getSequence();
  const grammars = new Map<string, LlamaGrammar>();
  const tokens = (asked: Asked): Token[] =>
    prompt(asked).flatMap(({ text, mark }) => model.tokenize(text, mark));

  return {
    contextTokens,
    count: (asked) => tokens(asked).length,
    async *speak(asked, constraint, cap, signal) {
      const source = await grammarText(llama, asked, constraint);
      let state: LlamaGrammarEvaluationState | undefined;
      if (source !== undefined) {
        const grammar = grammars.get(source) ?? (await llama.createGrammar({ grammar: source }));
        grammars.set(source, grammar);
        state = new LlamaGrammarEvaluationState({ model, grammar });
      }
      return yield* spoken({ model, sequence, input: tokens(asked), asked, state, cap, signal });
    },
  };
}

interface Speech {
  readonly model: LlamaModel;
  readonly sequence: LlamaContextSequence;
  readonly input: readonly Token[];
  readonly asked: Asked;
  readonly state: LlamaGrammarEvaluationState | undefined;
  readonly cap: number;
  readonly signal: AbortSignal;
}

async function* spoken(speech: Speech): AsyncGenerator<string, Ending> {
  const { model, sequence, input, asked, state, cap, signal } = speech;
  await sequence.clearHistory(); // half a prompt known would mean other batches, other rounding, and another answer
  let read = 0;
  const output: Token[] = [];
  const ending = (finish: Ending["finish"]): Ending => ({
    finish,
    promptTokens: read,
    outputTokens: output.length,
  });
  while (input.length - read > readTokens) {
    if (signal.aborted) return ending("aborted");
    await sequence.evaluateWithoutGeneratingNewTokens(input.slice(read, read + readTokens));
    read += readTokens;
  }
  if (signal.aborted) return ending("aborted");
  const { temperature = 0, topP, seed } = asked;
  const sampling = {
    temperature,
    ...(topP === undefined ? {} : { topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(state === undefined ? {} : { grammarEvaluationState: state }),
  };
  const rest = input.slice(read);
  let told = 0;
  for await (const token of sequence.evaluate(rest, sampling)) {
    read = input.length;
    output.push(token);
    const text = model.detokenize(output);
    // A token may be a part of a character: nothing is said until it is whole.
    const whole = text.endsWith("\uFFFD") && output.length < cap ? text.slice(0, told) : text;
    yield whole.slice(told);
    told = whole.length;
    if (signal.aborted) return ending("aborted");
    if (output.length >= cap) return ending("length");
  }
  read = input.length;
  return ending(signal.aborted ? "aborted" : "stop");
}

/** GBNF for what the answer is held to. */
async function grammarText(llama: Llama, asked: Asked, constraint: Constraint): Promise<string | undefined> {
  if (constraint === "none") return undefined;
  if (constraint === "schema")
    return (await jsonGrammar(llama, asked.schema ?? {})).replace(/^value ::=/m, "root ::=");
  const one = asked.tools.map(({ name, parameters }) => ({
    type: "object",
    properties: { name: { const: name }, arguments: parameters },
    required: ["name", "arguments"],
    additionalProperties: false,
  }));
  return `root ::= "${callMark}" value "${callEnd}"\n${await jsonGrammar(llama, { oneOf: one })}`;
}

/** The rules of a JSON Schema, the first one named `value`. Those of the library end in four line feeds, which are left out. */
async function jsonGrammar(llama: Llama, schema: object): Promise<string> {
  // Any JSON Schema is tried; the library throws for what it cannot express.
  const { grammar } = await llama.createGrammarForJsonSchema(schema as never);
  return grammar.replace(/^root ::= (.*) "\\n\\n\\n\\n" \[\\n\]\*$/m, "value ::= $1");
}
