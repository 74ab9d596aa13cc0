/** What a run has done that can be undone, and the undoing of it: each once, the last that completed first. */
import type { Ref } from "../core/entries.ts";
import { type ErrorRecord, placed, recordError } from "../core/error-record.ts";
import { VersionChangedError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Node } from "../core/node.ts";
import { childPath, enclosing, type Path, undoPath } from "../core/paths.ts";
import { Values } from "../core/resolve.ts";
import { places, undoAt, undos } from "../core/tree.ts";
import { absent, type Frame } from "./frame.ts";
import { Interruption } from "./interruption.ts";
import { entriesOf } from "./load.ts";
import { StateScope } from "./state-scope.ts";
import type { Tenure } from "./tenure.ts";
import { fetchJson, keepAside, type Value } from "./values.ts";

/** A place that has completed and has a compensation. */
interface Debt {
  readonly path: Path;
  readonly seq: number;
  readonly in: Ref;
  readonly out: Ref;
  /** What the references stand for, where the place was walked by this tenure. */
  values?: { readonly input: Json; readonly output: Json };
}

/** A failure that is taken care of. */
export interface Failure {
  readonly error: ErrorRecord;
  /** The seq of the entry that says so: what was undone before that is not undone again. */
  readonly since: number;
  /** Failed attempts to undo before this entry are stale. Default: `since`. */
  readonly freshFrom?: number;
}

export class Compensations {
  readonly #tenure: Tenure;
  readonly #root: Node;
  readonly #debts = new Map<Path, Debt>();
  /** The same, by everything each of them lies in. */
  readonly #within = new Map<Path, Debt[]>();
  #past: Promise<Values> | undefined;

  /** @param root the tree that the compensations are looked up in. */
  constructor(tenure: Tenure, root: Node) {
    this.#tenure = tenure;
    this.#root = root;
    for (const [path, { seq, in: given, out }] of tenure.run.compensations)
      this.#add({ path, seq, in: given, out });
  }

  /** Whether there is anything left to undo. */
  get areOwed(): boolean {
    const { compensations } = this.#tenure.run;
    return [...this.#debts.keys()].some((path) => compensations.get(path)?.completed === undefined);
  }

  /** A place with a compensation has completed. */
  note(path: Path, input: Value, output: Value): void {
    const values = { input: input.json, output: output.json };
    const known = this.#debts.get(path);
    if (known !== undefined) {
      known.values = values;
      return;
    }
    if (this.#isShared(output.ref)) return;
    const refs = { in: input.ref, out: output.ref };
    const seq = this.#tenure.journal.put({ type: "compensation-owed", path, ...refs });
    this.#add({ path, seq, ...refs, values });
  }

  /** Undoes what a part of the tree has completed, under the path of the frame: it has failed for good. */
  async undoPart(node: Node, failure: Failure, frame: Frame): Promise<void> {
    const paths = [
      ...places(node).map(({ name }) => childPath(frame.path, name)),
      ...undos(node, frame.path).map(({ within }) => within.slice(0, -undoPath("").length)),
    ];
    await this.undoWithin([...new Set(paths)], failure, frame);
  }

  /** Undoes everything that has completed at these paths and inside. */
  async undoWithin(paths: readonly Path[], failure: Failure, frame: Frame): Promise<void> {
    await this.#undoAll(
      paths.flatMap((path) => this.#within.get(path) ?? []),
      failure,
      frame,
    );
  }

  /** Undoes everything the run has completed. */
  async undoRun(failure: Failure, frame: Frame): Promise<void> {
    await this.#undoAll([...this.#debts.values()], failure, frame);
  }

  /** A fork does not undo what another run has done: that one still counts on it. */
  #isShared(ref: Ref): boolean {
    const { forkedFrom } = this.#tenure.run.created ?? {};
    return forkedFrom !== undefined && (typeof ref === "number" ? ref : ref[0]) <= forkedFrom.entries;
  }

  #add(debt: Debt): void {
    this.#debts.set(debt.path, debt);
    for (const around of enclosing(debt.path)) {
      const known = this.#within.get(around);
      if (known) known.push(debt);
      else this.#within.set(around, [debt]);
    }
  }

  async #undoAll(debts: Debt[], failure: Failure, frame: Frame): Promise<void> {
    if (debts.length === 0) return;
    const { since, freshFrom = since } = failure;
    await this.#tenure.journal.sync(); // what is owed, and that it is to be undone
    for (const debt of debts.sort((a, b) => b.seq - a.seq)) {
      const { completed, failed } = this.#tenure.run.compensations.get(debt.path) ?? {};
      if (completed !== undefined && completed < since) continue;
      if (failed !== undefined && failed.seq > freshFrom && completed === undefined) continue; // it has had its chance
      await this.#undo(debt, { ...failure, freshFrom }, frame);
    }
  }

  /** One of them. What is recorded of it is taken from there: a run that was resumed comes to the same state. */
  async #undo(debt: Debt, { error, freshFrom }: Required<Failure>, frame: Frame): Promise<void> {
    const { journal, run, runId, world, store } = this.#tenure;
    const { path } = debt;
    const known = run.compensations.get(path);
    const began = world.now();
    try {
      const undo = undoAt(this.#root, path);
      if (undo === undefined) throw new VersionChangedError(runId, [undoPath(path)]);
      const started = known?.started;
      const seen = started === undefined ? frame.state.current : await fetchJson(started.state ?? {}, store);
      const reason = started?.reason ?? error;
      const seq = started?.seq ?? this.#start(debt, reason, seen);
      const values = debt.values ?? (await this.#recorded(debt));
      const [input, output] = [await fetchJson(values.input, store), await fetchJson(values.output, store)];
      const state = new StateScope(seen);
      const given = { input, output, reason: reason as unknown as Json }; // a record is JSON
      await frame.advance(
        undo,
        { json: given, ref: seq },
        { ...frame, ...bare, path: undoPath(path), state, scopes: frame.scopes.slice(0, 1), freshFrom },
      );
      frame.state.adopt(seen, state.current);
    } catch (thrown) {
      if (thrown instanceof Interruption) throw thrown;
      frame.stop.check(); // it was stopped, and has not failed
      if (known?.completed !== undefined) return;
      const record = recordError(placed(thrown, undoPath(path)));
      journal.put({ type: "compensation-failed", path, error: record, took: world.now() - began });
      await journal.sync();
      return;
    }
    if (known?.completed !== undefined) return;
    journal.put({ type: "compensation-completed", path, took: world.now() - began });
    await journal.sync();
  }

  #start({ path, seq: of }: Debt, reason: ErrorRecord, seen: Json): number {
    const { journal } = this.#tenure;
    const kept = keepAside(seen);
    const state = kept === undefined ? {} : { state: kept.entry };
    return journal.put({ type: "compensation-started", path, of, reason, ...state }, kept?.blob);
  }

  /** What a place was given and what came of it, of an earlier tenure. */
  async #recorded({ in: given, out }: Debt): Promise<{ input: Json; output: Json }> {
    const { store, runId } = this.#tenure;
    this.#past ??= entriesOf(store, runId).then(
      (entries) => new Values(entries, ({ hash }) => store.blob(hash)),
    );
    const values = await this.#past;
    const [input, output] = [await values.of(given), await values.of(out)];
    return { input: input ?? absent, output: output ?? absent };
  }
}

/** A compensation stands apart from what is around its place: only the limits of the run hold for it. */
const bare = { checks: [], deadline: undefined, footprint: undefined } as const;
