import { expect, test } from "vitest";
import { simulateImproving } from "./improving.ts";

test("improve among crashes, pauses and take-overs keeps every promise", async () => {
  let [crashes, repeats, raises, proved] = [0, 0, 0, 0];
  const broken = [];
  for (let seed = 1; seed <= 40; seed += 1) {
    const report = await simulateImproving({ seed, outages: seed > 30 });
    crashes += report.crashes;
    repeats += report.repeats;
    raises += report.raises;
    if (report.proved) proved += 1;
    if (report.violations.length > 0) broken.push({ seed, violations: report.violations });
  }
  expect(broken).toEqual([]);
  expect(crashes).toBeGreaterThan(40);
  expect(repeats).toBeGreaterThan(0);
  expect(raises).toBeGreaterThan(10);
  expect(proved).toBeGreaterThan(8);
});
