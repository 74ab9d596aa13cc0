/**
 * The simulation: a random pipeline, first run without a fault, then among crashes, pauses and take-overs. All of it
 * follows from one number, the seed.
 */
import type { Entry } from "../core/entries.ts";
import type { Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { type Chance, chance } from "./chance.ts";
import { Course, type End, messageOf, runId } from "./simulation/course.ts";
import { compareEnds } from "./simulation/ends.ts";
import { checkForks, type Forks } from "./simulation/forks.ts";
import { type RunPlan, randomRun } from "./simulation/plan.ts";
import { Provider, type ProviderOptions } from "./simulation/provider.ts";
import { Receiver } from "./simulation/receiver.ts";
import { refer, type Verdict } from "./simulation/reference.ts";
import { checkReplays } from "./simulation/replays.ts";
import { wrongReversals } from "./simulation/reversals.ts";
import { Witness } from "./simulation/witness.ts";
import { type VirtualWorld, virtualWorld } from "./virtual-world.ts";

export interface SimulateOptions {
  /** Decides everything: the pipeline, the faults, and the order of what happens at the same moment. */
  readonly seed: number;
  /** Makes the store that survives the crashes; called twice. Default: `memory()`. One that waits in real time: `grounded`. */
  readonly store?: (world: VirtualWorld) => Store;
  /** Tell every event to a sink that fails in every way. Default false: the course of a seed differs with it. */
  readonly sinks?: boolean;
  /** Let most processes advance the run for a limited time. Default false: as for sinks. */
  readonly limits?: boolean;
  /** Let the stores of most processes not answer now and then. Default false: as for sinks. */
  readonly outages?: boolean;
  /** How the run is forked when it has come to its end. Default: at one place, and now and then at several, among faults. */
  readonly forks?: Forks;
}

export interface SimulationReport {
  readonly seed: number;
  /** What should not have been, as sentences; empty when every promise was kept. */
  readonly violations: readonly string[];
  readonly plan: RunPlan;
  /** How the run must end. */
  readonly expected: Verdict;
  /** How it ended among faults; undefined when it did not. */
  readonly end: End | undefined;
  /** What happened, in order, each with its virtual time. */
  readonly schedule: readonly string[];
  readonly journal: readonly Entry[];
  /** The journal of the run without faults. */
  readonly expectedJournal: readonly Entry[];
  readonly crashes: number;
  /** Pieces of work done again because their results had not been recorded. */
  readonly repeats: number;
  /** Events that the sink was told more than once. */
  readonly toldAgain: number;
}

/**
 * Simulates one run from its seed and checks that: it ends as the plan says, without faults and with them; nothing
 * recorded is done again or recorded twice; a replay of it does nothing and finds nothing but what is missing; forks of it, wherever and
 * among faults, share what does not follow from their point, do nothing of it again, and end as it did; posted and pending money stay within every limit, by the journal and by the
 * provider's own meter; nothing stays stuck; the journal is well formed and means what the engine reports; a stale owner
 * writes nothing; what has completed in a part that failed, or in a run that failed or was cancelled, is undone once, the
 * last first, and nothing else is; and, with a sink, every entry is told to it, in order, under one id each.
 *
 *     const { violations } = await simulate({ seed: 42 });
 */
export async function simulate(options: SimulateOptions): Promise<SimulationReport> {
  const { seed } = options;
  const plan = planOf(seed);
  const reference = refer(plan.body);
  const calm = await live(plan, reference, options, undefined);
  const rough = await live(plan, reference, options, chance(seed ^ 0x5eed));
  return {
    seed,
    plan,
    violations: [...calm.violations.map((violation) => `without faults: ${violation}`), ...rough.violations],
    expected: reference,
    end: rough.end,
    schedule: rough.schedule,
    journal: rough.witness.entries,
    expectedJournal: calm.witness.entries,
    crashes: rough.crashes,
    repeats: rough.witness.repeats,
    toldAgain: rough.toldAgain,
  };
}

/** In one of sixteen seeds, more than one fork: all of them would take longer than everything else. */
const forksOf = (seed: number): Forks =>
  seed % 16 === 0 ? { places: 6, rough: 1 } : { places: 1, rough: 0 };

/** The run that a seed stands for. */
export const planOf = (seed: number): RunPlan =>
  randomRun(
    chance(seed),
    chance(seed ^ 0x57ea3),
    chance(seed ^ 0x7001),
    chance(seed ^ 0x9e09),
    chance(seed ^ 0x04d0),
  );

interface Life {
  readonly end: End | undefined;
  readonly violations: readonly string[];
  readonly schedule: readonly string[];
  readonly witness: Witness;
  readonly crashes: number;
  readonly toldAgain: number;
}

/** One life of the run, with faults when there is a chance of them. */
async function live(
  plan: RunPlan,
  expected: Verdict,
  options: SimulateOptions,
  faults: Chance | undefined,
): Promise<Life> {
  const world = virtualWorld({ seed: options.seed });
  const began = world.now();
  const witness = new Witness(runId);
  const schedule: string[] = [];
  const metered: ProviderOptions = {
    onCall: (call, process) => witness.call(process, call),
    onPiece: (key, piece) => witness.sent(key, piece),
    onBill: (bill) => witness.bill(bill),
    onRush: (what) => witness.say(what),
    callsPerMinute: plan.callsPerMinute,
  };
  const receiver = options.sinks
    ? new Receiver(chance(options.seed ^ 0x70ad), (violation) => witness.say(violation))
    : undefined;
  if (faults === undefined) receiver?.calmDown();
  const kept = (options.store ?? memory)(world);
  const store = witness.watch(kept);
  const provider = new Provider(metered);
  const course = new Course({
    plan,
    world,
    witness,
    store,
    provider,
    receiver,
    chance: faults ?? chance(options.seed),
    ...(options.limits && faults !== undefined ? { limits: chance(options.seed ^ 0x71e5) } : {}),
    ...(options.outages && faults !== undefined ? { outages: chance(options.seed ^ 0x0a7e) } : {}),
    faults: faults?.whole(1, 8) ?? 0,
    latencyMs: faults?.pick([0, 3, 20]) ?? 0,
    note: (what) => schedule.push(`${world.now() - began} ms: ${what}`),
  });
  let end: End | undefined;
  try {
    end = await course.run();
    if (end.status !== "cancelled" || plan.cancelAfterMs === undefined)
      compareEnds(expected, end, (what) => witness.say(what));
    const { fence } = witness;
    const written = witness.entries.length;
    await course.rest();
    if (witness.fence === fence && witness.entries.length > written)
      witness.say(`${witness.entries.length - written} entries were written after the end`);
    const called = witness.calls;
    const replayed = { plan, world, store, witness, provider, chance: chance(options.seed ^ 0x4e91) };
    await checkReplays(replayed);
    if (witness.calls > called) witness.say("a replay has called a model");
    if (!options.sinks) {
      course.leave();
      await checkForks({ ...replayed, store: kept }, expected, options.forks ?? forksOf(options.seed));
    }
    await course.tellTheRest();
    const { entries, handed } = witness;
    const read = ({ hash }: { readonly hash: string }) => store.blob(hash);
    for (const wrong of await wrongReversals(entries, course.tree, plan.body, handed, read))
      witness.say(wrong);
    receiver?.compare(witness.entries);
  } catch (error) {
    witness.say(messageOf(error));
  }
  return {
    end,
    witness,
    schedule,
    violations: witness.violations,
    crashes: course.crashes,
    toldAgain: receiver?.repeats ?? 0,
  };
}
