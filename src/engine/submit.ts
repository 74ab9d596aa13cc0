/** Makes a run in the store that nobody advances yet. */
import { checkedTerms, type DispatchTerms } from "../core/dispatch.ts";
import { milliseconds } from "../core/duration.ts";
import type { Entry, Fact } from "../core/entries.ts";
import { FlujoError, InvalidRunIdError, LeaseLostError, RunExistsError } from "../core/errors.ts";
import { fold } from "../core/fold.ts";
import { emptyRecord, isEnded, type RunRecord } from "../core/run-record.ts";
import { wakeAt } from "../core/waiting.ts";
import type { Dispatcher, Job } from "../ports/dispatcher.ts";
import type { Lease } from "../ports/store.ts";
import { checkInput } from "./enter.ts";
import { type Fresh, firstOf } from "./fresh.ts";
import { summaryWith } from "./journal.ts";
import { acquire } from "./lease.ts";
import { load } from "./load.ts";
import type { SubmitOptions } from "./options.ts";
import type { Setting } from "./setting.ts";

/** What is to be made. */
export interface Submission {
  readonly runId: string;
  readonly fresh: Fresh;
}

/** When and by whom it is to be taken. @throws InvalidOptionError */
export function submitTerms({ queue, priority, tenant, delay }: SubmitOptions, now: number): DispatchTerms {
  return checkedTerms({
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(delay === undefined ? {} : { notBefore: now + milliseconds(delay) }),
  });
}

/** What came of it: a run that is in the store, made now or before. */
export interface Made {
  readonly isNew: boolean;
  /** What a dispatcher is told of it. Undefined: it has ended, and there is nothing to do. */
  readonly job: Job | undefined;
}

/**
 * Writes the beginning of a run, in one commit, and gives its lease back: whoever finds it goes on with it. One that is there
 * already is left as it is.
 *
 * @throws InvalidRunIdError when the id is another pipeline's; InvalidInputError when that run began with another input;
 *   LeaseHeldError while somebody else makes it.
 */
export async function makeRun<State>(setting: Setting<State>, submission: Submission): Promise<Made> {
  const { store, world } = setting.options;
  const { runId } = submission;
  const fresh = await acquire(store, world, runId, setting.ttlMs, true);
  const isNew = typeof fresh !== "string";
  const lease = isNew ? fresh : await leaseOfForgotten(setting, runId);
  if (lease === "known") return known(setting, submission, await load(store, runId));
  try {
    const run = isNew ? emptyRecord() : await load(store, runId);
    if (run.created !== undefined) return await known(setting, submission, run);
    return { isNew: true, job: jobOf(runId, await write(setting, submission, lease), world.now()) };
  } finally {
    await store.release(lease).catch(() => {}); // it ends by itself
  }
}

/** Of an id that was taken, with nothing recorded under it, which is as good as new. `known`: something is recorded. */
async function leaseOfForgotten<State>(
  { options, ttlMs }: Setting<State>,
  runId: string,
): Promise<Lease | "known"> {
  const { store, world } = options;
  if ((await load(store, runId)).created !== undefined) return "known";
  const lease = await acquire(store, world, runId, ttlMs, false);
  return typeof lease === "string" ? "known" : lease;
}

async function known<State>(
  { root, options }: Setting<State>,
  { runId, fresh }: Submission,
  run: RunRecord,
): Promise<Made> {
  const { pipeline } = run.created ?? { pipeline: root.pipeline.name };
  if (pipeline !== root.pipeline.name) {
    throw new InvalidRunIdError(
      `run ${runId} exists, and it is one of the pipeline "${pipeline}", not of "${root.pipeline.name}"`,
      { runId, hint: "Choose another run id." },
    );
  }
  if (fresh.isOnlyNew)
    throw new RunExistsError(`run ${runId} exists`, { runId, hint: "Choose another run id." });
  await checkInput({ runId, fresh }, run, options.store);
  return { isNew: false, job: isEnded(run) ? undefined : jobOf(runId, run, options.world.now()) };
}

async function write<State>(
  setting: Setting<State>,
  { runId, fresh }: Submission,
  { fence }: Lease,
): Promise<RunRecord> {
  const { store, world } = setting.options;
  const { fact, blobs } = await firstOf(setting, fresh);
  const now = world.now();
  const facts: readonly Fact[] = [fact, ...sleepOf(setting, fresh)];
  const entries = facts.map((one, seq): Entry => ({ ...one, seq, at: now }));
  const [outcome] = await store.commit([
    {
      ...{ runId, fence, entries },
      blobs: blobs.filter((blob) => blob !== undefined),
      summary: summaryWith(fold([]), entries),
    },
  ]);
  if (outcome === "appended") return fold(entries);
  throw new LeaseLostError(`another process makes run ${runId}`, { runId, retryable: true });
}

/** A run that is not to begin yet waits, as one that sleeps: so that it is found when it is due, and not before. */
function sleepOf<State>({ root }: Setting<State>, { dispatch }: Fresh): readonly Fact[] {
  const due = dispatch?.notBefore;
  if (due === undefined) return [];
  return [{ type: "run-waiting", signals: [], waits: [{ path: root.path, kind: "timer", due }] }];
}

function jobOf(runId: string, { created, fingerprint, waits }: RunRecord, now: number): Job {
  const { queue, priority, tenant } = created?.dispatch ?? {};
  const due = wakeAt(waits);
  return {
    ...{ runId, pipeline: created?.pipeline ?? "", fingerprint },
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority }),
    ...(tenant === undefined ? {} : { tenant }),
    ...(due === undefined || due <= now ? {} : { delayMs: due - now }),
  };
}

/** Tells a dispatcher, if there is one. Returns what kept it from being told: the run is found in the store all the same. */
export async function tellDispatcher(
  dispatcher: Dispatcher | undefined,
  job: Job | undefined,
): Promise<FlujoError | undefined> {
  if (job === undefined) return undefined;
  try {
    await dispatcher?.submit(job);
    return undefined;
  } catch (error) {
    if (FlujoError.isInstance(error)) return error;
    throw error;
  }
}
