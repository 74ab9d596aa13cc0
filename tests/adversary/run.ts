/**
 * `npm run adversary -- --seeds 10000 [--from N]`, `--seed N` for one by itself, told in full, `--kills 100` on real
 * processes, or `--governors 200` for a comparison with other budgets.
 */
import { parseArgs } from "node:util";
import { comparison } from "./governors.ts";
import { killing } from "./kills.ts";
import { type Life, live } from "./life.ts";
import { opponent } from "./opponent.ts";
import { liveTogether, size } from "./tenant.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "6" },
    seed: { type: "string" },
    kills: { type: "string" },
    governors: { type: "string" },
  },
});
await using server = await opponent();
if (values.kills !== undefined) {
  const figures = await killing(Number(values.kills), Number(values.from));
  console.log(figures);
  process.exitCode = figures.violations.length > 0 ? 1 : 0;
} else if (values.governors !== undefined) {
  for (const [governor, figures] of Object.entries(await comparison(Number(values.governors))))
    console.log(governor, figures);
} else if (values.seed !== undefined) {
  const life = await live(Number(values.seed), server.url);
  console.log(JSON.stringify(life, (_, value) => (typeof value === "bigint" ? `${value}` : value), 1));
} else {
  const [from, count] = [Number(values.from), Number(values.seeds)];
  const began = performance.now();
  let failed = 0;
  const sums = { requests: 0, halts: 0, breaches: 0 };
  const tell = ({ scenario, violations, bill, halts, entries }: Life): void => {
    sums.requests += bill.requests;
    sums.halts += halts;
    sums.breaches += entries.filter(({ type }) => type === "budget-breached").length;
    if (violations.length === 0) return;
    failed += 1;
    console.log(`seed ${scenario.seed}: ${violations.join("; ")}`);
  };
  for (let seed = from; seed < from + count; seed += size)
    for (const life of await liveTogether(seed, server.url)) tell(life);
  const seconds = (performance.now() - began) / 1_000;
  console.log(
    `${count} scenarios, ${sums.requests} requests, ${sums.halts} halts, ${sums.breaches} breaches, ${failed} failed; ${seconds.toFixed(1)} s`,
  );
  process.exitCode = failed > 0 ? 1 : 0;
}
