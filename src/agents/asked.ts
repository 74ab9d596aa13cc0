/** What an agent will ask of its model, found out without asking: for dry runs. */
import type { PaidContext, Quote } from "../core/context.ts";
import type { Asked, KnownInput } from "../core/node.ts";
import type { Schema } from "../core/schema.ts";
import { answerSchema } from "./answer-schema.ts";
import { type LanguageModel, modelName } from "./language-model.ts";
import { type PricedModel, pricedModel } from "./priced-model.ts";
import type { ProviderOptions } from "./provider-options.ts";
import { converse, type Task } from "./turns.ts";

type Wording = (input: never, ctx: { readonly state: never }) => string;

/** An agent's options, its defaults in place. */
type Asking = Pick<
  Task,
  "maxOutputTokens" | "minOutputTokens" | "repairs" | "tools" | "maxTurns" | "stream" | "onCut"
> & {
  readonly providerOptions?: ProviderOptions;
  readonly model: string | LanguageModel;
  readonly system: string | Wording;
  readonly prompt: Wording;
  readonly output?: Schema | undefined;
};

/** @param known its input and the state, where they are known: then its prompts are made of them. */
export async function asked(options: Asking, known: KnownInput | undefined): Promise<Asked> {
  const { system, prompt, output, model, ...rest } = options;
  const said = typeof system === "string" ? system : worded(system, known);
  const question = worded(prompt, known);
  const quote = await firstQuote({
    ...rest,
    providerOptions: options.providerOptions,
    callName: "call",
    priced: unasked(modelName(model)),
    system: said ?? "",
    prompt: question ?? "",
    answer: output === undefined ? undefined : answerSchema(output),
  });
  const { stream, onCut, tools, maxTurns } = options;
  const repairs = output === undefined ? 0 : options.repairs;
  return {
    inputTokens: quote.inputTokens,
    unknown: [
      ...(said === undefined ? ["its system prompt"] : []),
      ...(question === undefined ? ["its prompt"] : []),
    ],
    outputTokens: quote.outputTokens,
    calls: (tools.length > 0 ? maxTurns : 1) + repairs,
    goesOn: stream && onCut === "continue" && output === undefined,
    providerOptions: options.providerOptions,
  };
}

/** A prompt that cannot be made of its input is not known; a run would say why. */
function worded(prompt: Wording, known: KnownInput | undefined): string | undefined {
  if (known === undefined) return undefined;
  try {
    return prompt(known.input as never, { state: known.state as never }); // the builder ties these types
  } catch {
    return undefined;
  }
}

/** The quote of the first call: the turn loop itself is followed up to where it would pay. */
async function firstQuote(task: Task): Promise<Quote> {
  const quotes: Quote[] = [];
  const stop = new Error("a dry run goes no further");
  const context: Pick<PaidContext, "path" | "paid"> = {
    path: "",
    paid(_, quote) {
      quotes.push("request" in quote ? quote.quote("") : quote);
      return Promise.reject(stop);
    },
  };
  try {
    await converse(context as PaidContext, task); // nothing else of it is used before the first call
  } catch (error) {
    if (error !== stop) throw error;
  }
  return quotes[0] as Quote; // there is no answer without a call
}

/** A model by name alone: nothing of it is loaded, and no key is needed. */
function unasked(name: string): PricedModel {
  const never = (): never => {
    throw new Error(`${name} was called in a dry run`);
  };
  const model = { specificationVersion: "v4", provider: "", modelId: name, supportedUrls: {} } as const;
  return pricedModel(name, { ...model, doGenerate: never, doStream: never }, undefined, () => 0);
}
