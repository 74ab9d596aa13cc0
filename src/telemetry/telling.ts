/** The spans themselves: of a process's time with a run, of a call, of an operation. */
import type { CallSampling } from "../core/context.ts";
import type { Entry, EntryOf } from "../core/entries.ts";
import type { ErrorRecord } from "../core/error-record.ts";
import {
  costAttributes,
  rootAttributes,
  rootName,
  samplingAttributes,
  tokenAttributes,
  toolAttributes,
  toolError,
  where,
} from "./attributes.ts";
import type { Call } from "./calls.ts";
import { convention, modelWords, operations, own } from "./conventions.ts";
import { callSpan, tenureSpan } from "./identity.ts";
import type { OpenPlace } from "./open-place.ts";
import type { Attributes, ToldSpan } from "./told.ts";

export type EntryAt<T extends Entry["type"]> = Extract<Entry, { type: T }>;
/** How a tenure begins. */
export type Beginning = EntryOf<"run-created"> | EntryOf<"run-resumed">;
export type Failure = Pick<ErrorRecord, "code" | "message">;

/** The code of what ended without a word: its process died, or lost the run. */
export const lost = "process-lost";

/** A process's time with a run: the root of the trace, or below it when the run was resumed. */
export function toldTenure(
  { runId, pipeline }: { readonly runId: string; readonly pipeline: string },
  first: Beginning | undefined,
  { start, events, picoUsd }: OpenPlace,
  {
    end,
    standing,
    failure,
  }: { readonly end: number; readonly standing: Attributes; readonly failure: Failure | undefined },
): ToldSpan {
  return {
    id: tenureSpan(runId, first?.seq ?? 0),
    parent: first?.type === "run-resumed" ? tenureSpan(runId, 0) : undefined,
    name: rootName(pipeline),
    kind: "internal",
    start,
    end,
    attributes: {
      ...rootAttributes(runId, pipeline),
      ...(first?.type === "run-resumed" ? { [own.resumed]: first.why } : {}),
      ...(first?.fingerprint === undefined ? {} : { [own.fingerprint]: first.fingerprint }),
      ...standing,
      ...costAttributes(picoUsd),
    },
    error: failure?.code,
    message: failure?.message,
    events,
    ...(first?.type === "run-created" ? { content: { [own.input]: first.input } } : {}),
  };
}

/** One physical call of a model. `until`: when its process was last heard of; what is settled later, others have settled. */
export function toldCall(
  runId: string,
  call: Call,
  {
    parent,
    sampling,
    until,
  }: { readonly parent: string; readonly sampling: CallSampling | undefined; readonly until: number },
): ToldSpan {
  const { seq, path, amount, model, start, end = Number.POSITIVE_INFINITY, answer, inDoubt, asked } = call;
  const words = modelWords(model);
  return {
    id: callSpan(runId, seq),
    parent,
    name: `${operations[asked]} ${words.model}`,
    kind: "client",
    start,
    end: Math.min(end, until),
    attributes: {
      [convention.operation]: operations[asked],
      [convention.provider]: words.provider,
      [convention.requestModel]: words.model,
      ...(asked === "chat" ? { [convention.maxTokens]: call.cap } : {}),
      ...(asked === "images" ? { [convention.outputType]: "image" } : {}),
      ...samplingAttributes(sampling),
      ...(call.streamed ? { [convention.stream]: true } : {}),
      ...(amount === undefined || inDoubt ? {} : tokenAttributes(amount, asked)),
      ...(amount === undefined ? {} : costAttributes(BigInt(amount.picoUsd))),
      ...(inDoubt ? { [own.inDoubt]: true } : {}),
      ...where(runId, path, "model-call"),
    },
    error: answer === undefined ? (call.error ?? (end > until ? lost : "_OTHER")) : undefined,
    events: [],
    answer: asked === "chat" ? answer : undefined, // vectors and images say nothing of the call, and are large
  };
}

/** An operation inside a body; of a tool, in the words of the conventions. */
export function toldOperation(
  runId: string,
  entry: EntryAt<"operation-completed"> | EntryAt<"operation-failed">,
  ids: { readonly id: string; readonly parent: string },
  name: string,
  paid: Call | undefined,
): ToldSpan {
  const { path, kind, took, at } = entry;
  const failure = entry.type === "operation-failed" ? entry.error : undefined;
  const output = entry.type === "operation-failed" ? undefined : entry.output;
  const tool = name.startsWith("tool:") ? name.slice("tool:".length) : undefined;
  return {
    ...ids,
    name: tool === undefined ? `${kind} ${name}` : `${operations.tool} ${tool}`,
    kind: "internal",
    start: at - took,
    end: at,
    attributes: {
      ...where(runId, path, kind),
      ...(tool === undefined ? {} : toolAttributes(tool)),
      ...(paid?.amount === undefined ? {} : costAttributes(BigInt(paid.amount.picoUsd))),
    },
    error: failure?.code ?? (tool === undefined ? undefined : toolError(output)),
    message: failure?.message,
    events: [],
    content: { [tool === undefined ? own.output : convention.toolResult]: output },
  };
}
