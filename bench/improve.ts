/**
 * How well `flujo improve` searches, and what it keeps that it should not: the tables of docs/improve.md.
 * `node bench/improve.ts [SEEDS] [RUNS] [FIRST SEED]` takes some minutes; the same worlds, fewer of them, are held by tests/evals/worlds.test.ts.
 */

import { taskWorld, worldFamilies } from "../src/testing/worlds/world.ts";
import {
  courseOf,
  type Estimate,
  keepingIn,
  ofRuns,
  overSeeds,
  rolloutsFor,
  sharesAt,
} from "../tests/evals/worlds.ts";

const [seeds, runs] = [Number(process.argv[2] ?? 30), Number(process.argv[3] ?? 1_000)];
/** The search was tuned on seeds up to 30: what it is worth is told by others. */
const first = Number(process.argv[4] ?? 101);
const most = 2_000;
const wanted = 0.9;
const row = (cells: readonly (string | number)[]): void => console.log(`| ${cells.join(" | ")} |`);
const percent = (share: number): string => (100 * share).toFixed(1);
const interval = ({ mean, low, high }: Estimate): string =>
  `${percent(mean)} (${percent(low)}–${percent(high)})`;

/** The fewest rollouts, to within ten, with which the share is reached: it rises with them, but for chance. */
async function fewest(share: (rollouts: number) => Promise<number>): Promise<number> {
  let [low, high] = [40, 80];
  while (high < most && (await share(high)) < wanted) [low, high] = [high, high * 2];
  while (high - low > 10) {
    const middle = Math.round((low + high) / 20) * 10;
    if ((await share(middle)) < wanted) low = middle;
    else high = middle;
  }
  return high;
}

console.log(`\nShare of the oracle's gain, ${seeds} seeds a family, in percent with 95 % intervals\n`);
row([
  "family",
  "oracle's gain",
  "plain GEPA reaches 90 % with",
  "`improve` with as many",
  "`improve` reaches 90 % with",
  "plain GEPA with as many",
]);
row(["---", "---", "---", "---", "---", "---"]);
const all: number[] = [];
for (const family of worldFamilies) {
  const gains = Array.from({ length: seeds }, (_, i) => {
    const { base, oracle } = taskWorld({ family, seed: first + i }).reach;
    return oracle.score - base.score;
  });
  const gepa = await courseOf(family, seeds, most, { first });
  const needed = rolloutsFor(wanted, gepa, most);
  const reached = await sharesAt(family, seeds, needed ?? most, { first });
  all.push(...reached);
  const own = await fewest(
    async (rollouts) => overSeeds(await sharesAt(family, seeds, rollouts, { first })).mean,
  );
  row([
    family,
    `+${overSeeds(gains).mean.toFixed(2)}`,
    needed === undefined ? `more than ${most}` : needed,
    interval(overSeeds(reached)),
    own,
    interval(overSeeds(gepa(own))),
  ]);
}
row(["all", "", "", interval(overSeeds(all)), "", ""]);

console.log(`\nThe same where each fix helps a little, at so many rollouts\n`);
const faintly = [200, 400, 800] as const;
row([
  "family",
  "oracle's gain",
  ...faintly.flatMap((rollouts) => [`plain GEPA, ${rollouts}`, `\`improve\`, ${rollouts}`]),
]);
row(["---", "---", ...faintly.flatMap(() => ["---", "---"])]);
for (const family of worldFamilies) {
  const { base, oracle } = taskWorld({ family, seed: first, variant: "faint" }).reach;
  const gepa = await courseOf(family, seeds, faintly[2], { first, variant: "faint" });
  const cells: string[] = [];
  for (const rollouts of faintly) {
    const own = await sharesAt(family, seeds, rollouts, { first, variant: "faint" });
    cells.push(interval(overSeeds(gepa(rollouts))), interval(overSeeds(own)));
  }
  row([family, `+${(oracle.score - base.score).toFixed(2)}`, ...cells]);
}

console.log("\nWhat is kept where no patch helps, in percent of the worlds, with 95 % intervals\n");
row([
  "worlds",
  "who",
  "looked better",
  "kept",
  "kept, and worse in truth",
  "kept, and a slice worse in truth",
]);
row(["---", "---", "---", "---", "---", "---"]);
for (const [variant, by, searches] of [
  ["null", "improve", 1],
  ["null", "improve", 5],
  ["null", "argmax", 1],
  ["harm", "improve", 1],
  ["harm", "argmax", 1],
] as const) {
  // Five searches in a row are five looks at one test split: fewer worlds, as each takes five times as long.
  const worlds = Math.ceil(runs / searches);
  const { found, kept, harmful, slicesHurt } = await keepingIn(variant, worlds, by, searches);
  const shares = [found, kept, harmful, slicesHurt].map((count) => interval(ofRuns(count, worlds)));
  row([variant, searches === 1 ? by : `${by}, ${searches} times in a row`, worlds, ...shares]);
}
