/**
 * The turn loop: ask; run the tools the model calls; have an answer that does not fit repaired; until there is an
 * answer. Every call of the model is one durable, paid operation, every call of a tool one durable operation, so a run
 * that dies at the fifth turn goes on at the fifth turn: the turns before it are read back, not bought again.
 */
import { tokenBound } from "../budget/token-bound.ts";
import type { PaidContext, Quote } from "../core/context.ts";
import { InvalidOutputError, StepFailedError } from "../core/errors.ts";
import { sha256 } from "../core/fingerprint.ts";
import { misfit } from "../core/schema.ts";
import { type AnswerSchema, readAnswer } from "./answer-schema.ts";
import { asSpecified, attachmentsIn, withoutAttachments } from "./attachments.ts";
import { type Answer, type CallRequest, callModel } from "./call.ts";
import type { CallOptions } from "./language-model.ts";
import { Lineup, type Models } from "./lineup.ts";
import { LoopGuard } from "./loop-guard.ts";
import { type Message, type Opening, opening, said, toolMessage, userMessage } from "./messages.ts";
import type { PricedModel } from "./priced-model.ts";
import { hiddenOutput, type ProviderOptions } from "./provider-options.ts";
import { requestMark } from "./request-mark.ts";
import { Unsent } from "./sent.ts";
import { type ToolUse, toolRound } from "./tool-round.ts";

/** How a model is asked. */
export interface Sampling {
  /** From 0; what is usual differs by provider. */
  readonly temperature?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly stopSequences?: readonly string[];
  /** How much the model thinks before it answers; its thoughts count within the output cap. Default: the provider's. */
  readonly reasoning?: NonNullable<CallOptions["reasoning"]>;
}

/**
 * What is done about a streamed answer that was cut in the middle: ask for all of it again, or send the model what it
 * had said and have it go on from there.
 */
export type OnCut = "repeat" | "continue";

/** What is wanted of a model. */
export interface Task extends Sampling, Opening, ToolUse, Models {
  /** The name of the calls in the journal. */
  readonly callName: string;
  readonly maxOutputTokens: number;
  readonly minOutputTokens: number;
  readonly repairs: number;
  readonly maxTurns: number;
  /** Default: as the model likes. */
  readonly toolChoice?: "none";
  readonly providerOptions: ProviderOptions | undefined;
  /** The most input tokens one image or file counts as. */
  readonly attachmentTokens?: number | undefined;
  /** Answers come in pieces. */
  readonly stream: boolean;
  readonly onCut: OnCut;
}

/** Held for an image or file of which nobody said how much it counts: more than any is known to. Nothing is limited then. */
const tokensOfUnknown = 1_000_000;

/**
 * Text, or a value of the answer's schema.
 *
 * @throws InvalidOutputError when no answer fits after all repairs (a new attempt may).
 * @throws StepFailedError when the model only calls tools, or refuses; ToolLoopError when it repeats itself.
 */
export async function converse(context: PaidContext, task: Task): Promise<unknown> {
  const messages = opening(task);
  const guard = new LoopGuard(task.sameCalls);
  const unsent = new Unsent();
  let turns = 0;
  let repairs = 0;
  let mustAnswer = false;
  const now = (priced: PricedModel, callName = task.callName): Task =>
    mustAnswer ? { ...task, priced, callName, toolChoice: "none" } : { ...task, priced, callName };
  const lineup = new Lineup(context, task, task.callName, {
    ask: (priced, callName, conversation) => ask(context, now(priced, callName), conversation, unsent),
    quote: (priced, conversation) => callRequest(now(priced), conversation, wholeCap(task)).quote,
  });
  for (;;) {
    const answer = await lineup.ask(messages);
    const calls = answer.parts.filter((part) => part.type === "tool-call");
    if (calls.length > 0 && task.tools.length > 0) {
      turns += 1;
      if (turns >= task.maxTurns) throw noEnd(context, task);
      const { results, isLoop } = await toolRound(context, task, guard, calls);
      mustAnswer ||= isLoop;
      messages.push(...said(answer), toolMessage(calls, results));
      continue;
    }
    const text = textIn(answer, context, now(lineup.model));
    if (task.answer === undefined) return text;
    const checked = await readAnswer(text, task.answer);
    if (checked.ok) return checked.value;
    const issues = answer.finish === "length" ? [cutAt(task), ...checked.issues] : checked.issues;
    if (repairs >= task.repairs) throw unrepaired(context, task, issues);
    repairs += 1;
    messages.push(...said(answer), userMessage(correction(issues)));
  }
}

/**
 * One paid call; a second one when the first was cut short only because the budget had shrunk its cap: with the whole
 * cap this time, or not at all. Then the budget refuses it, and the run halts.
 */
async function ask(
  context: PaidContext,
  task: Task,
  messages: readonly Message[],
  unsent: Unsent,
): Promise<Answer> {
  const wanted = wholeCap(task);
  const least = task.minOutputTokens + hiddenOutput(task.providerOptions);
  const first = await call(context, task, messages, Math.min(least, wanted), unsent);
  if (!first.cut) return first;
  const said = mayGoOn(task) ? saidIn(first) : "";
  const second = await call(context, task, [...messages, ...goOn(said)], wanted, unsent);
  const before = said === "" ? [] : [{ type: "text" as const, text: said }];
  return { ...second, parts: [...before, ...second.parts] };
}

/** @param least the smallest cap that makes the call worth its price. */
function call(
  context: PaidContext,
  task: Task,
  messages: readonly Message[],
  least: number,
  unsent: Unsent,
): Promise<Answer> {
  const whole = callRequest(task, messages, least);
  const fresh = unsent.take(task.callName, messages);
  const options = { sent: () => fresh };
  if (!mayGoOn(task))
    return context.paid(task.callName, whole.quote, (grant) => callModel(whole, grant), options);
  const { asked } = whole.quote; // whatever was said before: it is the same question
  const after = (said: string): CallRequest => {
    const request = callRequest(task, [...messages, ...goOn(said)], least);
    return { ...request, quote: { ...request.quote, ...(asked === undefined ? {} : { asked }) } };
  };
  const request = sha256(JSON.stringify([task.priced.name, whole.options]));
  const continuable = { request, quote: (said: string) => after(said).quote };
  return context.paid(task.callName, continuable, (grant) => callModel(after(grant.said), grant), options);
}

function callRequest(task: Task, messages: readonly Message[], least: number): CallRequest {
  const { priced, providerOptions, stream, temperature, topP, seed } = task;
  const options = callOptions(task, messages);
  const rates = priced.rates(providerOptions);
  const shape = {
    messages: withoutAttachments(messages),
    tools: options.tools,
    schema: task.answer?.json,
    options: providerOptions,
  };
  const attached = attachmentsIn(messages) * (task.attachmentTokens ?? tokensOfUnknown);
  const quote: Quote = {
    model: priced.name,
    inputTokens: tokenBound(shape) + attached,
    outputTokens: { wanted: wholeCap(task), least },
    asked: markOf(task, messages),
    sampling: { temperature, topP, seed },
    ...(rates === undefined ? {} : { rates }),
  };
  return { priced, quote, options, hiddenOutput: hiddenOutput(providerOptions), stream };
}

function markOf(task: Task, messages: readonly Message[]): string {
  const { tools, answer, providerOptions, temperature, topP, seed, stopSequences, reasoning } = task;
  const sampling = { temperature, topP, seed, stopSequences, reasoning };
  return requestMark({
    messages,
    tools: tools.map(({ name, description, inputSchema }) => ({ name, description, inputSchema })),
    settings: { ...sampling, maxOutputTokens: task.maxOutputTokens, answer: answer?.json, providerOptions },
  });
}

/** All an answer may have, a thinking budget beside the cap included. */
const wholeCap = ({ maxOutputTokens, providerOptions }: Task): number =>
  maxOutputTokens + hiddenOutput(providerOptions);

/** Half a value of a schema is not worth going on with: it is asked for again. */
const mayGoOn = ({ stream, onCut, answer }: Task): boolean =>
  stream && onCut === "continue" && answer === undefined;

/** The text of an answer; none when it is in the middle of calling tools. */
const saidIn = ({ parts }: Answer): string =>
  parts.some((part) => part.type === "tool-call")
    ? ""
    : parts.map((part) => (part.type === "text" ? part.text : "")).join("");

/** Has a model go on with what it had said when it was cut. */
const goOn = (said: string): Message[] =>
  said === ""
    ? []
    : [{ role: "assistant", content: [{ type: "text", text: said }] }, userMessage(exactlyThere)];

const exactlyThere =
  "Your answer was cut off there. Go on exactly where it stopped, in the middle of the word if need be. Repeat nothing, and say nothing about the cut.";

function callOptions(task: Task, messages: readonly Message[]) {
  const { temperature, topP, seed, stopSequences, reasoning, tools, answer, providerOptions } = task;
  const functions = tools.map(({ name, description, inputSchema }) => ({
    type: "function" as const,
    name,
    description,
    inputSchema,
  }));
  return {
    prompt: asSpecified(messages, task.priced.model.specificationVersion),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(stopSequences === undefined ? {} : { stopSequences: [...stopSequences] }),
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(functions.length === 0
      ? {}
      : { tools: functions, toolChoice: { type: task.toolChoice ?? ("auto" as const) } }),
    ...(answer === undefined ? {} : { responseFormat: responseFormat(answer) }),
    ...(providerOptions === undefined ? {} : { providerOptions }),
  };
}

const responseFormat = ({ json }: AnswerSchema) =>
  json === undefined ? { type: "json" as const } : { type: "json" as const, schema: json, name: "answer" };

function textIn(answer: Answer, context: PaidContext, task: Task): string {
  const texts = answer.parts.flatMap((part) => (part.type === "text" ? part.text : []));
  const text = answer.structuredText ?? texts.join("");
  const where = { path: context.path, retryable: true };
  if (answer.finish === "content-filter") {
    throw new StepFailedError(
      `${task.priced.name} refused to answer ${context.path}: its content filter stepped in`,
      where,
    );
  }
  if (text === "" && answer.finish === "length") {
    throw new StepFailedError(`${task.priced.name} answered nothing at ${context.path}: ${cutAt(task)}`, {
      ...where,
      hint: "Models that reason spend output tokens on it first: raise maxOutputTokens.",
    });
  }
  return text;
}

const cutAt = (task: Task): string => `it was cut off at ${task.maxOutputTokens} output tokens`;

const correction = (issues: readonly string[]): string =>
  `That answer does not fit what was asked for:\n${issues.map((issue) => `- ${issue}`).join("\n")}\nAnswer again, complete and corrected, and nothing else.`;

function unrepaired(context: PaidContext, task: Task, issues: readonly string[]): InvalidOutputError {
  const tries =
    task.repairs === 0 ? "" : ` (after ${task.repairs} ${task.repairs === 1 ? "repair" : "repairs"})`;
  return new InvalidOutputError(`${misfit("output", context.path, issues)}${tries}`, {
    path: context.path,
    retryable: true,
    hint:
      issues[0] === cutAt(task)
        ? "Raise maxOutputTokens."
        : "Say in the prompt what the answer must look like, or loosen the schema.",
  });
}

function noEnd(context: PaidContext, task: Task): StepFailedError {
  return new StepFailedError(`${context.path} called tools for ${task.maxTurns} turns without an answer`, {
    path: context.path,
    retryable: true,
    hint: "Raise maxTurns, or say in the system prompt when to stop.",
  });
}
