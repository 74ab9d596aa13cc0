/** 95 % intervals hold the truth as often as they say, when cases are alike. The whole table: `node bench/coverage.ts`. */
import { describe, expect, test } from "vitest";
import { coverageOfDifference, coverageOfMean, monteCarloError } from "./clustered.ts";

const scenarios = (["binary", "continuous"] as const).flatMap((kind) =>
  [20, 50].flatMap((clusters) => [0, 0.3, 0.7].map((icc) => ({ kind, clusters, icc }))),
);

describe("95 % intervals hold the truth in 93 to 97 of a hundred experiments", () => {
  const experiments = 4_000;

  test("enough experiments that two standard errors of the finding are under a hundredth", () => {
    expect(2 * monteCarloError(experiments)).toBeLessThan(0.01);
  });

  test.each(scenarios)("of means: $kind, $clusters clusters, ICC $icc", (scenario) => {
    // Nearer to 1 twenty clusters are too few, as the table says: intervals are wider than they need be.
    for (const mean of scenario.clusters === 20 ? [0.5, 0.8, 0.9] : [0.5, 0.8, 0.95]) {
      const coverage = coverageOfMean({ ...scenario, mean }, experiments);
      expect(coverage).toBeGreaterThanOrEqual(0.93);
      expect(coverage).toBeLessThanOrEqual(0.97);
    }
  });

  // There no interval can be within them everywhere: docs/evals.md.
  test.each([5, 10, 20])(
    "of means, but for few clusters that nearly all pass: %i hold less than 98.5",
    (clusters) => {
      for (const mean of [0.8, 0.9, 0.95]) {
        const coverage = coverageOfMean({ kind: "binary", clusters, icc: 0.7, mean }, experiments);
        expect(coverage).toBeGreaterThanOrEqual(0.93);
        expect(coverage).toBeLessThan(0.985);
      }
    },
  );

  test.each(scenarios)("of paired differences: $kind, $clusters clusters, ICC $icc", (scenario) => {
    const high = scenario.clusters === 20 ? ([0.8, 0.9] as const) : ([0.9, 0.95] as const);
    for (const [mean, after] of [[0.7, 0.8] as const, high]) {
      const coverage = coverageOfDifference({ ...scenario, mean, after }, experiments / 2);
      expect(coverage).toBeGreaterThanOrEqual(0.93);
      expect(coverage).toBeLessThanOrEqual(0.97);
    }
  });
});
