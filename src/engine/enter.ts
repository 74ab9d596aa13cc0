import { encode } from "../core/codec.ts";
import { InvalidInputError, RunExistsError, UnknownRunError, VersionChangedError } from "../core/errors.ts";
import { changedPaths, type Manifest, versionOf } from "../core/fingerprint.ts";
import type { Json } from "../core/json.ts";
import type { Limits, Spent } from "../core/limits.ts";
import { outlineOf } from "../core/outline.ts";
import { type Path, undoPath } from "../core/paths.ts";
import { emptyRecord, isEnded, notUndone, type RunRecord } from "../core/run-record.ts";
import { equal } from "../core/state.ts";
import { wakeAt } from "../core/waiting.ts";
import type { Lease, Store } from "../ports/store.ts";
import { queueOf } from "./commit-queue.ts";
import { type First, type Fresh, firstOf } from "./fresh.ts";
import { Journal } from "./journal.ts";
import { acquire } from "./lease.ts";
import { load, manifestOf, unknownRun } from "./load.ts";
import type { VersionPolicy } from "./options.ts";
import { applyRaises } from "./raises.ts";
import { reconcile } from "./reconcile.ts";
import { overlayOf } from "./recorded-overlay.ts";
import { overlaidRoot, type Root } from "./root.ts";
import type { Setting } from "./setting.ts";
import { Tenure } from "./tenure.ts";
import { fetchJson } from "./values.ts";

/** How a process comes to advance a run. */
export interface Entrance {
  readonly runId: string;
  /** `advanced`: taken over, or woken where it waits. */
  readonly why: "started" | "resumed" | "taken-over" | "woken" | "advanced";
  /** For a run that may be new. */
  readonly fresh?: Fresh;
  /** New limits for a run that exists. */
  readonly limits?: Limits;
  /** Default `compatible`. */
  readonly version?: VersionPolicy;
  /** A run that has come to stand, and has nothing to go on with now, is left as it is. Default false. */
  readonly onlyOpen?: boolean;
}

/** What came of it: a tenure over the run, or, for one that has ended, its record. */
export type Entered =
  | { readonly tenure: Tenure; readonly lease: Lease; readonly beginning: Beginning }
  | { readonly ended: RunRecord };

/** From where a tenure walks the tree. */
export interface Beginning {
  /** The tree, with what was changed of it for this run. */
  readonly root: Root;
  readonly input: Json;
  readonly state: Json;
  readonly limits: Limits;
  /** When the run began, in milliseconds since 1970. */
  readonly since: number;
  readonly spent: Spent;
  /** Parts of the run's limits, in percent, at which an alert is due. */
  readonly alertAt: readonly number[];
  /** Failures before this entry are stale. */
  readonly freshFrom: number;
}

/**
 * Acquires the lease, reads the journal, checks that the pipeline still fits it, and writes down who goes on.
 *
 * @throws LeaseHeldError, UnknownRunError, RunExistsError, VersionChangedError, InvalidInputError
 */
export async function enter<State>(setting: Setting<State>, entrance: Entrance): Promise<Entered> {
  const { store, world } = setting.options;
  const { runId, fresh } = entrance;
  const first = fresh === undefined ? undefined : await firstOf(setting, fresh);
  let lease: Lease | "exists" | "unknown" = "exists";
  if (fresh !== undefined) lease = await acquire(store, world, runId, setting.ttlMs, true);
  const isNew = typeof lease !== "string";
  if (lease === "exists" && fresh?.isOnlyNew) checked(entrance, await load(store, runId));
  if (lease === "exists") lease = await leaseOfKnown(setting, runId);
  if (lease === "unknown") throw unknownRun(runId, store);
  if (lease === "exists") return { ended: checked(entrance, await load(store, runId)) };
  try {
    // Of a run that was made a moment ago nothing is recorded: that journey is spared.
    return await begin(setting, entrance, lease, first, isNew ? emptyRecord() : await load(store, runId));
  } catch (error) {
    await store.release(lease).catch(() => {}); // the first error tells more
    throw error;
  }
}

/** "exists": it has ended, nobody needs its lease. */
async function leaseOfKnown<State>(
  setting: Setting<State>,
  runId: string,
): Promise<Lease | "exists" | "unknown"> {
  const { store, world } = setting.options;
  try {
    return await acquire(store, world, runId, setting.ttlMs, false);
  } catch (held) {
    if (isEnded(await load(store, runId))) return "exists";
    throw held;
  }
}

async function begin<State>(
  setting: Setting<State>,
  entrance: Entrance,
  lease: Lease,
  first: First | undefined,
  recorded: RunRecord,
): Promise<Entered> {
  const { store, world, models } = setting.options;
  const { runId, fresh } = entrance;
  const run = checked(entrance, recorded);
  if (isEnded(run) || (entrance.onlyOpen && (await stands(run, store, runId, world.now())))) {
    await store.release(lease);
    return { ended: run };
  }
  for (const listener of setting.options.listeners ?? []) await listener.enter(runId);
  let tenure: Tenure | undefined;
  const journal = new Journal(run, lease, queueOf(store, world), world, (error) => tenure?.lose(error));
  journal.onCommit((entries) => setting.onCommit(runId, entries));
  const root = await overlaidRoot(
    setting.root,
    run.created === undefined ? fresh?.overlay : await overlayOf(run.created, store),
  );
  if (run.created !== undefined) await resume({ ...setting, root }, entrance, journal, lease);
  else if (first === undefined) throw neverBegun(runId);
  else {
    if (lease.fence > 1) await reconcile(journal, store, world); // whoever began it may have held money, and died
    journal.put(first.fact, ...first.blobs); // with the first commit: nothing is acknowledged before it
  }
  const { graceMs, awakeMs, instrument } = setting;
  const { scopes = [], alertAt = [] } = run.created ?? (first as First).fact; // one of them is there
  const { node } = root;
  tenure = new Tenure({
    lease,
    node,
    journal,
    store,
    world,
    models,
    instrument,
    graceMs,
    awakeMs,
    scopes,
  });
  const { input, state } = run.created ?? (first as First).given; // one of them is there
  const { limits, freshFrom, spent } =
    run.created === undefined ? { ...run, limits: first?.fact.limits ?? {} } : run;
  const since = run.created?.dispatch?.notBefore ?? run.created?.at ?? world.now();
  return { tenure, lease, beginning: { root, input, state, limits, since, spent, alertAt, freshFrom } };
}

/** Whether a run has failed, was halted, or waits for what has not come. */
async function stands(run: RunRecord, store: Store, runId: string, now: number): Promise<boolean> {
  if (run.status === "failed" || run.status === "halted") return true;
  if (run.status !== "waiting" || (wakeAt(run.waits) ?? now + 1) <= now) return false;
  return (await store.signals(runId)).length <= run.heard;
}

/** A run that was to be new must not be recorded. An id that was taken, and nothing recorded under it, is as good as new. */
function checked({ runId, fresh }: Entrance, run: RunRecord): RunRecord {
  if (!fresh?.isOnlyNew || run.created === undefined) return run;
  throw runExists(runId);
}

export const runExists = (runId: string): RunExistsError =>
  new RunExistsError(`run ${runId} exists`, { runId, hint: "Choose another run id, or resume that run." });

async function resume<State>(
  setting: Setting<State>,
  entrance: Entrance,
  journal: Journal,
  lease: Lease,
): Promise<void> {
  const { root, options } = setting;
  const { run } = journal;
  await checkInput(entrance, run, options.store);
  const version = versionOf(root.node);
  const policy = entrance.version ?? "compatible";
  const moved = version.fingerprint !== run.fingerprint;
  if (moved && policy === "strict")
    throw new VersionChangedError(entrance.runId, [], { before: run.fingerprint, now: version.fingerprint });
  const changed = await changesUnder(run, version.manifest, version.fingerprint, options.store);
  if (changed.length > 0 && policy !== "force") throw new VersionChangedError(entrance.runId, changed);
  await reconcile(journal, options.store, options.world);
  const standing = await applyRaises(journal, options.store, entrance.runId);
  const outline = outlineOf(root.node, root.pipeline.name, options.release);
  const isOther = outline.hash !== run.outline;
  journal.put(
    {
      type: "run-resumed",
      owner: lease.owner,
      fence: lease.fence,
      why: whyOf(entrance, run),
      ...(moved ? { fingerprint: version.fingerprint, manifest: version.blob.hash } : {}),
      ...(isOther ? { outline: outline.hash } : {}),
      ...(changed.length > 0 ? { forced: changed } : {}),
      ...(entrance.limits ? { limits: { ...standing, ...entrance.limits } } : {}), // raising one keeps the others
    },
    moved ? version.blob : undefined,
    isOther ? outline : undefined,
  );
  await journal.sync();
}

function whyOf({ why }: Entrance, { status }: RunRecord): "resumed" | "taken-over" | "woken" {
  if (why === "advanced") return status === "waiting" ? "woken" : "taken-over";
  return why === "started" ? "resumed" : why;
}

/** @throws InvalidInputError when the run began with another one. */
export async function checkInput(
  { fresh, runId }: Pick<Entrance, "fresh" | "runId">,
  run: RunRecord,
  store: Store,
): Promise<void> {
  if (fresh === undefined || fresh.input === undefined || run.created === undefined) return;
  const before = await fetchJson(run.created.input, store);
  if (equal(before, encode(fresh.input, "input").json)) return;
  throw new InvalidInputError(`run ${runId} exists and began with another input`, {
    runId,
    hint: "Resume it without an input, or choose another run id.",
  });
}

async function changesUnder(
  run: RunRecord,
  now: Manifest,
  fingerprint: string,
  store: Store,
): Promise<Path[]> {
  if (fingerprint === run.fingerprint) return [];
  const recorded = [run.completed, run.choices, run.verdicts, run.maps, run.containers].flatMap((all) => [
    ...all.keys(),
  ]);
  const owed = notUndone(run).map(undoPath);
  return changedPaths(await manifestOf(run, store), now, [...recorded, ...owed]);
}

function neverBegun(runId: string): UnknownRunError {
  return new UnknownRunError(`run ${runId} was given its id, but its input was never recorded`, {
    runId,
    hint: "Its process died at the very beginning, before anything ran. Start it again with its input and the same run id.",
  });
}
