import type { Json } from "../../core/json.ts";
import type { Case } from "../dataset/case.ts";

/** What an experiment is about: recorded as its run's input, and the same whenever it is gone on with. */
export interface ExperimentInput {
  /** The name of the pipeline it tries. */
  readonly pipeline: string;
  /** The pipeline's fingerprint. */
  readonly fingerprint: string;
  readonly scorers: readonly { readonly name: string; readonly version: Json }[];
  readonly dataset: { readonly name: string; readonly hash: string };
  /** Of these cases of it. */
  readonly cases: readonly Case[];
  /** How often each is tried. */
  readonly trials: number;
  /** Absent of an experiment that is one run. */
  readonly part?: Part;
}

/** Which part of a large experiment a run is. */
export interface Part {
  /** From 1. */
  readonly number: number;
  /** How many there are. */
  readonly of: number;
  /** How many cases the whole has. */
  readonly cases: number;
  /** The trials of its cases that it makes, from 1. */
  readonly first: number;
  readonly last: number;
}

/** What became of one case, tried once. */
export interface TrialRecord {
  readonly caseId: string;
  /** From 1. */
  readonly trial: number;
  /** The run that tried it: for `flujo lens`. */
  readonly runId: string;
  readonly cluster?: string;
  readonly tags?: readonly string[];
  /** How its run came to stand; `refused` when the case's input did not fit the pipeline. */
  readonly status: "completed" | "failed" | "halted" | "waiting" | "cancelled" | "refused";
  readonly error?: { readonly code: string; readonly message: string; readonly path?: string };
  /** The beginning of what it returned, as text. */
  readonly output?: string;
  /** From 0 to 1: the mean of its scorers. 0 of a run that did not complete. */
  readonly score: number;
  readonly scores: readonly NamedScore[];
  /** In pico-dollars, as digits: of the run, without what judges cost. */
  readonly picoUsd: string;
  /** Absent of a run that was interrupted and gone on with. */
  readonly durationMs?: number;
}

export interface NamedScore {
  readonly scorer: string;
  readonly score: number;
  readonly feedback: string;
  readonly parts?: { readonly [part: string]: number };
  /** The scorer itself failed. */
  readonly failed?: true;
}

/** The output as a record keeps it. */
export function preview(output: Json): string {
  const text = typeof output === "string" ? output : JSON.stringify(output);
  return text.length <= longestPreview ? text : `${text.slice(0, longestPreview)}…`;
}
const longestPreview = 500;
