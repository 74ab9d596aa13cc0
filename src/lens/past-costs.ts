import { type Manifest, type ManifestLine, placeFinder } from "../core/fingerprint.ts";
import { fold } from "../core/fold.ts";
import { addSpent, nothingSpent, type Spent } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import type { RunRecord } from "../core/run-record.ts";
import { spentOf } from "../core/spending.ts";
import type { Store } from "../ports/store.ts";
import { readJournal } from "./journal.ts";

/** What completed runs of a pipeline cost. */
export interface PastCosts {
  /** Of each run in which every place that can spend is the same as now. */
  readonly totals: readonly Spent[];
  /** Of each place, in the runs in which it is the same as now. */
  readonly places: ReadonlyMap<Path, readonly Spent[]>;
}

/** The newest runs are looked at, so many of them. */
const mostRuns = 50;

/**
 * Reads what past runs cost.
 *
 * @param now the manifest of the pipeline as it is.
 * @param spending the places of it that can spend.
 */
export async function pastCosts(
  store: Store,
  pipeline: string,
  now: Manifest,
  spending: readonly Path[],
): Promise<PastCosts> {
  const lines = linesOf(now);
  const totals: Spent[] = [];
  const places = new Map<Path, Spent[]>();
  for (const { runId } of await store.list({ pipeline, status: ["completed"], limit: mostRuns })) {
    const entries = (await readJournal(store, runId)) ?? [];
    const run = fold(entries);
    const then = await manifestOf(store, run);
    const before = linesOf(then);
    const isSame = (place: Path): boolean => before.get(place) === lines.get(place);
    const spent = spentByPlace(run, then);
    const all = new Set([...spending, ...spent.keys()]);
    for (const place of all) {
      if (!isSame(place)) continue;
      const known = places.get(place) ?? [];
      places.set(place, [...known, spent.get(place) ?? nothingSpent]);
    }
    if ([...all].every(isSame)) totals.push([...spent.values()].reduce(addSpent, nothingSpent));
  }
  return { totals, places };
}

const linesOf = (manifest: Manifest): ReadonlyMap<Path, string> =>
  new Map(manifest.map(([place, hash, after]: ManifestLine) => [place, `${hash} ${after}`]));

async function manifestOf(store: Store, run: RunRecord): Promise<Manifest> {
  const text = await store.blob(run.manifest);
  return text === undefined ? [] : JSON.parse(text); // as the engine wrote it
}

function spentByPlace(run: RunRecord, manifest: Manifest): Map<Path, Spent> {
  const placeOf = placeFinder(manifest);
  const spent = new Map<Path, Spent>();
  for (const { path, amount, settled, kind } of run.reservations.values()) {
    const place = placeOf(path) ?? path;
    const charged = spentOf(settled ?? amount, kind);
    spent.set(place, addSpent(spent.get(place) ?? nothingSpent, charged));
  }
  return spent;
}
