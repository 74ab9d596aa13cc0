/** What a search is given, and what it tells. */
import type { Case } from "../dataset/case.ts";
import type { Candidate } from "./candidate.ts";
import type { ImprovablesDocument } from "./document.ts";
import type { Laboratory } from "./laboratory.ts";
import type { Check, NurseryCount } from "./nursery.ts";

export interface SearchOptions {
  readonly document: ImprovablesDocument;
  /** Cases to learn from, and others to choose by. None of either may be of the test split. */
  readonly train: readonly Case[];
  readonly validation: readonly Case[];
  readonly laboratory: Laboratory;
  readonly check: Check;
  readonly seed: number;
  /** The most cases that may be tried, each once with each candidate. */
  readonly rollouts: number;
  /** Whether the laboratory has somebody to ask. Without, texts are changed by rules. Default true. */
  readonly hasReflector?: boolean;
  /** Proposals that are made side by side in a round. Default 2. */
  readonly proposals?: number;
  /** Cases of the train split that a change is tried on first. Default 3. */
  readonly minibatch?: number;
  /** The search ends after so many rounds without a better candidate. Default 20. */
  readonly patience?: number;
  /** Asked before each round: whether there is money for one. Default: there is. */
  readonly affords?: (progress: SearchProgress) => Promise<boolean>;
  readonly onProgress?: (progress: SearchProgress) => void;
}

/** How far a search has come. */
export interface SearchProgress {
  readonly round: number;
  readonly rollouts: number;
  readonly candidates: number;
  /** Means over the validation split, from 0 to 1; of the best one as far as its gain is known. */
  readonly base: number;
  readonly best: number;
}

/** A candidate, and how it did on the validation split. */
export interface Judged {
  readonly candidate: Candidate;
  /** The mean, from 0 to 1. */
  readonly score: number;
  /** Of so many cases: of all where it is the best, else of as many as showed what it is worth. */
  readonly cases: number;
}

export interface SearchResult {
  /** The best on the validation split; the base itself where nothing was better. */
  readonly best: Candidate;
  readonly base: Candidate;
  /** All that came as far as the validation split, in the order they came. */
  readonly candidates: readonly Judged[];
  readonly rollouts: number;
  readonly rounds: number;
  readonly proposals: ProposalCount;
  readonly stopped: "rollouts" | "no-progress" | "budget" | "perfect";
}

/** What became of the proposals. */
export interface ProposalCount extends NurseryCount {
  /** No better on the cases of the train split than the parent. */
  readonly noBetter: number;
}
