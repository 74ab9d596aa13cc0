import type { PaidContext } from "../core/context.ts";
import { InvalidOptionError } from "../core/errors.ts";
import { codeFact, schemaFact } from "../core/fingerprint.ts";
import type { Json } from "../core/json.ts";
import type { WorkNode } from "../core/node.ts";
import type { Schema, SchemaOutput } from "../core/schema.ts";
import { type Step, toStep } from "../core/step.ts";
import { checkedName } from "../core/work.ts";
import { answerSchema } from "./answer-schema.ts";
import { asked } from "./asked.ts";
import { type LanguageModel, modelName } from "./language-model.ts";
import { defaultOutputTokens, defaultRepairs, models } from "./models.ts";
import { isModelSource } from "./priced-model.ts";
import { checkProviderOptions, type ProviderOptions } from "./provider-options.ts";
import { builtInProviders } from "./registry.ts";
import { textOf } from "./text.ts";
import type { Tool } from "./tool.ts";
import { converse, type OnCut, type Sampling } from "./turns.ts";

/** What a prompt may be made of beside the input. */
export interface PromptContext<State> {
  readonly state: Readonly<State>;
}

export interface AgentOptions<In, State = unknown> extends Sampling {
  /** `"openai:gpt-4o-mini"`, or an AI SDK language model. */
  readonly model: string | LanguageModel;
  /** Who the model is and what it is to do: a text, or made from the input. */
  readonly system: string | ((input: In, ctx: PromptContext<State>) => string);
  /** What is asked. Default: a text input as it is, anything else as JSON. */
  readonly prompt?: (input: In, ctx: PromptContext<State>) => string;
  /** The most tokens one answer may have, thoughts included: from 1. Default 4,096; a budget may shrink it. */
  readonly maxOutputTokens?: number;
  /** The fewest that make a call worth its price: below it the budget refuses. Default 16. */
  readonly minOutputTokens?: number;
  /** Further turns when an answer does not fit the `output` schema: from 0. Default 2. */
  readonly repairs?: number;
  readonly tools?: readonly Tool[];
  /** How often the model may be asked while it still calls tools: from 1. Default 8. */
  readonly maxTurns?: number;
  /** Answers come in pieces, each an event of the run as soon as it is there. Default false. */
  readonly stream?: boolean;
  /**
   * When a streamed answer is cut in the middle: ask for all of it again, or send the model what it had said and have
   * it go on. Answers of a schema and tool calls are asked for again in any case. Default `"repeat"`.
   */
  readonly onCut?: OnCut;
  /** Handed to the provider as they are: `{ openai: { reasoningEffort: "low" } }`. */
  readonly providerOptions?: ProviderOptions;
}

/**
 * A step done by a language model: text in, text out, or a value of the `output` schema. Each of its calls is paid for
 * within the run's budget and recorded, so that none is bought twice.
 *
 * ```ts
 * const summarise = agent("summarise", { model: "openai:gpt-4o-mini", system: "Summarise in one sentence." });
 * const report = agent("report", {
 *   model: "openai:gpt-4o",
 *   system: "Write a report.",
 *   prompt: (lines: string[]) => lines.join("\n"),
 *   output: z.object({ title: z.string(), body: z.string() }),
 * });
 * ```
 *
 * @throws InvalidOptionError for an option out of its bounds.
 */
export function agent<In = string, S extends Schema = Schema, State = unknown>(
  name: string,
  options: AgentOptions<In, State> & { readonly output: S },
): Step<In, SchemaOutput<S>, State>;
export function agent<In = string, State = unknown>(
  name: string,
  options: AgentOptions<In, State> & { readonly output?: undefined },
): Step<In, string, State>;
export function agent(
  name: string,
  options: AgentOptions<unknown, unknown> & { readonly output?: Schema | undefined },
): Step<unknown, unknown, unknown> {
  const settled = settle(checkedName(name), options);
  const node: WorkNode = {
    kind: "agent",
    name,
    work: (input: unknown, context: PaidContext) => work(input, context, settled),
    facts: factsOf(settled),
    models: [modelName(settled.model)],
    ...(typeof settled.model === "string" ? {} : { modelObject: settled.model }),
    providers: builtInProviders,
    asks: (known) => asked(settled, known),
    freshAttempts: true,
  };
  return toStep(node);
}

type Settled = ReturnType<typeof settle>;

/** The options with every default in place, checked. */
function settle(
  name: string,
  options: AgentOptions<unknown, unknown> & { readonly output?: Schema | undefined },
) {
  const who = `agent "${name}"`;
  const { most, least } = defaultOutputTokens;
  const settled = {
    ...options,
    prompt: options.prompt ?? textOf,
    maxOutputTokens: whole(who, "maxOutputTokens", options.maxOutputTokens ?? most, 1),
    minOutputTokens: whole(who, "minOutputTokens", options.minOutputTokens ?? least, 1),
    repairs: whole(who, "repairs", options.repairs ?? defaultRepairs, 0),
    maxTurns: whole(who, "maxTurns", options.maxTurns ?? 8, 1),
    tools: options.tools ?? [],
    stream: options.stream ?? false,
    onCut: options.onCut ?? "repeat",
  };
  if (typeof settled.system !== "string" && typeof settled.system !== "function") {
    throw new InvalidOptionError(`${who} has no system prompt`, {
      hint: 'Give it one: { system: "Summarise in one sentence." }',
    });
  }
  const names = settled.tools.map((tool) => tool.name);
  const twice = names.find((one, i) => names.indexOf(one) < i);
  if (twice !== undefined)
    throw new InvalidOptionError(`${who} has two tools named "${twice}"`, { hint: "Rename one." });
  checkProviderOptions(settled.providerOptions, who);
  modelName(settled.model);
  return settled;
}

function whole(who: string, field: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new InvalidOptionError(`${field} of ${who} is ${value}; it takes a whole number from ${least}`);
}

async function work(input: unknown, context: PaidContext, options: Settled): Promise<unknown> {
  const source = isModelSource(context.models) ? context.models : models();
  const { state } = context;
  const { system, prompt, output, model, providerOptions, ...rest } = options;
  return converse(context, {
    ...rest,
    callName: "call",
    priced: await source.find(model),
    system: typeof system === "string" ? system : system(input, { state }),
    prompt: prompt(input, { state }),
    answer: output === undefined ? undefined : answerSchema(output),
    providerOptions,
  });
}

/** All that makes the answers what they are; how often to try and what to pay may change under a run. */
function factsOf(options: Settled): WorkNode["facts"] {
  const { system, prompt, tools, maxOutputTokens, temperature, topP, seed, stopSequences } = options;
  const sampling = { temperature, topP, seed, stopSequences };
  return {
    model: modelName(options.model),
    system: typeof system === "string" ? system : codeFact(system),
    prompt: codeFact(prompt),
    answer: schemaFact(options.output),
    maxOutputTokens,
    sampling: plain(sampling),
    providerOptions: plain(options.providerOptions ?? {}),
    tools: tools.map(({ name, description, inputSchema }) => plain({ name, description, inputSchema })),
  };
}

/** Without what JSON has no word for. */
const plain = (value: object): Json => JSON.parse(JSON.stringify(value));
