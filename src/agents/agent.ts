import type { PaidContext } from "../core/context.ts";
import { InvalidOptionError } from "../core/errors.ts";
import { codeFact, schemaFact } from "../core/fingerprint.ts";
import type { Json } from "../core/json.ts";
import type { WorkNode } from "../core/node.ts";
import type { Schema, SchemaOutput } from "../core/schema.ts";
import { type Step, toStep } from "../core/step.ts";
import { checkedName } from "../core/work.ts";
import { type AgentOptions, type AnyOptions, modelsOf, type Settled, settle } from "./agent-options.ts";
import { answerSchema } from "./answer-schema.ts";
import { asked } from "./asked.ts";
import type { Prompt } from "./attachments.ts";
import { improvableIn, improvedOptions } from "./improvable.ts";
import { checkImprove } from "./improve-terms.ts";
import { modelName } from "./language-model.ts";
import { sourceOf } from "./model-step.ts";
import type { PricedModel } from "./priced-model.ts";
import { builtInProviders } from "./registry.ts";
import { textOf } from "./text.ts";
import { converse } from "./turns.ts";

/**
 * A step done by a language model: text in, text out, or a value of the `output` schema. Each of its calls is paid for
 * within the run's budget and recorded, so that none is bought twice.
 *
 * ```ts
 * const summarise = agent("summarise", { model: "openai:gpt-4o-mini", system: "Summarise in one sentence." });
 * const report = agent("report", {
 *   model: "openai:gpt-4o",
 *   input: z.object({ lines: z.array(z.string()), reader: z.string() }),
 *   system: "Write a report for {{input.reader}}.",
 *   prompt: ({ lines }) => lines.join("\n"),
 *   output: z.object({ title: z.string(), body: z.string() }),
 * });
 * ```
 *
 * @throws InvalidOptionError for an option out of its bounds, or a template that cannot be read.
 */
export function agent<In = string, S extends Schema = Schema, State = unknown>(
  name: string,
  options: AgentOptions<In, State> & { readonly output: S },
): Step<In, SchemaOutput<S>, State>;
export function agent<In = string, State = unknown>(
  name: string,
  options: AgentOptions<In, State> & { readonly output?: undefined },
): Step<In, string, State>;
export function agent(name: string, options: AnyOptions): Step<unknown, unknown, unknown> {
  return toStep(agentNode(checkedName(name), options));
}

function agentNode(name: string, options: AnyOptions): WorkNode {
  const settled = settle(name, options);
  if (options.improve !== undefined) checkImprove(name, options);
  const node: WorkNode = {
    kind: "agent",
    name,
    work: (input: unknown, context: PaidContext) => work(input, context, settled),
    ...(settled.input === undefined ? {} : { input: settled.input }),
    facts: factsOf(settled),
    models: modelsOf(settled).map(modelName),
    modelObjects: Object.fromEntries(
      modelsOf(settled).flatMap((model) => (typeof model === "string" ? [] : [[modelName(model), model]])),
    ),
    providers: builtInProviders,
    asks: (known) => asked(name, settled, known),
    improvable: () => improvableIn(options),
    improved: (values) => agentNode(name, improvedOptions(name, options, values)),
    freshAttempts: true,
  };
  return Object.freeze(node);
}

async function work(input: unknown, context: PaidContext, options: Settled): Promise<unknown> {
  const source = sourceOf(context);
  const { state, path } = context;
  const { systemText, promptParts, examples, output, chain, degrade, providerOptions, ...rest } = options;
  const prompt = promptParts(input, state, path);
  const shown = examples.map((one) => ({ prompt: promptParts(one.input, state, path), output: one.output }));
  for (const one of [prompt, ...shown.map(({ prompt }) => prompt)]) checkAttachments(one, options, context);
  const [priced, ...others] = await Promise.all(chain.map((model) => source.find(model)));
  return converse(context, {
    ...rest,
    callName: "call",
    priced: priced as PricedModel, // a chain has a first
    others,
    degradeTo: degrade && { priced: await source.find(degrade.model), below: degrade.below },
    system: systemText(input, state, path),
    examples: shown,
    prompt,
    answer: output === undefined ? undefined : answerSchema(output),
    providerOptions,
  });
}

/** @throws InvalidOptionError for images and files under a limit, when nobody said how much they count. */
function checkAttachments(prompt: Prompt, { attachmentTokens }: Settled, context: PaidContext): void {
  if (attachmentTokens !== undefined || typeof prompt === "string") return;
  const { picoUsd, tokens } = context.remaining();
  const isLimited = picoUsd !== undefined || tokens !== undefined;
  if (!isLimited || prompt.every(({ type }) => type === "text")) return;
  throw new InvalidOptionError(
    `${context.path} sends an image or a file under a budget, and nobody can say how many tokens it counts`,
    {
      path: context.path,
      hint: "Say the most that the provider makes of one: agent(…, { attachmentTokens: 2000 }). Its documentation of images and files has the figure.",
    },
  );
}

/** All that makes the answers what they are; how often to try and what to pay may change under a run. */
function factsOf(options: Settled): WorkNode["facts"] {
  const { system, prompt, tools, examples, maxOutputTokens } = options;
  const { temperature, topP, seed, stopSequences, reasoning } = options;
  const sampling = { temperature, topP, seed, stopSequences, reasoning };
  return {
    model: options.chain.length === 1 ? modelName(options.chain[0]) : options.chain.map(modelName),
    ...(options.degrade === undefined ? {} : { degradeTo: modelName(options.degrade.model) }),
    ...(options.showBudget ? { showBudget: true } : {}),
    system: typeof system === "string" ? system : codeFact(system),
    prompt: typeof prompt === "string" ? prompt : codeFact(prompt ?? textOf),
    ...(examples.length === 0
      ? {}
      : { examples: examples.map(({ input, output }) => plain({ input, output })) }),
    answer: schemaFact(options.output),
    maxOutputTokens,
    sampling: plain(sampling),
    providerOptions: plain(options.providerOptions ?? {}),
    tools: tools.map(({ name, description, inputSchema }) => plain({ name, description, inputSchema })),
  };
}

/** As JSON, without what JSON has no word for. */
const plain = (value: object): Json => JSON.parse(textOf(value));
