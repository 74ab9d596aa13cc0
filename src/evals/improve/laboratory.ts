import type { JsonObject } from "../../core/json.ts";
import type { Path } from "../../core/paths.ts";
import type { Case } from "../dataset/case.ts";
import type { Candidate } from "./candidate.ts";
import type { ImprovablesDocument } from "./document.ts";

/** What tries candidates, and asks for better ones. */
export interface Laboratory {
  /**
   * Tries a candidate on cases: an outcome each, in the order of the cases.
   * The same candidate, case and trial again has the same outcome, and costs nothing.
   */
  try(candidate: Candidate, cases: readonly Case[], trial: number): Promise<readonly Outcome[]>;
  /** Asks for better values. What makes no sense is a proposal that its check refuses later: never an exception. */
  reflect(request: ReflectionRequest): Promise<readonly Proposal[]>;
}

/** What became of one case, tried once with one candidate. */
export interface Outcome {
  readonly caseId: string;
  /** From 0 to 1. */
  readonly score: number;
  /** Of its scorers, and of its error. */
  readonly feedback: string;
  /** By agent: what it was sent and what it said, shortened. */
  readonly traces: { readonly [place: Path]: string };
  /** In pico-dollars, as digits: what it costs when nothing disturbs it. */
  readonly picoUsd: string;
  readonly output?: string;
}

/** What is asked of who proposes. */
export interface ReflectionRequest {
  readonly document: ImprovablesDocument;
  /** The one to do better than. */
  readonly candidate: Candidate;
  /** The document's values under it. */
  readonly values: JsonObject;
  /** The value to change. */
  readonly place: Path;
  readonly field: string;
  /** What came of a few cases of the train split. */
  readonly outcomes: readonly Outcome[];
  readonly cases: readonly Case[];
  readonly kind: "rewrite" | "delta" | "bootstrap" | "merge";
  /** To merge with. */
  readonly other?: Candidate;
  readonly seed: number;
}

/** A change that somebody proposes. */
export interface Proposal {
  /** Of unknown origin: a JSON Patch over the document's values under the candidate, if it is right. */
  readonly patch: unknown;
  readonly note: string;
  /** `"reflection"`, `"merge"`, `"bootstrap"`, `"delta"` or `"rule:NAME"`. */
  readonly by: string;
}
