import type { Entry } from "../core/entries.ts";
import type { Manifest } from "../core/fingerprint.ts";
import { record } from "../core/fold.ts";
import type { Path } from "../core/paths.ts";
import { emptyRecord, type RunRecord } from "../core/run-record.ts";
import { spentOf } from "../core/spending.ts";
import type { Store } from "../ports/store.ts";
import { nested } from "./nesting.ts";
import { type Operation, Recorded } from "./operations.ts";
import { type PlaceStanding, PlaceTally } from "./place-tally.ts";
import { type Charge, Spending } from "./spending.ts";
import { type Pause, Tree, type TreePage } from "./tree.ts";

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
  /** The same as a tree, some of the rows right below a path. What has come since somebody asked last is added, and no more. */
  treePage(within: Path, from: number, limit: number): TreePage;
  /** Times in which nobody advanced the run. */
  readonly pauses: readonly Pause[];
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
    this.#tree?.pass(entry);
    for (const operation of told) this.#tree?.tell(operation);
    if (charge !== undefined) this.#tree?.charge(charge);
    this.#operations = undefined;
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
    for (const charge of this.#charges()) tally.take([], charge);
    return tally;
  }

  /** What counts for each call so far. */
  *#charges(): Generator<Charge> {
    for (const { path, amount, settled, kind } of this.run.reservations.values())
      yield { path, spent: spentOf(settled ?? amount, kind) };
  }

  operations(): ReadonlyMap<Path, Operation> {
    this.#operations ??= new Map(
      [...nested(this.#recorded.standing(this.run))].map((operation) => [operation.path, operation]),
    );
    return this.#operations;
  }

  treePage(within: Path, from: number, limit: number): TreePage {
    return this.#grown().page(within, from, limit, this.#recorded, this.run);
  }

  get pauses(): readonly Pause[] {
    return this.#grown().pauses;
  }

  /** The tree, of all there is so far when it is asked for first. */
  #grown(): Tree {
    if (this.#tree !== undefined) return this.#tree;
    this.#tree = new Tree();
    for (const entry of this.entries) this.#tree.pass(entry);
    for (const operation of this.#recorded.told) this.#tree.tell(operation);
    for (const charge of this.#charges()) this.#tree.charge(charge);
    return this.#tree;
  }
}
