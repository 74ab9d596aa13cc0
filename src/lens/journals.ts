import type { Entry } from "../core/entries.ts";
import type { Manifest } from "../core/fingerprint.ts";
import { emptyRecord, type RunRecord, record } from "../core/fold.ts";
import type { Path } from "../core/paths.ts";
import type { Store } from "../ports/store.ts";
import { nested, type Operation, Recorded } from "./operations.ts";
import { type PlaceStanding, PlaceTally } from "./place-tally.ts";
import { Spending } from "./spending.ts";
import { type Tree, treeOf } from "./tree.ts";

/** What is known of a run that is looked at again and again. */
export interface OpenJournal {
  readonly runId: string;
  readonly entries: readonly Entry[];
  readonly run: RunRecord;
  readonly spending: Spending;
  /** How many operations there are. */
  readonly size: number;
  /** How it stands at each place of its version: what has come since somebody asked last is counted, and no more. */
  places(manifest: Manifest): readonly PlaceStanding[];
  /** Outer ones first, as `show` tells them. Worked out when it is asked for. */
  operations(): ReadonlyMap<Path, Operation>;
  /** The same as a tree, worked out when it is asked for. */
  tree(): Tree;
}

const page = 10_000;
/** Entries kept in memory, of all runs together; the run looked at last is kept whatever it has. */
const maxEntries = 250_000;

/** Journals that are read once, and then only where they go on. */
export class Journals {
  readonly #store: Store;
  readonly #open = new Map<string, Open>();
  readonly #reading = new Map<string, Promise<Open | undefined>>();

  constructor(store: Store) {
    this.#store = store;
  }

  /** A run as it stands now; undefined when the store has no such run, or nothing is recorded of it. */
  of(runId: string): Promise<OpenJournal | undefined> {
    const reading = this.#reading.get(runId);
    if (reading !== undefined) return reading;
    const read = this.#read(runId).finally(() => this.#reading.delete(runId));
    this.#reading.set(runId, read);
    return read;
  }

  async #read(runId: string): Promise<Open | undefined> {
    const [first] = (await this.#store.read(runId, 0, 1)) ?? [];
    if (first === undefined) {
      this.#open.delete(runId);
      return undefined;
    }
    const known = this.#open.get(runId);
    // A run that was removed and made again is another one.
    const open = known !== undefined && known.entries[0]?.at === first.at ? known : new Open(runId);
    for (;;) {
      const entries = (await this.#store.read(runId, open.entries.length, page)) ?? [];
      for (const entry of entries) open.take(entry);
      if (entries.length < page) break;
    }
    this.#open.delete(runId); // the order of the map is that of the last looks
    this.#open.set(runId, open);
    this.#forget();
    return open;
  }

  #forget(): void {
    let kept = 0;
    for (const { entries } of this.#open.values()) kept += entries.length;
    for (const [runId, { entries }] of this.#open) {
      if (kept <= maxEntries || this.#open.size === 1) return;
      kept -= entries.length;
      this.#open.delete(runId);
    }
  }
}

class Open implements OpenJournal {
  readonly runId: string;
  readonly entries: Entry[] = [];
  readonly run: RunRecord = emptyRecord();
  readonly spending = new Spending();
  readonly #recorded = new Recorded();
  #tally: { readonly of: string; readonly tally: PlaceTally } | undefined;
  #operations: ReadonlyMap<Path, Operation> | undefined;
  #tree: Tree | undefined;

  constructor(runId: string) {
    this.runId = runId;
  }

  take(entry: Entry): void {
    this.entries.push(entry);
    record(this.run, entry);
    const told = this.#recorded.take(entry);
    const charge = this.spending.take(entry);
    this.#tally?.tally.take(told, charge);
    this.#operations = undefined;
    this.#tree = undefined;
  }

  get size(): number {
    return this.#recorded.size;
  }

  places(manifest: Manifest): readonly PlaceStanding[] {
    const of = this.run.manifest;
    if (this.#tally?.of !== of) this.#tally = { of, tally: this.#counted(manifest) };
    return this.#tally.tally.standing(this.#recorded, this.run);
  }

  /** A tally of all there is so far. */
  #counted(manifest: Manifest): PlaceTally {
    const tally = new PlaceTally(manifest);
    tally.take([...this.#recorded.told], undefined);
    for (const { path, amount, settled } of this.run.reservations.values())
      tally.take([], { path, picoUsd: BigInt((settled ?? amount).picoUsd) });
    return tally;
  }

  operations(): ReadonlyMap<Path, Operation> {
    this.#operations ??= new Map(
      [...nested(this.#recorded.standing(this.run))].map((operation) => [operation.path, operation]),
    );
    return this.#operations;
  }

  tree(): Tree {
    this.#tree ??= treeOf(this.operations().values(), this.entries, this.run);
    return this.#tree;
  }
}
