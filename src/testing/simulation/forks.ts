/**
 * A simulated run that has come to its end is forked, with nothing changed, and its forks live as it did: each must come to
 * the same end, and neither do nor buy again what it shares.
 */
import type { Entry, EntryType } from "../../core/entries.ts";
import { sharedEntries } from "../../core/forking.ts";
import { enclosing, isWithin, type Path, undoAround } from "../../core/paths.ts";
import type { Chance } from "../chance.ts";
import { Course, messageOf, runId } from "./course.ts";
import { compareEnds } from "./ends.ts";
import { Provider } from "./provider.ts";
import type { Verdict } from "./reference.ts";
import { bystander, firstOf, type Replayed, replay } from "./replays.ts";
import { Witness } from "./witness.ts";

/** How often a run is forked. */
export interface Forks {
  /** At how many of its places, drawn at random, if it has so many. */
  readonly places: number;
  /** How many forks, beside the one without a fault, live among faults at each of them. */
  readonly rough: number;
}

/** For those who look at the run alone: its forks, and their replays, are half of the work. */
export const noForks: Forks = { places: 0, rough: 0 };

/** What is never done again once it is recorded. */
const results: ReadonlySet<EntryType> = new Set(["step-completed", "operation-completed", "signal-received"]);
const ends: ReadonlySet<EntryType> = new Set([...results, "container-completed", "operation-failed"]);
const bodyEnds: ReadonlySet<EntryType> = new Set(["step-completed", "step-failed"]);
const leaving: ReadonlySet<EntryType> = new Set([
  "fallback-taken",
  "failure-collected",
  "compensation-begun",
]);

/** Says what a fork does that it should not. */
export async function checkForks(run: Replayed, expected: Verdict, { places, rough }: Forks): Promise<void> {
  const { chance, witness, store } = run;
  const { runner, tree } = bystander(run, store);
  const points = pointsOf(witness.entries);
  for (let n = 0; n < places && points.length > 0; n++) {
    const [at] = points.splice(chance.whole(0, points.length - 1), 1) as [Path]; // one of them
    const say = (how: string) => (what: string) => witness.say(`a fork at ${at}${how}: ${what}`);
    if (sharedEntries(witness.entries, tree, at).lost.length > 0) {
      const made = runner.fork(runId, { at }).result();
      const refusal = await run.world.run(made.then(() => "it was made", messageOf));
      if (!refusal.includes("has undone")) say(" that would count on what is undone")(refusal);
      continue;
    }
    await live(run, expected, { at, runId: `fork-${n}` }, undefined, say(""));
    for (let life = 0; life < rough; life++)
      await live(run, expected, { at, runId: `fork-${n}-${life}` }, chance.fork(), say(" among faults"));
  }
}

/** Every place and operation of which something is recorded, but what undoes. */
function pointsOf(entries: readonly Entry[]): Path[] {
  const recorded = entries.flatMap((entry) => ("path" in entry ? enclosing(entry.path) : []));
  return [...new Set(recorded)].filter((path) => undoAround(path) === undefined);
}

type Fork = { readonly at: Path; readonly runId: string };

/** One life of a fork, with faults when there is a chance of them. */
async function live(
  run: Replayed,
  expected: Verdict,
  fork: Fork,
  faults: Chance | undefined,
  say: (what: string) => void,
): Promise<void> {
  const { world, store, chance } = run;
  const plan = { ...run.plan, cancelAfterMs: undefined }; // nobody cancels the fork
  const witness = new Witness(fork.runId);
  const provider = new Provider({
    onCall: (call, process) => witness.call(process, call),
    onPiece: (key, piece) => witness.sent(key, piece),
    onBill: (bill) => witness.bill(bill),
    onRush: (what) => witness.say(what),
    callsPerMinute: plan.callsPerMinute,
  });
  const course = new Course({
    ...{ plan, world, witness, provider, fork },
    store: witness.watch(store),
    chance: faults ?? chance.fork(),
    faults: faults?.whole(1, 4) ?? 0,
    latencyMs: faults?.pick([0, 3]) ?? 0,
    note: () => {},
  });
  try {
    compareEnds(expected, await course.run(), say);
    await course.rest();
    for (const path of notShared(run.witness.entries, witness.entries, fork.at)) say(`${path} is not shared`);
    const report = await replay({ ...run, witness, provider }, store, fork.runId);
    if (typeof report === "string") say(`its replay: ${report}`);
    else for (const { path, what, now } of report.differences) say(`its replay: ${what} at ${path}: ${now}`);
  } catch (error) {
    say(messageOf(error));
  }
  course.leave();
  for (const violation of witness.violations) say(violation);
}

/**
 * What was done before the point, and not for it, and is missing from what the fork began with. Only what cannot depend on
 * the point counts here: what was recorded before anything of it was, or, beside it, before it was done. What a place does
 * that was left for another way is recorded whenever it comes to its end, so that nothing is said of what comes after.
 */
function notShared(all: readonly Entry[], forked: readonly Entry[], at: Path): string[] {
  const [created] = forked;
  const count = created?.type === "run-created" ? (created.forkedFrom?.entries ?? 0) : 0;
  const shared = new Set(forked.slice(1, 1 + count).map(resultAt));
  const first = firstOf(at);
  const isOf = (entry: Entry): boolean =>
    "path" in entry && (isWithin(entry.path, at) || isWithin(entry.path, first));
  const indexOf = (types: ReadonlySet<EntryType>, path: Path): number =>
    all.findIndex((entry) => types.has(entry.type) && "path" in entry && entry.path === path);
  const body = at.replace(/(@\d+)?:.*$/, "");
  const left = [all.findIndex(({ type }) => leaving.has(type)), body === at ? -1 : indexOf(bodyEnds, body)];
  const end = Math.max(all.findIndex(isOf), at === first ? indexOf(ends, at) : -1);
  return all
    .slice(0, Math.min(end, ...left.filter((index) => index >= 0)))
    .filter((entry) => results.has(entry.type) && !isOf(entry))
    .map(resultAt)
    .filter((result) => !shared.has(result));
}

const resultAt = (entry: Entry): string => `${entry.type} ${"path" in entry ? entry.path : ""}`;
