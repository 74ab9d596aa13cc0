/**
 * How often 95 % intervals hold the truth: the tables of docs/evals.md and decision 0030. `node bench/coverage.ts [EXPERIMENTS]`
 * takes a few minutes; the same scenarios, fewer of them, are held by tests/evals/coverage.test.ts.
 */
import { coverageOfDifference, coverageOfMean, monteCarloError } from "../tests/evals/clustered.ts";

const experiments = Number(process.argv[2] ?? 10_000);
const percent = (share: number): string => (100 * share).toFixed(1);
const counts = [5, 10, 20, 50, 200];
const iccs = [0, 0.3, 0.7];
const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(" | ")} |`);

console.log(`\nMeans, ${experiments} experiments a cell, ±${percent(monteCarloError(experiments))} each\n`);
row(["scores", "mean", "ICC", ...counts.map((clusters) => `${clusters} clusters`)]);
row(["---", "---", "---", ...counts.map(() => "---")]);
for (const kind of ["binary", "continuous"] as const)
  for (const mean of [0.5, 0.8, 0.9, 0.95])
    for (const icc of iccs) {
      const cells = counts.map((clusters) =>
        percent(coverageOfMean({ kind, mean, icc, clusters }, experiments)),
      );
      row([kind, mean, icc, ...cells]);
    }

console.log(
  `\nDifferences, ${experiments} experiments a cell, ±${percent(monteCarloError(experiments))} each\n`,
);
row(["scores", "before → after", "ICC", ...counts.map((clusters) => `${clusters} clusters`)]);
row(["---", "---", "---", ...counts.map(() => "---")]);
for (const kind of ["binary", "continuous"] as const)
  for (const [mean, after] of [
    [0.6, 0.6],
    [0.7, 0.8],
    [0.9, 0.9],
    [0.9, 0.95],
  ] as const)
    for (const icc of iccs) {
      const cells = counts.map((clusters) =>
        percent(coverageOfDifference({ kind, mean, after, icc, clusters }, experiments)),
      );
      row([kind, `${mean} → ${after}`, icc, ...cells]);
    }
