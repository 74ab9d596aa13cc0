/**
 * How often a change is promoted that does nothing, or harm: the table of decision 0031. `node bench/promotion.ts [EXPERIMENTS]`
 * takes a minute; src/evals/improve/promotion.test.ts holds fewer of them.
 */
import { confidenceAt, promotion, type TrialScore } from "../src/evals/improve/promotion.ts";
import { drawFrom, type PairScenario, pairsOf } from "../tests/evals/clustered.ts";

const experiments = Number(process.argv[2] ?? 4_000);
const counts = [5, 6, 8, 12, 20, 50];
const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(" | ")} |`);

function promoted(scenario: PairScenario): string {
  const draw = drawFrom(31);
  let count = 0;
  for (let i = 0; i < experiments; i += 1) {
    const pairs = pairsOf(scenario, draw);
    const scores = (side: "before" | "after"): TrialScore[] =>
      pairs.map((pair, n) => ({
        caseId: `${n}`,
        cluster: pair.cluster,
        tags: [],
        score: pair[side],
        picoUsd: "1",
      }));
    if (promotion(scores("before"), scores("after"), { look: 1 }).verdict === "promote") count += 1;
  }
  return ((100 * count) / experiments).toFixed(1);
}

const allowed = (100 * (1 - confidenceAt(1))).toFixed(2);
console.log(
  `\nPromoted of 100 at the first look, which allows ${allowed}; ${experiments} experiments a cell\n`,
);
row(["scores", "before → after", "ICC", ...counts.map((clusters) => `${clusters} clusters`)]);
row(["---", "---", "---", ...counts.map(() => "---")]);
for (const kind of ["binary", "continuous"] as const)
  for (const [mean, after] of [
    [0.5, 0.5],
    [0.9, 0.9],
    [0.6, 0.55],
  ] as const)
    for (const icc of [0, 0.7])
      row([
        kind,
        `${mean} → ${after}`,
        icc,
        ...counts.map((clusters) => promoted({ kind, mean, after, icc, clusters })),
      ]);
