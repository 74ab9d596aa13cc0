import type { Json } from "../../core/json.ts";
import type { Case, Split } from "../dataset/case.ts";
import type { Candidate } from "./candidate.ts";
import type { ImprovablesDocument } from "./document.ts";
import type { Promotion, PromotionTerms } from "./promotion.ts";
import type { Judged, SearchResult } from "./search-terms.ts";

/** What a run of `improve` is about: recorded as its input, and the same whenever it is gone on with. */
export interface ImproveInput {
  /** The name of the pipeline it improves, and its fingerprint. */
  readonly pipeline: string;
  readonly fingerprint: string;
  readonly document: ImprovablesDocument;
  readonly scorers: readonly { readonly name: string; readonly version: Json }[];
  /** The model that is asked for better texts; null: rules propose. */
  readonly reflector: string | null;
  readonly dataset: { readonly name: string; readonly hash: string };
  /** All of it, each with its split. */
  readonly cases: readonly (Case & { readonly split: Split })[];
  readonly seed: number;
  readonly limits: SearchLimits;
  /** By which the test split decides. */
  readonly terms: Omit<PromotionTerms, "look">;
}

/** How far a search goes. */
export interface SearchLimits {
  /** The most cases that are tried, each once with each candidate; those of the test split come on top. */
  readonly rollouts: number;
  /** Proposals side by side. */
  readonly proposals: number;
  /** Cases that a change is tried on first. */
  readonly minibatch: number;
  /** Rounds without a better candidate. */
  readonly patience: number;
  /** What all may cost, in pico-dollars, as digits: the search ends while there is enough left for the test split. */
  readonly picoUsd?: string;
}

/** What `improve` has come to. Of the same input it is the same, however often its run was killed and gone on with. */
export interface Improvement {
  readonly pipeline: string;
  readonly fingerprint: string;
  readonly document: ImprovablesDocument;
  readonly dataset: { readonly name: string; readonly hash: string };
  /** How many cases each split has. */
  readonly cases: { readonly [split in Split]: number };
  readonly scorers: readonly string[];
  readonly reflector: string | null;
  readonly seed: number;
  readonly limits: SearchLimits;
  readonly base: Candidate;
  /** The best on the validation split; the base itself where nothing was better: then the test split was not looked at. */
  readonly best: Candidate;
  /** All that came as far as the validation split. */
  readonly candidates: readonly Judged[];
  readonly search: Pick<SearchResult, "rollouts" | "rounds" | "proposals" | "stopped">;
  /** What the test split says; absent where nothing was better on the validation split. */
  readonly promotion?: Promotion;
  /** What it cost, judges and reflections included: in pico-dollars, as digits. Calls that a crash left in doubt are not in it. */
  readonly picoUsd: string;
}
