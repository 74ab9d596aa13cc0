import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { agreement } from "./agreement.ts";
import { cautionOn } from "./caution.ts";
import {
  type Clusters,
  clustersOf,
  degreesOfFreedom,
  intraclassCorrelation,
  type Scored,
  uncertaintyOf,
  varianceOfMean,
} from "./clusters.ts";
import { holm } from "./holm.ts";
import { meanInterval } from "./mean.ts";
import { casesNeeded } from "./needed.ts";
import { pairedDifference } from "./paired.ts";
import { normalQuantile, tQuantile } from "./quantiles.ts";

const scored = fc.array(
  fc.record({
    score: fc.double({ min: 0, max: 1, noNaN: true }),
    cluster: fc.constantFrom("a", "b", "c", "d", "e"),
  }),
  { minLength: 2, maxLength: 40 },
);
const several = scored.filter((scores) => new Set(scores.map(({ cluster }) => cluster)).size > 1);

/** Bell and McCaffrey as they are written: with the residual maker, its blocks and the whole matrix. */
function asWritten({ sizes }: Clusters, correlation: number): number {
  const of = sizes.flatMap((size, g) => Array<number>(size).fill(g));
  const n = of.length;
  const rows = sizes.map((size, g) =>
    of.map((h) => ((g === h ? 1 : 0) - size / n) / Math.sqrt(1 - size / n) / n),
  );
  const alike = (i: number, j: number): number => (i === j ? 1 : of[i] === of[j] ? correlation : 0);
  const q = rows.map((left) =>
    rows.map((right) => {
      let sum = 0;
      for (let i = 0; i < n; i += 1)
        for (let j = 0; j < n; j += 1) sum += (left[i] as number) * alike(i, j) * (right[j] as number);
      return sum;
    }),
  );
  const trace = q.reduce((sum, row, g) => sum + (row[g] as number), 0);
  return trace ** 2 / q.flat().reduce((sum, value) => sum + value ** 2, 0);
}

describe("the variance of a mean", () => {
  test("is s²/n where each case stands alone, with n - 1 degrees of freedom", () => {
    const scores = [0.2, 0.9, 0.4, 1, 0].map((score) => ({ score }));
    const clusters = clustersOf(scores);
    expect(varianceOfMean(clusters)).toBeCloseTo(0.19 / 5, 12);
    expect(degreesOfFreedom(clusters, intraclassCorrelation(clusters))).toBeCloseTo(4, 12);
  });

  test("is that of the clusters' means where all have one size", () => {
    const scores = [0.2, 0.4, 0.9, 0.7, 0.1, 0.1].map((score, i) => ({ score, cluster: `${i >> 1}` }));
    const ofMeans = clustersOf([0.3, 0.8, 0.1].map((score) => ({ score })));
    expect(varianceOfMean(clustersOf(scores))).toBeCloseTo(varianceOfMean(ofMeans), 12);
    expect(degreesOfFreedom(clustersOf(scores), 0.5)).toBeCloseTo(2, 12);
  });

  test("has the degrees of freedom that the matrix of Bell and McCaffrey gives", () => {
    fc.assert(
      fc.property(several, fc.double({ min: 0, max: 1, noNaN: true }), (scores, correlation) => {
        const clusters = clustersOf(scores);
        const freedom = degreesOfFreedom(clusters, correlation);
        expect(freedom).toBeCloseTo(asWritten(clusters, correlation), 6);
        expect(freedom).toBeLessThanOrEqual(clusters.sizes.length - 1 + 1e-9);
      }),
      { numRuns: 50 },
    );
  });

  test("grows when alike cases are counted as such", () => {
    const alone = Array.from({ length: 40 }, (_, i) => ({ score: Number(i < 20) }));
    const alike = alone.map((one, i) => ({ ...one, cluster: `${i >> 2}` }));
    expect(meanInterval(alike).standardError).toBeGreaterThan(1.9 * meanInterval(alone).standardError);
    expect(meanInterval(alike).correlation).toBe(1);
  });
});

describe("the uncertainty of a mean", () => {
  const of = (sums: readonly number[]) =>
    clustersOf(
      sums.flatMap((sum, g) =>
        Array.from({ length: 4 }, (_, i) => ({ score: Number(i < sum), cluster: `${g}` })),
      ),
    );

  test("is what its variance says where clusters scatter as usual", () => {
    const clusters = of(Array.from({ length: 40 }, (_, g) => g % 5));
    expect(uncertaintyOf(clusters, 0.5)).toEqual({
      variance: varianceOfMean(clusters),
      degreesOfFreedom: degreesOfFreedom(clusters, 0.5),
    });
  });

  test("is larger, and known worse, the fewer clusters differ", () => {
    const failing = [8, 4, 2, 1].map((few) => of(Array.from({ length: 40 }, (_, g) => (g < few ? 0 : 4))));
    const found = failing.map((clusters) => {
      const { variance, degreesOfFreedom: freedom } = uncertaintyOf(clusters, 1);
      return [variance / varianceOfMean(clusters), freedom] as const;
    });
    for (const [i, [grown, freedom]] of found.entries()) {
      expect(grown).toBeGreaterThanOrEqual(found[i - 1]?.[0] ?? 1);
      expect(freedom).toBeLessThanOrEqual((found[i - 1]?.[1] ?? 39) + 1e-9);
    }
    expect(found.at(-1)?.[0]).toBeCloseTo(1 + 0.95 - 4 / 40, 1); // one of 40
    expect(found.at(-1)?.[1]).toBeLessThan(2.5);
  });
});

describe("the interval of a mean", () => {
  test("lies within 0 and 1, around the mean, and does not depend on the cases' order", () => {
    fc.assert(
      fc.property(scored, (scores) => {
        const { mean, low, high } = meanInterval(scores);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(mean + 1e-9);
        expect(high).toBeGreaterThanOrEqual(mean - 1e-9);
        expect(high).toBeLessThanOrEqual(1);
        const turned = meanInterval(scores.toReversed());
        expect(turned.low).toBeCloseTo(low, 9);
        expect(turned.high).toBeCloseTo(high, 9);
      }),
    );
  });

  test("is Wilson's, of which Brown, Cai and DasGupta (2001) tell, where each of many cases stands alone", () => {
    // 150 of 1,000: 0.1292 to 0.1735 by Wilson's formula with z = 1.96.
    const scores: Scored[] = Array.from({ length: 1_000 }, (_, i) => ({ score: Number(i < 150) }));
    const { low, high } = meanInterval(scores);
    expect(low).toBeCloseTo(0.1292, 3);
    expect(high).toBeCloseTo(0.1735, 3);
  });

  test("is no wider than that of as many cases as the clusters are worth if each passes or fails as a whole", () => {
    // Jeffreys' limits, by SciPy 1.17: beta.ppf(q, m n + 1/2, (1 - m) n + 1/2), with m = 0.95, n = 20 and m = 2/3, n = 900/200.
    const wholly = Array.from({ length: 100 }, (_, i) => ({
      score: Number(i >= 5),
      cluster: `${Math.floor(i / 5)}`,
    }));
    expect(meanInterval(wholly).low).toBeCloseTo(0.7891813637507348, 8);
    expect(meanInterval(wholly).high).toBeCloseTo(0.9945509674185733, 8);
    const sizes = [9, 1, 2, 8, 5, 5];
    const uneven = sizes.flatMap((size, g) =>
      Array.from({ length: size }, () => ({ score: Number(g !== 2 && g !== 3), cluster: `${g}` })),
    );
    const known = [
      [0.95, 0.24062939810865433, 0.9407574053411847],
      [0.9, 0.2981102335641802, 0.9142725057851048],
    ] as const;
    for (const [confidence, low, high] of known) {
      const found = meanInterval(uneven, confidence);
      expect([found.low, found.high]).toEqual([expect.closeTo(low, 8), expect.closeTo(high, 8)]);
    }
  });

  test("is Wilson's with t where each case stands alone, however few there are", () => {
    // 10 of 20, by hand: k = t²(19) v / 0.25 = 0.23057, and half of it √(k (0.25 + k / 4)) / (1 + k).
    const { low, high } = meanInterval(Array.from({ length: 20 }, (_, i) => ({ score: Number(i < 10) })));
    expect([low, high]).toEqual([expect.closeTo(0.28357, 4), expect.closeTo(0.71643, 4)]);
  });

  test("holds the mean, also where one cluster has nearly all cases", () => {
    for (const usual of [0, 1]) {
      const giant = Array.from({ length: 10_000 }, () => ({ score: usual, cluster: "giant" }));
      const { mean, low, high } = meanInterval([...giant, { score: 1 - usual, cluster: "other" }]);
      expect(low).toBeLessThan(mean);
      expect(high).toBeGreaterThan(mean);
    }
  });

  test("of scores that are all the same is not empty: what was not seen may still be", () => {
    const { low, high } = meanInterval(Array.from({ length: 20 }, () => ({ score: 1 })));
    expect(low).toBeCloseTo(0.025 ** (1 / 20), 9); // Clopper and Pearson's bound of 20 in 20
    expect(high).toBe(1);
    expect(meanInterval(Array.from({ length: 20 }, () => ({ score: 0.5 }))).low).toBeGreaterThan(0.4);
  });

  test("of one cluster says that nothing is known", () => {
    expect(
      meanInterval([
        { score: 0.5, cluster: "a" },
        { score: 0.6, cluster: "a" },
      ]),
    ).toMatchObject({ low: 0, high: 1 });
  });

  test("of no scores, or of scores out of bounds, is refused", () => {
    expect(() => meanInterval([])).toThrow(RangeError);
    expect(() => meanInterval([{ score: 1.1 }])).toThrow(RangeError);
    expect(() => meanInterval([{ score: Number.NaN }])).toThrow(RangeError);
  });
});

describe("the paired difference", () => {
  const pairs = Array.from({ length: 60 }, (_, i) => ({
    before: (i * 37) % 2,
    after: (i * 37) % 2 === 1 || i % 3 === 0 ? 1 : 0,
    cluster: `${i % 30}`,
  }));

  test("finds a gain that is there, and the same one each time", () => {
    const { mean, low, high, p } = pairedDifference(pairs);
    expect(mean).toBeCloseTo(10 / 60, 12);
    expect(low).toBeGreaterThan(0);
    expect(high).toBeLessThan(0.35);
    expect(p).toBeLessThan(0.05);
    expect(pairedDifference(pairs)).toEqual({ ...pairedDifference(pairs), mean, low, high, p });
  });

  test("is turned around with its pairs", () => {
    const [there, back] = [
      pairs,
      pairs.map(({ before, after, cluster }) => ({ before: after, after: before, cluster })),
    ].map((list) => pairedDifference(list)) as [
      ReturnType<typeof pairedDifference>,
      ReturnType<typeof pairedDifference>,
    ];
    expect(back.low).toBeCloseTo(-there.high, 12);
    expect(back.p).toBe(there.p);
  });

  test("is Student's where pairs stand alone: Darwin's maize, as Fisher (1935) reckons it", () => {
    // Inches, by a hundredth: t is 2.148 with 14 degrees of freedom, p 0.0497, the interval 0.0036 to 5.2297.
    const crossed = [
      23.5, 12, 21, 22, 19.125, 21.5, 22.125, 20.375, 18.25, 21.625, 23.25, 21, 22.125, 23, 12,
    ];
    const selfed = [
      17.375, 20.375, 20, 20, 18.375, 18.625, 18.625, 15.25, 16.5, 18, 16.25, 18, 12.75, 15.5, 18,
    ];
    const maize = crossed.map((height, i) => ({
      before: (selfed[i] as number) / 100, // as many as there are of the others
      after: height / 100,
    }));
    const { mean, low, high, p, standardError } = pairedDifference(maize);
    expect(mean / standardError).toBeCloseTo(2.148, 3);
    expect(p).toBeCloseTo(0.0497, 4);
    expect(low * 100).toBeCloseTo(0.0036, 3);
    expect(high * 100).toBeCloseTo(5.2297, 3);
  });

  test("that rests on one case of many is small, and not surely anything", () => {
    const one = Array.from({ length: 40 }, (_, i) => ({
      before: 0,
      after: Number(i === 7),
      cluster: `${i % 20}`,
    }));
    const { mean, low, high, p } = pairedDifference(one);
    expect(mean).toBe(1 / 40);
    expect(low).toBeGreaterThan(-0.2);
    expect(low).toBeLessThan(-0.05);
    expect(high).toBeLessThan(0.25);
    expect(p).toBeGreaterThan(0.3);
    // The bootstrap has no word on it: a third of its draws have no case that changed.
    expect(pairedDifference(one, { by: "bootstrap" })).toMatchObject({ low: -1, high: 1 });
  });

  test("by bootstrap is that of Student's t where many clusters differ", () => {
    const [t, bootstrap] = [pairedDifference(pairs), pairedDifference(pairs, { by: "bootstrap" })];
    expect(bootstrap.low).toBeCloseTo(t.low, 1);
    expect(bootstrap.high).toBeCloseTo(t.high, 1);
    expect(pairedDifference(pairs, { by: "bootstrap" })).toEqual(bootstrap);
    expect(pairedDifference(pairs, { by: "bootstrap", seed: 2 })).not.toEqual(bootstrap);
  });

  test("agrees with Student's t where there are many clusters", () => {
    const many = Array.from({ length: 500 }, (_, i) => ({
      before: 0.5,
      after: 0.5 + ((i * 7919) % 101) / 400,
    }));
    const { low, high, mean, standardError } = pairedDifference(many);
    const t = tQuantile(0.975, 499);
    expect(low / (mean - t * standardError)).toBeCloseTo(1, 1);
    expect(high / (mean + t * standardError)).toBeCloseTo(1, 1);
  });

  test("where nothing differs is 0, within what may have gone unseen", () => {
    const { mean, low, high, p } = pairedDifference(
      Array.from({ length: 100 }, () => ({ before: 1, after: 1 })),
    );
    expect({ mean, p }).toEqual({ mean: 0, p: 1 });
    expect(low).toBeCloseTo(-(1 - 0.025 ** (1 / 100)), 9);
    expect(high).toBeCloseTo(-low, 9);
  });

  test("of one cluster, or none, says so", () => {
    expect(pairedDifference([{ before: 0, after: 1 }])).toMatchObject({ low: -1, high: 1, p: 1 });
    expect(() => pairedDifference([])).toThrow(RangeError);
  });
});

describe("several looks", () => {
  test("are corrected by Holm's steps, in the order given", () => {
    const expected = [0.03, 0.06, 0.06, 0.02];
    for (const [i, p] of holm([0.01, 0.04, 0.03, 0.005]).entries())
      expect(p).toBeCloseTo(expected[i] as number, 12);
    expect(holm([])).toEqual([]);
    expect(holm([0.9, 0.8])).toEqual([1, 1]);
  });

  test("are never more convincing than one", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (ps) => {
        for (const [i, p] of holm(ps).entries()) expect(p).toBeGreaterThanOrEqual(ps[i] as number);
      }),
    );
  });
});

test("the cases needed are those of the textbook, and none where nothing can be known", () => {
  // One sample, a deviation of 1, a difference of 0.5, 80 %: (1.96 + 0.8416)² / 0.25 = 31.4.
  expect(casesNeeded({ standardError: 0.1, cases: 100 }, 0.5)).toBe(32);
  expect(casesNeeded({ standardError: 0.1, cases: 100 }, -0.5)).toBe(32);
  expect(casesNeeded({ standardError: 0, cases: 100 }, 0.5)).toBeUndefined();
  expect(casesNeeded({ standardError: 0.1, cases: 100 }, 0)).toBeUndefined();
});

test("Cohen's kappa is that of the textbook: 20 and 15 agreed, 5 and 10 not, is 0.4", () => {
  const rows = [
    ["yes", "yes", 20],
    ["yes", "no", 5],
    ["no", "yes", 10],
    ["no", "no", 15],
  ] as const;
  const verdicts = rows.flatMap(([verdict, label, times]) =>
    Array.from({ length: times }, () => ({ verdict, label })),
  );
  expect(agreement(verdicts).kappa).toBeCloseTo(0.4, 12);
  expect(agreement(verdicts).agreed.mean).toBeCloseTo(0.7, 12);
  expect(agreement([{ verdict: "yes", label: "yes" }]).kappa).toBeUndefined();
});

test("quantiles are those of published tables", () => {
  expect(tQuantile(0.975, 1)).toBeCloseTo(12.7062, 4);
  expect(tQuantile(0.975, 10)).toBeCloseTo(2.228139, 6);
  expect(tQuantile(0.95, 30)).toBeCloseTo(1.697261, 6);
  expect(normalQuantile(0.975)).toBeCloseTo(1.959964, 6);
});

describe("a caution", () => {
  const on = (mean: number, cases: number, clusters: number) => cautionOn({ mean, cases, clusters });

  test("is given of one cluster, and of few large ones that nearly all pass, or fail", () => {
    expect(on(0.5, 40, 1)).toContain("All cases are of one cluster");
    expect(on(0.5, 1, 1)).toContain("One case");
    expect(on(0.98, 600, 20)).toContain("Of 20 clusters with 30 cases each hardly any fails");
    expect(on(0.02, 600, 20)).toContain("hardly any passes");
  });

  test("is not given where clusters are small, or enough of them fail", () => {
    expect(on(0.98, 100, 20)).toBeUndefined();
    expect(on(0.95, 6_000, 200)).toBeUndefined();
    expect(on(0.98, 20, 20)).toBeUndefined();
  });
});
