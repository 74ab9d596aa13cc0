import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";
import { describe, expect, test } from "vitest";
import { confidenceAt, promotion, type TrialScore } from "./promotion.ts";

/** Cases with a score each; `tags` and `cluster` by their number. */
function scores(
  count: number,
  score: (i: number) => number,
  more: (i: number) => Partial<TrialScore> = () => ({}),
): TrialScore[] {
  return Array.from({ length: count }, (_, i) => ({
    caseId: `case ${i}`,
    tags: [],
    score: score(i),
    picoUsd: "1000",
    ...more(i),
  }));
}

const look = 1;

describe("a change", () => {
  test("is promoted when the lower end of its gain is above the threshold", () => {
    const before = scores(40, (i) => (i % 4 === 0 ? 1 : 0));
    const after = scores(40, (i) => (i % 4 === 3 ? 0 : 1));
    const { verdict, difference, why } = promotion(before, after, { look });
    expect(verdict).toBe("promote");
    expect(difference.mean).toBeCloseTo(0.5);
    expect(why).toMatch(/^The gain is \+0\.500, at least \+0\.\d{3}\.$/);
    expect(promotion(before, after, { look, threshold: 0.45 }).verdict).toBe("insufficient-evidence");
    expect(promotion(before, after, { look, threshold: 0.5 }).verdict).toBe("no-gain");
  });

  test("that may be chance is not, and it says how many cases would tell", () => {
    const before = scores(20, (i) => (i % 2 === 0 ? 1 : 0));
    const after = scores(20, (i) => (i % 2 === 0 || i === 1 ? 1 : 0));
    const found = promotion(before, after, { look });
    expect(found.verdict).toBe("insufficient-evidence");
    expect(found.casesNeeded).toBeGreaterThan(20);
    expect(found.why).toContain(`About ${found.casesNeeded} test cases would tell.`);
  });

  test("that does nothing, or harm, is no gain", () => {
    const half = scores(30, (i) => i % 2);
    expect(promotion(half, half, { look }).verdict).toBe("no-gain");
    const worse = scores(30, () => 0);
    expect(promotion(half, worse, { look }).verdict).toBe("no-gain");
  });

  test("is not promoted on cases of fewer than five clusters, however well it does", () => {
    const of = (clusters: number) => (i: number) => ({ cluster: `document ${i % clusters}` });
    const at = (clusters: number) =>
      promotion(
        scores(60, () => 0, of(clusters)),
        scores(60, () => 1, of(clusters)),
        { look },
      );
    expect(at(1)).toMatchObject({ verdict: "insufficient-evidence" });
    expect(at(1).why).toContain("The 60 cases are of one cluster; it takes 5.");
    expect(at(4)).toMatchObject({ verdict: "insufficient-evidence" });
    expect(at(8)).toMatchObject({ verdict: "promote" });
  });

  test("that makes a slice worse is not promoted, however much it helps the others", () => {
    const tags = (i: number) => ({ tags: [i % 4 === 0 ? "rare" : "common"] });
    const before = scores(80, (i) => (i % 4 === 0 ? 1 : 0), tags);
    const after = scores(80, (i) => (i % 4 === 0 ? 0 : 1), tags);
    const found = promotion(before, after, { look });
    expect(found.verdict).toBe("slice-regressed");
    expect(found.why).toBe('It is better on the whole, and worse on "rare".');
    expect(found.slices).toMatchObject({ rare: { mean: -1, regressed: "yes" }, common: { regressed: "no" } });
  });

  test("can be recorded, also of a slice that has a single cluster", () => {
    const more = (i: number) => ({ tags: i < 3 ? ["rare"] : [], cluster: `file ${Math.floor(i / 4)}` });
    const found = promotion(
      scores(40, () => 0, more),
      scores(40, (i) => (i % 3 === 0 ? 0 : 1), more),
      { look },
    );
    expect(found.slices.rare).toMatchObject({ low: -1, high: 1, clusters: 1, standardError: 1 });
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  test("by which a slice may have become worse says so, and goes through", () => {
    const tags = (i: number) => ({ tags: i < 4 ? ["rare"] : [] });
    const before = scores(60, (i) => (i < 4 ? 1 : 0), tags);
    const after = scores(60, (i) => (i < 1 ? 0 : 1), tags);
    const found = promotion(before, after, { look });
    expect(found.verdict).toBe("promote");
    expect(found.slices.rare).toMatchObject({ mean: -0.25, regressed: "maybe" });
  });

  test("is asked of its slices all together: of ten that are looked at one seems worse by chance", () => {
    const fallen = (i: number) => i % 10 === 0 && i < 40;
    const was = (tags: (i: number) => Partial<TrialScore>) => scores(80, (i) => (i % 10 === 0 ? 1 : 0), tags);
    const became = (tags: (i: number) => Partial<TrialScore>) => scores(80, (i) => (fallen(i) ? 0 : 1), tags);
    const ten = (i: number) => ({ tags: [`t${i % 10}`] });
    expect(promotion(was(ten), became(ten), { look })).toMatchObject({
      verdict: "promote",
      slices: { t0: { mean: -0.5, regressed: "maybe" } },
    });
    const one = (i: number) => ({ tags: i % 10 === 0 ? ["t0"] : [] });
    expect(promotion(was(one), became(one), { look }).verdict).toBe("slice-regressed");
  });

  test("may cost a quarter more, and no more than that", () => {
    const before = scores(40, () => 0);
    const at = (picoUsd: string, terms = {}) =>
      promotion(
        before,
        scores(
          40,
          () => 1,
          () => ({ picoUsd }),
        ),
        { look, ...terms },
      );
    expect(at("1250").verdict).toBe("promote");
    expect(at("1251")).toMatchObject({
      verdict: "too-costly",
      why: "A case costs $0.000000001251, was $0.000000001, and may cost 1.25 times of that.",
    });
    expect(at("1251", { maxCostRatio: 2 }).verdict).toBe("promote");
    expect(at("9".repeat(40), { maxCostRatio: Number.POSITIVE_INFINITY }).verdict).toBe("promote");
  });

  test("counts each case once, with the mean of its trials", () => {
    const once = scores(10, () => 0);
    const thrice = [1, 1, 0].flatMap((score) => scores(10, () => score));
    const { difference, cost } = promotion(once, thrice, { look });
    expect(difference).toMatchObject({ cases: 10 });
    expect(difference.mean).toBeCloseTo(2 / 3);
    expect(cost).toEqual({ before: "0.000000001", after: "0.000000001" });
  });

  test("is judged on the same cases before and after", () => {
    expect(() =>
      promotion(
        scores(3, () => 0),
        scores(4, () => 0),
        { look },
      ),
    ).toThrow('the case "case 3" was not tried both before and after');
    expect(() => promotion([], [], { look })).toThrow(RangeError);
  });

  test.each([
    { threshold: -0.1 },
    { threshold: Number.NaN },
    { sliceMargin: 2 },
    { maxCostRatio: Number.NaN },
  ])("is not judged on terms that mean nothing: %j", (terms) => {
    const half = scores(10, (i) => i % 2);
    expect(() => promotion(half, half, { look, ...terms })).toThrow(/it takes a number from 0/);
  });
});

describe("looks at one test split", () => {
  test("together leave 5 of 100 to chance, however many there are", () => {
    let left = 0;
    for (let k = 1; k <= 100_000; k += 1) left += 1 - confidenceAt(k);
    expect(left).toBeLessThan(0.05);
    expect(left).toBeGreaterThan(0.0499);
    expect(() => confidenceAt(0)).toThrow(RangeError);
  });

  test("make the interval wider each time", () => {
    const before = scores(40, (i) => (i % 3 === 0 ? 1 : 0));
    const after = scores(40, (i) => (i % 3 === 1 && i % 4 < 2 ? 1 : (before[i]?.score ?? 0)));
    const verdicts = [1, 2, 5, 20].map((nth) => promotion(before, after, { look: nth }));
    const lows = verdicts.map(({ difference }) => difference.low);
    expect(lows).toEqual(lows.toSorted((a, b) => b - a));
    expect(verdicts[0]?.verdict).toBe("promote");
    expect(verdicts[3]?.verdict).toBe("insufficient-evidence");
  });
});

describe("of many changes", () => {
  /** Right or wrong, by chance: as often as `skill` says. In documents of three cases, alike. */
  function trials(random: () => number, cases: number, skill: number, ease: readonly number[]): TrialScore[] {
    return scores(
      cases,
      (i) => (random() < skill * 0.6 + (ease[Math.floor(i / 3)] ?? 0) * 0.4 ? 1 : 0),
      (i) => ({ cluster: `document ${Math.floor(i / 3)}` }),
    );
  }

  function promoted(gain: number, runs: number): number {
    const generator = xoroshiro128plus(20);
    const random = () => (generator.next() >>> 0) / 2 ** 32;
    let count = 0;
    for (let run = 0; run < runs; run += 1) {
      const ease = Array.from({ length: 15 }, random);
      const [before, after] = [trials(random, 45, 0.4, ease), trials(random, 45, 0.4 + gain, ease)];
      if (promotion(before, after, { look }).verdict === "promote") count += 1;
    }
    return count;
  }

  test("that do nothing, hardly any is promoted", () => {
    expect(promoted(0, 200)).toBeLessThanOrEqual(6); // 3 of 100 are allowed
  });

  test("that do harm, none is", () => {
    expect(promoted(-0.2, 60)).toBe(0);
  });

  test("that help a lot, nearly all are", () => {
    expect(promoted(0.6, 100)).toBeGreaterThan(80);
  });
});
