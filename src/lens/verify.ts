/** Whether what a store has kept is sound: journals without gaps, values that are what their hashes say, books that agree. */
import { type Account, spentIn } from "../core/account.ts";
import { blobsIn } from "../core/blob-refs.ts";
import type { Entry, Ref } from "../core/entries.ts";
import { isEntryType } from "../core/entry-types.ts";
import { sha256 } from "../core/fingerprint.ts";
import { fold } from "../core/fold.ts";
import { addSpent, decimalUsd, lessSpent, nothingSpent, type Spent } from "../core/limits.ts";
import type { RunRecord } from "../core/run-record.ts";
import type { RunListing, Store } from "../ports/store.ts";
import { arrivals } from "./arrival.ts";
import { callsOf } from "./calls.ts";
import { everyRun, type Selection } from "./every-run.ts";
import { readJournal } from "./journal.ts";
import { Totals } from "./totals.ts";

/** Something that is not as it must be. */
export interface Fault {
  /** Null: it is about a shared budget. */
  readonly runId: string | null;
  /** The entry it is about; null: the run as a whole. */
  readonly seq: number | null;
  readonly what: string;
}

/** As `flujo lens verify --json` prints it. */
export interface Verification {
  readonly runs: number;
  readonly entries: number;
  /** Values kept aside that were read, and are what their hashes say. */
  readonly blobs: number;
  readonly accounts: number;
  readonly faults: readonly Fault[];
}

/**
 * Reads everything the selected runs are made of. The shared ledger is compared with the journals only when all runs are
 * looked at: an account has what all of them were charged.
 */
export async function verify(store: Store, selection: Selection = {}): Promise<Verification> {
  const faults: Fault[] = [];
  const books = new Books(await arrivals(store));
  let [runs, count, blobs] = [0, 0, 0];
  for await (const listing of everyRun(store, selection)) {
    runs += 1;
    const entries = (await readJournal(store, listing.runId)) ?? [];
    count += entries.length;
    const known = await missingValues(store, entries);
    blobs += known.sound;
    const found = [...faultsOf(entries), ...known.faults];
    if (found.length === 0) {
      const run = fold(entries);
      found.push(...disagreements(listing, run));
      books.take(listing.runId, entries, run);
    }
    for (const fault of found) faults.push({ runId: listing.runId, ...fault });
  }
  const isWhole = Object.values(selection).every((value) => value === undefined);
  const accounts = isWhole ? await store.accounts({ limit: Number.MAX_SAFE_INTEGER }) : [];
  for (const account of accounts)
    for (const what of books.disagreements(account)) faults.push({ runId: null, seq: null, what });
  return { runs, entries: count, blobs, accounts: accounts.length, faults };
}

type FaultAt = Omit<Fault, "runId">;

/** What is wrong with a journal by itself. */
export function faultsOf(entries: readonly Entry[]): FaultAt[] {
  const faults: FaultAt[] = [];
  const say = (seq: number | null, what: string): void => void faults.push({ seq, what });
  const reserved = new Set<number>();
  const settled = new Set<number>();
  if (entries.length === 0) say(null, "its journal is empty");
  for (const [i, entry] of entries.entries()) {
    const { seq, type } = entry;
    if (seq !== i) {
      say(i, `entry ${i} is missing: entry ${seq} stands in its place`);
      return faults;
    }
    if (!isEntryType(type)) say(seq, `it is of an unknown type, ${JSON.stringify(type)}`);
    if ((i === 0) !== (type === "run-created"))
      say(seq, i === 0 ? `the journal begins with ${type}` : "the run is created a second time");
    for (const ref of refsIn(entry))
      if (!(ref < seq)) say(seq, `it refers to entry ${ref}, which is not before it`);
    if (type === "budget-reserved") reserved.add(seq);
    if (type === "budget-settled" || type === "budget-released") {
      if (!reserved.has(entry.of)) say(seq, `it settles entry ${entry.of}, which reserves nothing`);
      else if (settled.has(entry.of)) say(seq, `the reservation ${entry.of} is settled a second time`);
      settled.add(entry.of);
    }
  }
  try {
    fold(entries);
  } catch (error) {
    say(null, `the journal cannot be read: ${String(error)}`);
  }
  return faults;
}

/** The entries that values of an entry come from. */
function refsIn(entry: Entry): number[] {
  switch (entry.type) {
    case "step-started":
    case "step-completed":
    case "step-failed":
      return entry.in === undefined ? [] : [seqOf(entry.in)];
    case "run-completed":
      return [seqOf(entry.from)];
    case "compensation-owed":
      return [seqOf(entry.in), seqOf(entry.out)];
    case "container-completed":
      return [...(entry.in === undefined ? [] : [seqOf(entry.in)]), ...partsOf(entry)];
    default:
      return [];
  }
}

/** Only the kind tells a list of references from one to an element. */
function partsOf({ kind, out }: Extract<Entry, { type: "container-completed" }>): number[] {
  if (kind !== "mapOver" && kind !== "parallel") return [seqOf(out as Ref)];
  return Object.values(out as object).map((ref: Ref) => seqOf(ref)); // a list, or one by branch
}

const seqOf = (ref: Ref): number => (typeof ref === "number" ? ref : ref[0]);

async function missingValues(
  store: Store,
  entries: readonly Entry[],
): Promise<{ readonly sound: number; readonly faults: FaultAt[] }> {
  const faults: FaultAt[] = [];
  const seen = new Set<string>();
  let sound = 0;
  for (const { seq, hash, size } of blobsIn(entries)) {
    if (seen.has(hash)) continue;
    seen.add(hash);
    const text = await store.blob(hash);
    if (text === undefined) faults.push({ seq, what: `the store has lost a value it refers to (${hash})` });
    else if (sha256(text) !== hash)
      faults.push({ seq, what: `a value it refers to is not what its hash says (${hash})` });
    else if (size !== undefined && size !== text.length)
      faults.push({ seq, what: `a value it refers to has ${text.length} characters, not ${size} (${hash})` });
    else sound += 1;
  }
  return { sound, faults };
}

/** What the list of runs says of a run that has come to stand, and its journal does not. */
function disagreements({ status, fingerprint, picoUsd, calls }: RunListing, run: RunRecord): FaultAt[] {
  const wrong: string[] = [];
  if (status !== run.status)
    wrong.push(`the list says that it is ${status}, its journal that it is ${run.status}`);
  if (fingerprint !== run.fingerprint)
    wrong.push(`the list says version ${fingerprint}, its journal ${run.fingerprint}`);
  // While a run is under way the list has what was spent when it was last begun or gone on with.
  if (run.status !== "running") {
    if (picoUsd !== run.spent.picoUsd.toString())
      wrong.push(
        `the list says $${decimalUsd(BigInt(picoUsd))}, its journal $${decimalUsd(run.spent.picoUsd)}`,
      );
    if (calls !== run.spent.calls) wrong.push(`the list says ${calls} calls, its journal ${run.spent.calls}`);
  }
  return wrong.map((what) => ({ seq: null, what }));
}

/** What the journals say of the shared accounts. */
class Books {
  readonly #settled = new Totals();
  /** What became of each hold, by its id: undefined while it is held. */
  readonly #holds = new Map<string, Spent | undefined>();
  readonly #arrivals: ReadonlyMap<string, number>;

  /** @param arrivals runs from other stores: what they were charged with before is in the books there. */
  constructor(arrivals: ReadonlyMap<string, number>) {
    this.#arrivals = arrivals;
  }

  take(runId: string, entries: readonly Entry[], run: RunRecord): void {
    const from = this.#arrivals.get(runId) ?? 0;
    for (const { seq, spent, standing, accounts } of callsOf(entries, run)) {
      if (seq < from) continue;
      const id = run.reservations.get(seq)?.hold;
      for (const scope of accounts) {
        if (standing !== "held") this.#settled.add(scope, spent);
        if (id !== undefined)
          this.#holds.set(`${runId}\n${scope}\n${id}`, standing === "held" ? undefined : spent);
      }
    }
  }

  /**
   * An account's postings against what journals settled. What a hold stands for that its journal has settled is posted by
   * whoever goes on with the run: it is missing for now, and no fault.
   */
  disagreements({ scope, posted, holds }: Account): string[] {
    const late = holds
      .map(({ id, runId }) => this.#holds.get(`${runId}\n${scope}\n${id}`) ?? nothingSpent)
      .reduce(addSpent, nothingSpent);
    const expected = lessSpent(this.#settled.of(scope), late);
    const found = spentIn(posted);
    if (found.picoUsd >= expected.picoUsd && found.calls >= expected.calls) return [];
    return [
      `the shared budget ${scope} has $${decimalUsd(found.picoUsd)} posted for ${found.calls} calls; the journals have settled $${decimalUsd(expected.picoUsd)} for ${expected.calls}`,
    ];
  }
}
