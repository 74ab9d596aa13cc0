/** The door of `flujo/evals`: datasets, scorers, experiments, and what they show. */
export type { Case, Split } from "./dataset/case.ts";
export { type Dataset, type DatasetFormat, parseDataset } from "./dataset/dataset.ts";
export { addCase, readDataset } from "./dataset/file.ts";
export { type Shares, splitOf } from "./dataset/split.ts";
export {
  type Comparison,
  compare,
  type GateTerms,
  gate,
  gateAt,
  type Verdict,
} from "./experiment/comparison.ts";
export {
  type ExperimentOptions,
  experiment,
  experimentInput,
  type Starter,
} from "./experiment/experiment.ts";
export { type Look, looksAt } from "./experiment/looks.ts";
export type { ExperimentInput, NamedScore, TrialRecord } from "./experiment/record.ts";
export { type Experiment, readExperiment } from "./experiment/results.ts";
export {
  type CaseSummary,
  type FailureGroup,
  type Summary,
  type SummaryOptions,
  summaryOf,
} from "./experiment/summary.ts";
export type { Candidate } from "./improve/candidate.ts";
export { type CheckedPatch, type CheckPatchOptions, checkPatch } from "./improve/check.ts";
export {
  documentOf,
  type Improvable,
  type ImprovableFields,
  type ImprovablesDocument,
  patchBetween,
  type Values,
  valuesOf,
} from "./improve/document.ts";
export {
  type ImproveOptions,
  type ImproveProgress,
  improve,
  improveInput,
  type SearchTerms,
} from "./improve/improve.ts";
export type { ImproveInput, Improvement, SearchLimits } from "./improve/improvement.ts";
export { type OverlayEntry, type OverlayFile, patchesInForce } from "./improve/overlay-file.ts";
export { readOverlayFile } from "./improve/overlay-on-disk.ts";
export {
  type Ancestor,
  type Evidence,
  type PatchFile,
  parsePatchFile,
  patchFileOf,
  patchFileText,
} from "./improve/patch-file.ts";
export {
  type Promotion,
  type PromotionTerms,
  type PromotionVerdict,
  promotion,
  type SliceChange,
  type TrialScore,
} from "./improve/promotion.ts";
export { type Block, improvementReport, patchReport, type Report } from "./improve/report.ts";
export { reportMarkdown } from "./improve/report-markdown.ts";
export { type Improving, readImprovement } from "./improve/results.ts";
export type { Judged, ProposalCount, SearchProgress } from "./improve/search-terms.ts";
export { withOverlayFile } from "./improve/with-overlay-file.ts";
export { cost, latency } from "./scorers/bounds.ts";
export { type JudgeOptions, judge, type PairwiseOptions, pairwise } from "./scorers/judge.ts";
export {
  type Answered,
  type Score,
  type Scorer,
  type ScoringContext,
  scorer,
} from "./scorers/scorer.ts";
export { editSimilarity, embeddingSimilarity, tokenSimilarity } from "./scorers/similarity.ts";
export { contains, exact, matches, type TextOptions } from "./scorers/texts.ts";
export { fits, type JsonOptions, json, numeric, type Tolerance } from "./scorers/values.ts";
export { type Agreement, agreement } from "./statistics/agreement.ts";
export type { Scored } from "./statistics/clusters.ts";
export { holm } from "./statistics/holm.ts";
export { type MeanEstimate, meanInterval } from "./statistics/mean.ts";
export { casesNeeded, type NeededOptions } from "./statistics/needed.ts";
export {
  type Pair,
  type PairedDifference,
  type PairedOptions,
  pairedDifference,
} from "./statistics/paired.ts";
