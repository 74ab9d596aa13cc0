/** `flujo improve` in a world, without an engine: a search, and a look at the test split when there is something to prove. */
import type { Case, Split } from "../../evals/dataset/case.ts";
import type { Candidate } from "../../evals/improve/candidate.ts";
import { checkPatch } from "../../evals/improve/check.ts";
import type { ImprovablesDocument } from "../../evals/improve/document.ts";
import type { Outcome } from "../../evals/improve/laboratory.ts";
import {
  type Promotion,
  type PromotionTerms,
  promotion,
  type TrialScore,
} from "../../evals/improve/promotion.ts";
import { search } from "../../evals/improve/search.ts";
import { keptByArgmax, plainArgmax } from "./baselines/argmax.ts";
import { type BaselineOptions, type BaselineResult, plainGepa } from "./baselines/gepa.ts";
import { quickLaboratory } from "./quick-laboratory.ts";
import type { TaskWorld, Worth } from "./world.ts";

/** Who searches. */
export type Searcher = "improve" | "gepa" | "argmax";

export interface QuickImproveOptions {
  readonly seed: number;
  readonly rollouts: number;
  /** Default `"improve"`. */
  readonly by?: Searcher;
  /** Default: the first look at the test split. */
  readonly terms?: Partial<PromotionTerms>;
}

export interface QuickImprovement {
  readonly best: Candidate;
  readonly base: Candidate;
  readonly rollouts: number;
  /** Who was the best from so many rollouts on; of `improve` the last one alone. */
  readonly course: BaselineResult["course"];
  /** Absent where the search found nothing better than the base. */
  readonly promotion?: Promotion;
  /** Whether the change is kept: by the promotion, or as argmax keeps it. */
  readonly isKept: boolean;
  /** The truth about the base and the best one. */
  readonly before: Worth;
  readonly after: Worth;
  /** The truth about any candidate. */
  readonly worth: (candidate: Candidate) => Worth;
}

const searchers: { readonly [by in Searcher]: (options: BaselineOptions) => Promise<BaselineResult> } = {
  gepa: plainGepa,
  argmax: plainArgmax,
  improve: async (options) => {
    const { best, base, rollouts } = await search(options);
    return { best, base, rollouts, course: [{ rollouts, best }] };
  },
};

/**
 * Improves a world's pipeline.
 *
 *     const { isKept, before, after } = await quickImprove(world, { seed: 1, rollouts: 400 });
 */
export async function quickImprove(
  world: TaskWorld,
  { seed, rollouts, by = "improve", terms }: QuickImproveOptions,
): Promise<QuickImprovement> {
  const of = (split: Split): readonly Case[] => world.dataset.cases.filter((one) => one.split === split);
  const [train, validation, test] = [of("train"), of("validation"), of("test")];
  const laboratory = quickLaboratory(world);
  const check = (document: ImprovablesDocument, patch: unknown) =>
    checkPatch(document, patch, { training: train });
  const found = await searchers[by]({
    ...{ document: world.document, train, validation, laboratory, check, seed, rollouts },
  });
  const { best, base } = found;
  const worth = (candidate: Candidate): Worth => world.worth(laboratory.values(candidate));
  const known = { ...found, before: worth(base), after: worth(best), worth };
  if (best.id === base.id) return { ...known, isKept: false };
  const [before, after] = [await laboratory.try(base, test, 1), await laboratory.try(best, test, 1)];
  const promoted = promotion(scoresOf(test, before), scoresOf(test, after), { look: 1, ...terms });
  const scores = [before, after].map((outcomes) => outcomes.map(({ score }) => score));
  const isKept =
    by === "argmax" ? keptByArgmax(scores[0] ?? [], scores[1] ?? []) : promoted.verdict === "promote";
  return { ...known, promotion: promoted, isKept };
}

const scoresOf = (cases: readonly Case[], outcomes: readonly Outcome[]): TrialScore[] =>
  outcomes.map(({ caseId, score, picoUsd }, i) => {
    const { cluster, tags = [] } = cases[i] ?? {}; // outcomes come in the order of the cases
    return { caseId, cluster, tags, score, picoUsd };
  });
