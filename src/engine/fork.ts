/** A new run that begins with what another one has recorded, up to a point. */
import { blobsIn } from "../core/blob-refs.ts";
import { encode } from "../core/codec.ts";
import type { Entry, RunCreated } from "../core/entries.ts";
import {
  InvalidOptionError,
  LeaseLostError,
  StoreCorruptError,
  VersionChangedError,
} from "../core/errors.ts";
import { changedPaths, versionOf } from "../core/fingerprint.ts";
import { fold } from "../core/fold.ts";
import { renumbered, sharedEntries } from "../core/forking.ts";
import { outlineOf } from "../core/outline.ts";
import { isWithin, type Path, undoAround } from "../core/paths.ts";
import { Values } from "../core/resolve.ts";
import type { RunRecord } from "../core/run-record.ts";
import type { Blob, Lease, Store } from "../ports/store.ts";
import type { ForkOrder } from "./fork-order.ts";
import { summaryWith } from "./journal.ts";
import { acquire } from "./lease.ts";
import { entriesOf, load, manifestOf, unknownRun } from "./load.ts";
import { keptOverlay, overlayOf } from "./recorded-overlay.ts";
import { overlaidRoot, type Root } from "./root.ts";
import type { Setting } from "./setting.ts";
import { keep, keepJson } from "./values.ts";

/**
 * Makes the run, in one commit: whoever resumes it goes on from the point. A run of that id which is this fork already is
 * left as it is.
 *
 * @throws UnknownRunError, VersionChangedError, LeaseHeldError; InvalidOptionError for a point that is not recorded, or a
 *   run id that is taken.
 */
export async function makeFork<State>(setting: Setting<State>, order: ForkOrder): Promise<void> {
  const { ttlMs, options } = setting;
  const { store, world } = options;
  const { runId, from, at } = order;
  const made = await madeOf(setting, order);
  let lease = await acquire(store, world, runId, ttlMs, true);
  if (lease === "exists") lease = await acquire(store, world, runId, ttlMs, false);
  if (typeof lease === "string") throw taken(runId); // never: it exists
  try {
    const { created } = await load(store, runId);
    const known = created?.forkedFrom;
    if (created === undefined) await write(store, lease, made);
    else if (known?.runId !== from || known.at !== at) throw taken(runId);
  } finally {
    await store.release(lease);
  }
}

interface Made {
  readonly entries: readonly Entry[];
  readonly blobs: readonly Blob[];
}

async function write(store: Store, { runId, fence }: Lease, { entries, blobs }: Made): Promise<void> {
  const summary = summaryWith(fold([]), entries);
  const [outcome] = await store.commit([{ runId, fence, entries, blobs, summary }]);
  if (outcome !== "appended")
    throw new LeaseLostError(`another process has taken over run ${runId}`, { runId });
}

async function madeOf<State>({ root, options }: Setting<State>, order: ForkOrder): Promise<Made> {
  const { store, world, release } = options;
  const { from, at, input } = order;
  const entries = await entriesOf(store, from);
  const run = fold(entries);
  const { created } = run;
  if (created === undefined)
    throw new InvalidOptionError(`run ${from} has no beginning to share`, { runId: from });
  if (created.pipeline !== root.pipeline.name) throw otherPipeline(from, created.pipeline, root);
  checkPoint(entries, order);
  const recorded = await overlayOf(created, store);
  const before = await overlaidRoot(root, recorded);
  const overlay = [...recorded, ...order.overlay];
  const after = await overlaidRoot(root, overlay);
  const { entries: shared, lost } = sharedEntries(entries, before.node, at);
  if (lost.length > 0) throw undone(from, at, lost);
  if (!order.force) await checkVersion(run, shared, before, store, from);
  const copies = await filled(entries, shared, store);
  const isWhole = at === root.path;
  const given = input === undefined ? undefined : keep(input.value, `input of ${at}`, at);
  const changes = given !== undefined && !isWhole ? [given.entry] : [];
  const { blob, fingerprint } = versionOf(after.node);
  const outline = outlineOf(after.node, root.pipeline.name, release);
  const keptAs = keptOverlay(overlay, root.path);
  const first: RunCreated = {
    ...termsOf(order),
    type: "run-created",
    pipeline: created.pipeline,
    fingerprint,
    manifest: blob.hash,
    outline: outline.hash,
    input: isWhole && given !== undefined ? given.entry : created.input,
    state: created.state,
    forkedFrom: {
      runId: from,
      at,
      entries: copies.entries.length + changes.length,
      picoUsd: costOf(run, shared).toString(),
    },
    ...keptAs.field,
  };
  const now = world.now();
  const last = changes.map((output): Entry => {
    return { type: "input-replaced", path: at, output, seq: copies.entries.length + 1, at: now };
  });
  const blobs = [blob, outline, given?.blob, keptAs.blob, ...copies.blobs].filter((one) => one !== undefined);
  const all: readonly Entry[] = [{ ...first, seq: 0, at: now }, ...copies.entries, ...last];
  return { entries: all, blobs: [...blobs, ...(await brought(all, blobs, store, from))] };
}

/**
 * The values kept aside that the shared entries refer to. They are in the store; but whoever removes the other run at this
 * moment may have looked already whether anybody else refers to them, and only what is brought anew then stays.
 *
 * @throws UnknownRunError when it is removed already.
 */
async function brought(
  entries: readonly Entry[],
  known: readonly Blob[],
  store: Store,
  from: string,
): Promise<Blob[]> {
  const own = new Set(known.map(({ hash }) => hash));
  const hashes = new Set([...blobsIn(entries)].map(({ hash }) => hash).filter((hash) => !own.has(hash)));
  const found: Blob[] = [];
  for (const hash of hashes) {
    const text = await store.blob(hash);
    if (text !== undefined) found.push({ hash, text });
    else if ((await store.read(from, 0, 1)) === undefined) throw await unknownRun(from, store);
    else
      throw new StoreCorruptError(`${store.name} has lost a value of run ${from} (${hash})`, { runId: from });
  }
  return found;
}

/** What holds for the new run, as for any that is started. */
const termsOf = ({ limits, scopes, alertAt, origin }: ForkOrder) => ({
  ...(limits ? { limits } : {}),
  ...(scopes.length > 0 ? { scopes } : {}),
  ...(alertAt.length > 0 ? { alertAt } : {}),
  ...(origin === undefined ? {} : { origin }),
});

/** @throws InvalidOptionError */
function checkPoint(entries: readonly Entry[], { from, at, input }: ForkOrder): void {
  const recorded = entries.flatMap((entry) => ("path" in entry ? [entry.path] : []));
  if (!recorded.some((path) => isWithin(path, at))) {
    const parent = at.slice(0, at.lastIndexOf("/"));
    const near = [...new Set(recorded.filter((path) => path.startsWith(`${parent}/`)))].slice(0, 5);
    throw new InvalidOptionError(`run ${from} has nothing recorded at ${at}`, {
      runId: from,
      hint:
        near.length > 0
          ? `Near it there are ${near.join(", ")}.`
          : `flujo lens show ${from} lists what there is.`,
    });
  }
  if (undoAround(at) !== undefined) {
    throw new InvalidOptionError(`${at} undoes something, and no run begins with that`, { runId: from });
  }
  if (input !== undefined && /[:@]|\]$/.test(at)) {
    const inside = recorded.find((path) => path.startsWith(`${at}/`)) ?? at;
    const place = at.endsWith("]") ? (/^\/[^/[:@]+/.exec(inside.slice(at.length))?.[0] ?? "") : "";
    throw new InvalidOptionError(`${at} is no place of the pipeline, and has no input of its own`, {
      runId: from,
      hint: `Fork at ${at.replace(/(@\d+)?(:.*)?$/, "")}${place} to give it another one.`,
    });
  }
}

/** What is shared must be what today's code would have made of it. @throws VersionChangedError */
async function checkVersion(
  run: RunRecord,
  shared: readonly Entry[],
  root: Root,
  store: Store,
  runId: string,
): Promise<void> {
  const { fingerprint, manifest } = versionOf(root.node);
  if (fingerprint === run.fingerprint) return;
  const before = await manifestOf(run, store);
  const paths = shared.flatMap((entry) => ("path" in entry ? [entry.path] : []));
  const changed = changedPaths(before, manifest, paths);
  if (changed.length > 0) throw new VersionChangedError(runId, changed);
}

/** The shared entries in their new places. A text that stands in streamed entries is put where it belongs. */
async function filled(
  all: readonly Entry[],
  shared: readonly Entry[],
  store: Store,
): Promise<{ readonly entries: Entry[]; readonly blobs: Blob[] }> {
  const values = new Values(all, ({ hash }) => store.blob(hash));
  const blobs: Blob[] = [];
  const whole = await Promise.all(
    shared.map(async (entry): Promise<Entry> => {
      if (entry.type !== "operation-completed" || entry.texts === undefined) return entry;
      const { texts: _, ...rest } = entry;
      const kept = keepJson((await values.of(entry.seq)) ?? encode(undefined, entry.path).json);
      if (kept.blob !== undefined) blobs.push(kept.blob);
      return { ...rest, output: kept.entry };
    }),
  );
  return { entries: renumbered(whole), blobs };
}

/** What the shared part cost, failed attempts that led to it included. */
function costOf(run: RunRecord, shared: readonly Entry[]): bigint {
  const kept = new Set(shared.flatMap((entry) => ("path" in entry ? [entry.path] : [])));
  let sum = 0n;
  for (const { path, amount, settled } of run.reservations.values())
    if (kept.has(path)) sum += BigInt((settled ?? amount).picoUsd);
  return sum;
}

const undone = (runId: string, at: Path, lost: readonly Path[]): InvalidOptionError =>
  new InvalidOptionError(`a fork at ${at} would share what run ${runId} has undone: ${lost.join(", ")}`, {
    runId,
    hint: `Fork at one of these, or before them, so that it is done anew.`,
  });

const taken = (runId: string): InvalidOptionError =>
  new InvalidOptionError(`there is a run ${runId} already, and it is not this fork`, {
    runId,
    hint: "Choose another run id, or leave it out.",
  });

const otherPipeline = (runId: string, name: string, { pipeline }: Root): InvalidOptionError =>
  new InvalidOptionError(`run ${runId} is of the pipeline "${name}", and this one is "${pipeline.name}"`, {
    hint: "Fork it with the file it came from: flujo lens show tells which.",
  });
