/**
 * `npm run simulate -- --seeds 1000 [--from 1]`: simulates that many seeds and stops to tell of each that breaks a promise.
 * `npm run simulate -- --seed 42`: one seed, with what happened.
 * `--sinks` beside either: with a sink that is told everything.
 * `--limits` beside either: most processes advance the run for a limited time.
 * `--outages` beside any: stores of most processes that do not always answer.
 * `--forks` beside them: each run is forked at every place of its record, twice among faults.
 * `--shared` beside either: runs that share accounts.
 * `--postgres postgres://…` beside any: on stores in that database, each in a schema of its own, which is left there.
 * `--redis redis://…` beside any: on stores in that server, each with a prefix of its own, which is left there.
 * `--improving` beside either: searches for better prompts.
 */
import { randomUUID } from "node:crypto";
import { parseArgs } from "node:util";
import type { Store } from "../src/ports/store.ts";
import { postgres } from "../src/stores/postgres.ts";
import { redis } from "../src/stores/redis.ts";
import { grounded } from "../src/testing/grounded.ts";
import { simulateImproving } from "../src/testing/simulation/improving.ts";
import { simulateShared } from "../src/testing/simulation/shared.ts";
import { type SimulateOptions, type SimulationReport, simulate } from "../src/testing/simulation.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    seed: { type: "string" },
    shared: { type: "boolean", default: false },
    improving: { type: "boolean", default: false },
    sinks: { type: "boolean", default: false },
    limits: { type: "boolean", default: false },
    outages: { type: "boolean", default: false },
    forks: { type: "boolean", default: false },
    postgres: { type: "string" },
    redis: { type: "string" },
  },
});

const { postgres: database, redis: server } = values;
const newName = (): string => `s_${randomUUID().replaceAll("-", "")}`;

/** Makes stores where they were asked for. */
const far: (() => Store) | undefined =
  database !== undefined
    ? () => postgres(database, { schema: newName(), connections: 2 })
    : server !== undefined
      ? () => redis(server, { prefix: newName() })
      : undefined;

/** Of what is simulated: the store it is on, where one is named. */
const on: Pick<SimulateOptions, "store"> =
  far === undefined ? {} : { store: (world) => grounded(far(), world) };

const journalTail = 40;
const how: Omit<SimulateOptions, "seed"> = {
  ...on,
  sinks: values.sinks,
  limits: values.limits,
  outages: values.outages,
  ...(values.forks ? { forks: { places: Number.POSITIVE_INFINITY, rough: 2 } } : {}),
};

/** JSON has no integers of any size. */
const digits = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}` : value);

function tell(report: SimulationReport, whole: boolean): void {
  const { seed, violations, schedule, journal, expectedJournal, expected, end } = report;
  console.log(`seed ${seed}: ${violations.length === 0 ? "every promise kept" : violations.join("\n  ")}`);
  if (violations.length === 0 && !whole) return;
  console.log(`\nwhat happened\n${schedule.map((line) => `  ${line}`).join("\n")}`);
  if (whole) console.log(`\njournal without faults\n${expectedJournal.map(lineOf).join("\n")}`);
  const shown = whole ? journal : journal.slice(-journalTail);
  console.log(
    `\njournal${whole ? "" : `, its last ${shown.length} entries`}\n${shown.map(lineOf).join("\n")}`,
  );
  console.log(`\nexpected ${JSON.stringify(expected, digits)}\ncame to ${end?.status ?? "no end"}\n`);
}

const longest = 220;
const lineOf = (entry: object): string => `  ${JSON.stringify(entry).slice(0, longest)}`;

/** Seeds of another simulation; one alone is told with what happened. */
async function others(
  simulateOne: (options: { readonly seed: number } & typeof on) => Promise<{
    readonly violations: readonly string[];
    readonly schedule: readonly string[];
    readonly crashes: number;
  }>,
): Promise<void> {
  const from = Number(values.seed ?? values.from);
  const count = values.seed === undefined ? Number(values.seeds) : 1;
  const broken: number[] = [];
  let crashes = 0;
  for (let seed = from; seed < from + count; seed++) {
    const report = await simulateOne({ seed, ...on, outages: values.outages });
    crashes += report.crashes;
    if (report.violations.length > 0) broken.push(seed);
    if (report.violations.length === 0 && values.seed === undefined) continue;
    console.log(`seed ${seed}: ${report.violations.join("\n  ") || "every promise kept"}`);
    console.log(report.schedule.map((line) => `  ${line}`).join("\n"));
  }
  console.log(`${count} seeds from ${from}: ${crashes} faults`);
  console.log(broken.length === 0 ? "every promise kept" : `broken promises at seeds ${broken.join(", ")}`);
  process.exitCode = broken.length > 0 ? 1 : 0;
}

if (values.shared) await others(simulateShared);
else if (values.improving) await others(simulateImproving);
else if (values.seed !== undefined) {
  const report = await simulate({ seed: Number(values.seed), ...how });
  console.log(JSON.stringify(report.plan, null, 1));
  tell(report, true);
  process.exitCode = report.violations.length > 0 ? 1 : 0;
} else {
  const from = Number(values.from);
  const began = performance.now();
  const broken: number[] = [];
  let [crashes, repeats, failures] = [0, 0, 0];
  for (let seed = from; seed < from + Number(values.seeds); seed++) {
    const report = await simulate({ seed, ...how });
    crashes += report.crashes;
    repeats += report.repeats;
    if (report.end?.status === "failed") failures++;
    if (report.violations.length === 0) continue;
    broken.push(seed);
    tell(report, false);
  }
  const seconds = ((performance.now() - began) / 1_000).toFixed(1);
  console.log(
    `${values.seeds} seeds from ${from} in ${seconds} s: ${crashes} faults, ${repeats} pieces of unrecorded work done again, ${failures} runs that fail by plan`,
  );
  console.log(broken.length === 0 ? "every promise kept" : `broken promises at seeds ${broken.join(", ")}`);
  process.exitCode = broken.length > 0 ? 1 : 0;
}
