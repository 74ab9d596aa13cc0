/** What is said of each kind of span: facts and figures, never what people or models wrote. */
import type { CallSampling } from "../core/context.ts";
import type { Entry } from "../core/entries.ts";
import { isJsonObject, type Json } from "../core/json.ts";
import type { PicoUsd } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import type { Call } from "./calls.ts";
import { convention, modelWords, operations, own } from "./conventions.ts";
import type { OpenPlace } from "./open-place.ts";
import type { Attributes } from "./told.ts";

/** Where something happened, and what it is in the tree. */
export const where = (runId: string, path: Path, kind: string): Attributes => ({
  [own.run]: runId,
  [own.path]: path,
  [own.kind]: kind,
});

/** How the span of a process's time with a run is called. */
export const rootName = (pipeline: string): string => `${operations.workflow} ${pipeline}`;

/** What is known of it from its beginning, for samplers. */
export const rootAttributes = (runId: string, pipeline: string): Attributes => ({
  [convention.operation]: operations.workflow,
  [convention.workflow]: pipeline,
  [own.run]: runId,
});

/** What is told of a moment, beside its path and the code of its error. */
const facts = ["attempt", "key", "to", "percent", "scope", "asks"] as const;

/** What is told of an entry that is a moment of its place. */
export function momentOf(entry: Entry): Attributes {
  const attributes: Attributes = {};
  if ("path" in entry) attributes[own.path] = entry.path;
  if ("error" in entry && entry.error !== undefined) attributes[convention.errorType] = entry.error.code;
  const fields: { readonly [field: string]: unknown } = { ...entry };
  for (const fact of facts) {
    const value = fields[fact];
    if (typeof value === "string" || typeof value === "number") attributes[`flujo.${fact}`] = value;
  }
  return attributes;
}

export function agentAttributes(name: string, { model, inputTokens, outputTokens }: OpenPlace): Attributes {
  const words = model === undefined ? undefined : modelWords(model);
  return {
    [convention.operation]: operations.agent,
    [convention.agent]: name,
    ...(words === undefined
      ? {}
      : {
          [convention.provider]: words.provider,
          [convention.requestModel]: words.model,
          ...tokenAttributes({ inputTokens, outputTokens }),
        }),
  };
}

export const samplingAttributes = ({ temperature, topP, seed }: CallSampling = {}): Attributes => ({
  ...(temperature === undefined ? {} : { [convention.temperature]: temperature }),
  ...(topP === undefined ? {} : { [convention.topP]: topP }),
  ...(seed === undefined ? {} : { [convention.seed]: seed }),
});

export const toolAttributes = (tool: string): Attributes => ({
  [convention.operation]: operations.tool,
  [convention.tool]: tool,
  [convention.toolType]: "function",
});

/** A tool that failed has told the model so. */
export const toolError = (result: Json | undefined): string | undefined =>
  isJsonObject(result) && result.ok === false ? "tool-failed" : undefined;

export const tokenAttributes = (
  { inputTokens, outputTokens }: { readonly inputTokens: number; readonly outputTokens: number },
  asked: Call["asked"] = "chat",
): Attributes => ({
  ...(asked === "images" ? {} : { [convention.inputTokens]: inputTokens }),
  ...(asked === "chat" ? { [convention.outputTokens]: outputTokens } : {}),
});

/** In US dollars: to look at. What counts are the journal's integers. */
export const dollars = (picoUsd: PicoUsd): number => Number(picoUsd) / 1e12;

export const costAttributes = (picoUsd: PicoUsd): Attributes =>
  picoUsd === 0n ? {} : { [own.cost]: dollars(picoUsd) };
