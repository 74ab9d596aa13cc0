/** What an agent will ask of its model, found out without asking: for dry runs. */
import type { PaidContext, Quote } from "../core/context.ts";
import type { Asked, KnownInput } from "../core/node.ts";
import type { Settled } from "./agent-options.ts";
import { answerSchema } from "./answer-schema.ts";
import { modelName } from "./language-model.ts";
import { longestBudgetText } from "./lineup.ts";
import { type PricedModel, pricedModel } from "./priced-model.ts";
import { converse, type Task } from "./turns.ts";

/** @param known its input and the state, where they are known: then its prompts are made of them. */
export async function asked(name: string, options: Settled, known: KnownInput | undefined): Promise<Asked> {
  const { systemText, promptParts, examples, output, chain, showBudget, providerOptions, ...rest } = options;
  const made = <T>(prompt: unknown, make: () => T): T | undefined =>
    known === undefined && dependsOnInput(prompt) ? undefined : orNothing(make);
  const system = made(options.system, () => systemText(known?.input, known?.state, name));
  const prompt = made(options.prompt ?? dependent, () => promptParts(known?.input, known?.state, name));
  const shown = made(options.prompt, () =>
    examples.map((one) => ({ prompt: promptParts(one.input, known?.state, name), output: one.output })),
  );
  const quote = await firstQuote({
    ...rest,
    degradeTo: undefined,
    showBudget: false,
    providerOptions,
    callName: "call",
    priced: unasked(modelName(chain[0])),
    system: system ?? "",
    examples: shown ?? [],
    prompt: prompt ?? "",
    answer: output === undefined ? undefined : answerSchema(output),
  });
  const { stream, onCut, tools, maxTurns } = options;
  const repairs = output === undefined ? 0 : options.repairs;
  return {
    inputTokens: quote.inputTokens + (showBudget ? longestBudgetText : 0),
    unknown: [
      ...(system === undefined ? ["its system prompt"] : []),
      ...(shown === undefined && examples.length > 0 ? ["its examples"] : []),
      ...(prompt === undefined ? ["its prompt"] : []),
    ],
    outputTokens: quote.outputTokens,
    calls: (tools.length > 0 ? maxTurns : 1) + repairs,
    goesOn: stream && onCut === "continue" && output === undefined,
    pricedTools: tools.filter(({ terms }) => (terms.quote.fee ?? 0n) > 0n).map((tool) => tool.name),
    providerOptions,
  };
}

/** What stands for the input as it is. */
const dependent = (): void => {};

/** Whether a prompt is made of an input or a state: a function, or a template with places. */
const dependsOnInput = (prompt: unknown): boolean =>
  typeof prompt === "function" || (typeof prompt === "string" && prompt.includes("{{"));

/** A prompt that cannot be made of its input is not known; a run would say why. */
function orNothing<T>(make: () => T): T | undefined {
  try {
    return make();
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
