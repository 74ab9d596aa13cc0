/** What an agent is told, and its options with every default in place. */
import { InvalidOptionError } from "../core/errors.ts";
import { jsonSchemaOf } from "../core/fingerprint.ts";
import type { Schema } from "../core/schema.ts";
import type { Prompt } from "./attachments.ts";
import type { ImproveTerms } from "./improve-terms.ts";
import { isLanguageModel, type LanguageModel, modelName } from "./language-model.ts";
import { defaultOutputTokens, defaultRepairs, defaultTurns } from "./models.ts";
import { checkProviderOptions, type ProviderOptions } from "./provider-options.ts";
import { filled, neverFilled, type Template, template } from "./template.ts";
import { textOf } from "./text.ts";
import type { Tool } from "./tool.ts";
import type { OnCut, Sampling } from "./turns.ts";

/** What a prompt may be made of beside the input. */
export interface PromptContext<State> {
  readonly state: Readonly<State>;
}

/** A model: its name, or itself. */
type ModelRef = string | LanguageModel;

/** A question of the kind the agent gets, and the answer it should give. */
export interface Example<In> {
  readonly input: In;
  /** A text, or a value in the form the model is to write it. */
  readonly output: unknown;
}

export interface AgentOptions<In, State = unknown> extends Sampling {
  /**
   * `"openai:gpt-4o-mini"`, or an AI SDK language model. Several: when a call of the first has failed for good (not of
   * the budget), the next is asked from there on.
   */
  readonly model: ModelRef | readonly [ModelRef, ...ModelRef[]];
  /**
   * A cheaper model, asked from there on when less than the share `below` (from 0 to 1, default 0.2) of the tightest cost
   * limit is left, or when the limit does not allow a call of the other one.
   */
  readonly degradeTo?: ModelRef | { readonly model: ModelRef; readonly below: number };
  /** Tells the model in its system prompt, at each turn, what is left of the budget. Default false. */
  readonly showBudget?: boolean;
  /** Checks the input before the agent runs; its output is what the prompts see. */
  readonly input?: Schema<unknown, In>;
  /**
   * Who the model is and what it is to do: a template, `"Summarise for {{state.audience}}."`, or a function of the input.
   * A place `{{…}}` names a part of `input` or `state`; `{{input.note?}}` may be missing; `\{{` stands for two braces.
   */
  readonly system: string | ((input: In, ctx: PromptContext<State>) => string);
  /**
   * What is asked: a template, or a function that makes a text, or texts, images and files in order. Default: a text
   * input as it is, anything else as JSON.
   */
  readonly prompt?: string | ((input: In, ctx: PromptContext<State>) => Prompt);
  /**
   * The most input tokens the provider makes of one image or file, by its documentation: from 1. Needed under a limit of
   * cost or tokens, where it is reserved for each.
   */
  readonly attachmentTokens?: number;
  /** Shown before the question, each as a question and its answer. */
  readonly examples?: readonly Example<NoInfer<In>>[];
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
  /** How often a tool is run with the same arguments before the model is told that it repeats itself: from 1. Default 3. */
  readonly sameCalls?: number;
  /**
   * When the model was told and goes on in the same way: `"fail"` (default) fails with ToolLoopError, `"answer"` has it
   * answer with what it has, without tools.
   */
  readonly onLoop?: "fail" | "answer";
  /** Handed to the provider as they are: `{ openai: { reasoningEffort: "low" } }`. */
  readonly providerOptions?: ProviderOptions;
  /**
   * What `flujo improve` may change: `{ system: true, model: ["openai:gpt-4o"], temperature: { min: 0, max: 1 } }`.
   * `false`: nothing. Default: what is given as data of the prompts, examples, and the descriptions of tools.
   */
  readonly improve?: false | ImproveTerms;
}

/** Options of any agent, its types forgotten. */
export type AnyOptions = AgentOptions<unknown, unknown> & { readonly output?: Schema | undefined };
export type Settled = ReturnType<typeof settle>;

/** Makes a prompt of the input and the state. `path` names the agent in errors. */
type Wording<P extends Prompt> = (input: unknown, state: unknown, path: string) => P | string;

/** The options with every default in place, checked. */
export function settle(name: string, options: AnyOptions) {
  const who = `agent "${name}"`;
  const { most, least } = defaultOutputTokens;
  if (typeof options.system !== "string" && typeof options.system !== "function") {
    throw new InvalidOptionError(`${who} has no system prompt`, {
      hint: 'Give it one: { system: "Summarise in one sentence." }',
    });
  }
  const settled = {
    ...options,
    chain: isChain(options.model) ? options.model : ([options.model] as const),
    degrade: options.degradeTo === undefined ? undefined : degrading(who, options.degradeTo),
    systemText: wording<string>(options.system, `system prompt of ${who}`, options.input),
    promptParts: wording<Prompt>(options.prompt ?? textOf, `prompt of ${who}`, options.input),
    examples: options.examples ?? [],
    maxOutputTokens: whole(who, "maxOutputTokens", options.maxOutputTokens ?? most, 1),
    minOutputTokens: whole(who, "minOutputTokens", options.minOutputTokens ?? least, 1),
    attachmentTokens:
      options.attachmentTokens === undefined
        ? undefined
        : whole(who, "attachmentTokens", options.attachmentTokens, 1),
    repairs: whole(who, "repairs", options.repairs ?? defaultRepairs, 0),
    maxTurns: whole(who, "maxTurns", options.maxTurns ?? defaultTurns, 1),
    sameCalls: whole(who, "sameCalls", options.sameCalls ?? 3, 1),
    onLoop: options.onLoop ?? "fail",
    tools: options.tools ?? [],
    stream: options.stream ?? false,
    onCut: options.onCut ?? "repeat",
  };
  const names = settled.tools.map((tool) => tool.name);
  const twice = names.find((one, i) => names.indexOf(one) < i);
  if (twice !== undefined)
    throw new InvalidOptionError(`${who} has two tools named "${twice}"`, { hint: "Rename one." });
  checkProviderOptions(settled.providerOptions, who);
  if (settled.chain.length === 0)
    throw new InvalidOptionError(`${who} has no model`, {
      hint: 'Name one: { model: "openai:gpt-4o-mini" }',
    });
  for (const model of modelsOf(settled)) {
    modelName(model);
    if (settled.reasoning !== undefined) checkReasoning(model, who);
  }
  const asked = modelsOf(settled).map(modelName);
  const again = asked.find((one, i) => asked.indexOf(one) < i);
  if (again !== undefined)
    throw new InvalidOptionError(`${who} has the model ${again} twice`, { hint: "Name each once." });
  return settled;
}

/** Every model an agent may ask. */
export const modelsOf = ({ chain, degrade }: Pick<Settled, "chain" | "degrade">): readonly ModelRef[] =>
  degrade === undefined ? chain : [...chain, degrade.model];

const isChain = (model: AnyOptions["model"]): model is readonly [ModelRef, ...ModelRef[]] =>
  Array.isArray(model);

function degrading(who: string, to: NonNullable<AnyOptions["degradeTo"]>) {
  const { model, below } = typeof to === "object" && "below" in to ? to : { model: to, below: 0.2 };
  if (below >= 0 && below <= 1) return { model, below };
  throw new InvalidOptionError(`degradeTo.below of ${who} is ${below}; it takes a share from 0 to 1`);
}

/** A template or a function, as one kind of thing. */
export function wording<P extends Prompt>(
  prompt: string | ((input: unknown, ctx: PromptContext<unknown>) => P),
  what: string,
  input: Schema | undefined,
): Wording<P> {
  if (typeof prompt === "function") return (value, state) => prompt(value, { state: state as object }); // a state is one
  const read = template(prompt, what);
  checkPlaces(read, input);
  return (value, state, path) => filled(read, { input: value, state }, path);
}

function checkPlaces(read: Template, input: Schema | undefined): void {
  const [wrong] = neverFilled(read, input === undefined ? undefined : jsonSchemaOf(input));
  if (wrong !== undefined)
    throw new InvalidOptionError(wrong, { hint: "Correct the template, or the input schema." });
}

/** Models whose package adds its own thinking budget on top of the cap it is given. */
const addsThinking = /anthropic|claude/i;

function checkReasoning(model: ModelRef, who: string): void {
  const name = modelName(model);
  if (addsThinking.test(name)) {
    throw new InvalidOptionError(`${who} sets reasoning, and ${name} would think beyond the output cap`, {
      hint: 'Say how much instead: providerOptions: { anthropic: { thinking: { type: "enabled", budgetTokens: 2000 } } }.',
    });
  }
  if (isLanguageModel(model) && model.specificationVersion !== "v4") {
    throw new InvalidOptionError(
      `${who} sets reasoning, which ${name} does not take: it is of an older AI SDK`,
      {
        hint: "Update its package, or use providerOptions.",
      },
    );
  }
}

function whole(who: string, field: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new InvalidOptionError(`${field} of ${who} is ${value}; it takes a whole number from ${least}`);
}
