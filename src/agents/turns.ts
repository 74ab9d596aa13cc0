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
import { type Answer, type AnswerPart, type CallRequest, callModel } from "./call.ts";
import type { CallOptions } from "./language-model.ts";
import type { PricedModel } from "./priced-model.ts";
import { hiddenOutput, type ProviderOptions } from "./provider-options.ts";
import { runTool, type Tool } from "./tool.ts";

type Message = CallOptions["prompt"][number];

/** How a model is asked. */
export interface Sampling {
  /** From 0; what is usual differs by provider. */
  readonly temperature?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly stopSequences?: readonly string[];
}

/**
 * What is done about a streamed answer that was cut in the middle: ask for all of it again, or send the model what it
 * had said and have it go on from there.
 */
export type OnCut = "repeat" | "continue";

/** What is wanted of a model. */
export interface Task extends Sampling {
  /** The name of the calls in the journal. */
  readonly callName: string;
  readonly priced: PricedModel;
  readonly system: string | undefined;
  readonly prompt: string;
  /** Absent: the answer is its text. */
  readonly answer: AnswerSchema | undefined;
  readonly maxOutputTokens: number;
  readonly minOutputTokens: number;
  readonly repairs: number;
  readonly tools: readonly Tool[];
  readonly maxTurns: number;
  readonly providerOptions: ProviderOptions | undefined;
  /** Answers come in pieces. */
  readonly stream: boolean;
  readonly onCut: OnCut;
}

/**
 * Text, or a value of the answer's schema.
 *
 * @throws InvalidOutputError when no answer fits after all repairs (a new attempt may).
 * @throws StepFailedError when the model only calls tools, or refuses.
 */
export async function converse(context: PaidContext, task: Task): Promise<unknown> {
  const messages = opening(task);
  let turns = 0;
  let repairs = 0;
  for (;;) {
    const answer = await ask(context, task, messages);
    const calls = answer.parts.filter((part) => part.type === "tool-call");
    if (calls.length > 0 && task.tools.length > 0) {
      turns += 1;
      if (turns >= task.maxTurns) throw noEnd(context, task);
      // Started in the order the model wrote them: that numbers their operations the same way each time.
      const results = await Promise.all(calls.map((call) => runTool(call, task.tools, context)));
      messages.push(...said(answer), toolMessage(calls, results));
      continue;
    }
    const text = textIn(answer, context, task);
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
async function ask(context: PaidContext, task: Task, messages: readonly Message[]): Promise<Answer> {
  const hidden = hiddenOutput(task.providerOptions);
  const wanted = task.maxOutputTokens + hidden;
  const first = await call(context, task, messages, Math.min(task.minOutputTokens + hidden, wanted));
  if (!first.cut) return first;
  const said = mayGoOn(task) ? saidIn(first) : "";
  const second = await call(context, task, [...messages, ...goOn(said)], wanted);
  const before = said === "" ? [] : [{ type: "text" as const, text: said }];
  return { ...second, parts: [...before, ...second.parts] };
}

/** @param least the smallest cap that makes the call worth its price. */
function call(
  context: PaidContext,
  task: Task,
  messages: readonly Message[],
  least: number,
): Promise<Answer> {
  const whole = callRequest(task, messages, least);
  if (!mayGoOn(task)) return context.paid(task.callName, whole.quote, (grant) => callModel(whole, grant));
  const after = (said: string): CallRequest => callRequest(task, [...messages, ...goOn(said)], least);
  const request = sha256(JSON.stringify([task.priced.name, whole.options]));
  return context.paid(task.callName, { request, quote: (said) => after(said).quote }, (grant) =>
    callModel(after(grant.said), grant),
  );
}

function callRequest(task: Task, messages: readonly Message[], least: number): CallRequest {
  const { priced, providerOptions, stream, maxOutputTokens } = task;
  const options = callOptions(task, messages);
  const hidden = hiddenOutput(providerOptions);
  const rates = priced.rates(providerOptions);
  const shape = { messages, tools: options.tools, schema: task.answer?.json, options: providerOptions };
  const quote: Quote = {
    model: priced.name,
    inputTokens: tokenBound(shape),
    outputTokens: { wanted: maxOutputTokens + hidden, least },
    ...(rates === undefined ? {} : { rates }),
  };
  return { priced, quote, options, hiddenOutput: hidden, stream };
}

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
  const { temperature, topP, seed, stopSequences, tools, answer, providerOptions } = task;
  const functions = tools.map(({ name, description, inputSchema }) => ({
    type: "function" as const,
    name,
    description,
    inputSchema,
  }));
  return {
    prompt: [...messages],
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(seed === undefined ? {} : { seed }),
    ...(stopSequences === undefined ? {} : { stopSequences: [...stopSequences] }),
    ...(functions.length === 0 ? {} : { tools: functions, toolChoice: { type: "auto" as const } }),
    ...(answer === undefined ? {} : { responseFormat: responseFormat(answer) }),
    ...(providerOptions === undefined ? {} : { providerOptions }),
  };
}

const responseFormat = ({ json }: AnswerSchema) =>
  json === undefined ? { type: "json" as const } : { type: "json" as const, schema: json, name: "answer" };

/** Said when the provider is told no schema; some take JSON answers only when the prompt speaks of JSON. */
const jsonOnly = "Answer with one JSON value and nothing else.";

function opening(task: Task): Message[] {
  const asked =
    task.answer !== undefined && task.answer.json === undefined ? [task.system, jsonOnly] : [task.system];
  const system = asked.filter((text) => text !== undefined && text !== "").join("\n\n");
  return [...(system === "" ? [] : [{ role: "system" as const, content: system }]), userMessage(task.prompt)];
}

const userMessage = (text: string): Message => ({ role: "user", content: [{ type: "text", text }] });

/** The answer as part of the conversation; providers take no empty message. */
function said(answer: Answer): Message[] {
  const content = answer.parts.filter((part) => part.type === "tool-call" || part.text !== "").map(partSaid);
  return content.length === 0 ? [] : [{ role: "assistant", content }];
}

function partSaid(part: AnswerPart) {
  // Metadata came from the provider as its own options for this place.
  const back = part.metadata === undefined ? {} : { providerOptions: part.metadata as ProviderOptions };
  if (part.type !== "tool-call") return { type: part.type, text: part.text, ...back };
  const { id: toolCallId, name: toolName } = part;
  return { type: part.type, toolCallId, toolName, input: argumentsOf(part.input), ...back };
}

function argumentsOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

function toolMessage(
  calls: readonly { id: string; name: string }[],
  results: readonly { ok: boolean; text: string }[],
): Message {
  const content = calls.map(({ id: toolCallId, name: toolName }, i) => ({
    type: "tool-result" as const,
    toolCallId,
    toolName,
    output: {
      type: results[i]?.ok ? ("text" as const) : ("error-text" as const),
      value: results[i]?.text ?? "",
    },
  }));
  return { role: "tool", content };
}

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
