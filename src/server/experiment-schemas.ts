/** What of the API is about experiments. */
import Type from "typebox";
import { closed, count, date, Money, named, orNull, RunId } from "./schemas.ts";

const score = Type.Number({ minimum: 0, maximum: 1 });
const part = Type.Number({ minimum: -1, maximum: 1 });

const Estimate = named(
  "Estimate",
  Type.Object(
    { mean: score, low: score, high: score, cases: count, clusters: count },
    { ...closed, description: "A mean, and the 95 % interval it is known to lie in." },
  ),
);

const line = {
  name: RunId,
  status: Type.String({ description: "A RunStatus." }),
  at: date,
  pipeline: Type.String(),
  fingerprint: Type.String(),
  dataset: Type.Object({ name: Type.String(), hash: Type.String() }, closed),
  scorers: Type.Array(Type.String()),
  cases: count,
  trials: count,
  tried: count,
  failed: count,
  score: orNull(Estimate),
  costUsd: Money,
};
const Line = named("ExperimentLine", Type.Object(line, closed));

export const ExperimentPage = named(
  "ExperimentPage",
  Type.Object(
    {
      experiments: Type.Array(Line),
      next: orNull(Type.String({ description: "The cursor of the next page; null on the last one." })),
    },
    closed,
  ),
);

export const Experiment = named(
  "Experiment",
  Type.Object(
    {
      ...line,
      judgesUsd: Money,
      scorerScores: Type.Record(Type.String(), Estimate),
      slices: Type.Record(Type.String(), Estimate, { description: "By tag." }),
      failures: Type.Array(
        Type.Object(
          {
            what: Type.String(),
            trials: count,
            caseIds: Type.Array(Type.String(), { description: "Of the first few cases." }),
            example: Type.String(),
          },
          closed,
        ),
      ),
      caution: orNull(Type.String({ description: "Why the interval of the score may not hold." })),
      latency: orNull(Type.Object({ mean: Type.Number(), p50: Type.Number(), p95: Type.Number() }, closed)),
    },
    closed,
  ),
);

const Trial = named(
  "Trial",
  Type.Object(
    {
      trial: count,
      runId: RunId,
      status: Type.Enum(["completed", "failed", "halted", "waiting", "cancelled", "refused"]),
      score,
      scores: Type.Array(
        Type.Object(
          {
            scorer: Type.String(),
            score,
            feedback: Type.String(),
            parts: Type.Optional(Type.Record(Type.String(), Type.Number())),
            failed: Type.Optional(Type.Literal(true)),
          },
          closed,
        ),
      ),
      output: orNull(Type.String({ description: "Its beginning." })),
      error: orNull(Type.String()),
      costUsd: Money,
      durationMs: orNull(Type.Number()),
    },
    closed,
  ),
);

const about = {
  caseId: Type.String(),
  cluster: orNull(Type.String()),
  tags: Type.Array(Type.String()),
  input: Type.String({ description: "Its beginning." }),
  expected: orNull(Type.String({ description: "Its beginning." })),
};
const outcome = { score, trials: Type.Array(Trial) };
const Outcome = Type.Object(outcome, closed);
const next = orNull(Type.Integer({ description: "The `from` of the next page; null on the last one." }));

export const CasePage = named(
  "CasePage",
  Type.Object(
    { cases: Type.Array(Type.Object({ ...about, ...outcome }, closed)), total: count, next },
    closed,
  ),
);

export const PairPage = named(
  "PairPage",
  Type.Object(
    {
      cases: Type.Array(Type.Object({ ...about, before: Outcome, after: Outcome }, closed)),
      total: count,
      next,
    },
    closed,
  ),
);

const difference = { mean: part, low: part, high: part, p: score, cases: count, clusters: count };

export const Comparison = named(
  "Comparison",
  Type.Object(
    {
      before: Line,
      after: Line,
      difference: Type.Object(difference, closed),
      slices: Type.Record(Type.String(), Type.Object({ ...difference, holm: score }, closed)),
      better: count,
      worse: count,
      unpaired: count,
      casesNeeded: orNull(count),
      margin: score,
      verdict: Type.Enum(["pass", "regress", "inconclusive"]),
    },
    closed,
  ),
);
