import type { BudgetExceededError, FlujoError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Node } from "../core/node.ts";
import type { Path } from "../core/paths.ts";
import type { RunRecord } from "../core/run-record.ts";
import type { ScopeRecord } from "../core/scopes.ts";
import type { JsonReducers } from "../core/state.ts";
import type { Instrument } from "../ports/instrument.ts";
import type { Models } from "../ports/models.ts";
import type { Lease, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { type Archive, archiveOf } from "./archive.ts";
import { Commons } from "./commons.ts";
import { Compensations } from "./compensations.ts";
import { Interruption } from "./interruption.ts";
import type { Pen } from "./journal.ts";
import { Mailbox } from "./mailbox.ts";
import { reducersOf } from "./reducers.ts";
import type { Rehearsal } from "./rehearsal.ts";
import { Stint, type StintTerms } from "./stint.ts";
import { Stop } from "./stop.ts";
import { Treasury } from "./treasury.ts";

/** What a tenure works with. */
export interface TenureParts {
  readonly lease: Lease;
  readonly node: Node;
  readonly journal: Pen;
  readonly store: Store;
  readonly world: World;
  readonly models: Models | undefined;
  readonly instrument: Instrument | undefined;
  /** How long calls already paid for are awaited once the run is to stop. */
  readonly graceMs: number;
  /** The longest sleep that is waited out in this process. */
  readonly awakeMs: number;
  /** The accounts the run shares with others. */
  readonly scopes: readonly ScopeRecord[];
  readonly rehearsal?: Rehearsal;
}

/** One process's time as the owner of a run: all that its operations share. */
export class Tenure {
  readonly runId: string;
  readonly journal: Pen;
  readonly run: RunRecord;
  readonly store: Archive;
  readonly world: World;
  readonly models: Models | undefined;
  /** Watches what bodies do. */
  readonly instrument: Instrument | undefined;
  /** Looks at what is recorded, where the run is replayed and not advanced. */
  readonly rehearsal: Rehearsal | undefined;
  readonly treasury: Treasury;
  readonly mail: Mailbox;
  readonly reducers: JsonReducers;
  readonly compensations: Compensations;
  /** Paid calls not yet recorded, by path. */
  readonly underWay = new Map<Path, Promise<Json>>();
  readonly #awakeMs: number;
  #stint: Stint | undefined;
  readonly #calls = new Map<Promise<unknown>, Stop>();
  /** Why this process lets the run go at the next operation; undefined while it does not. */
  #departure: FlujoError | undefined;
  /** Why something in it has been left to others. */
  #left: FlujoError | undefined;
  /** When what was left to others can be gone on with, in milliseconds since 1970. */
  #resumesAt: number | undefined;
  /** How to end the rests under way. */
  readonly #rests = new Set<() => void>();
  readonly #operations = new Set<Promise<unknown>>();
  readonly #graceMs: number;
  #stop = new Stop();
  /** Why this process gives the run up. */
  #gone: Interruption | undefined;

  constructor(parts: TenureParts) {
    this.runId = parts.lease.runId;
    this.journal = parts.journal;
    this.run = parts.journal.run;
    this.store = archiveOf(parts.store, (error) => this.leave(error));
    this.world = parts.world;
    this.models = parts.models;
    this.instrument = parts.instrument;
    this.rehearsal = parts.rehearsal;
    this.#graceMs = parts.graceMs;
    this.#awakeMs = parts.awakeMs;
    this.treasury = new Treasury(
      parts.journal,
      parts.world,
      commonsOf(parts, (error) => this.lose(error)),
    );
    this.mail = new Mailbox(this.runId, this.store, this.run);
    this.reducers = reducersOf(parts.node);
    this.compensations = new Compensations(this, parts.node);
  }

  /** The time that is left, where it has an end. */
  get stint(): Stint | undefined {
    return this.#stint;
  }

  /** The longest sleep that is waited out in this process. */
  get awakeMs(): number {
    return this.#stint === undefined ? this.#awakeMs : Math.min(this.#awakeMs, this.#stint.leftMs);
  }

  /** What stops everything that is under way. */
  get stop(): Stop {
    return this.#stop;
  }

  /** What the run was to do is over, one way or another; what is done now to undo it is stopped anew. */
  turnBack(): void {
    this.#stop = new Stop();
    if (this.#gone !== undefined) this.#stop.fire(this.#gone);
  }

  /** No new work: the budget does not allow it. */
  halt(error: BudgetExceededError): Interruption {
    const interruption = Interruption.halted(error);
    this.stop.fire(interruption);
    return interruption;
  }

  /** A run that undoes what it has done goes on with that. */
  cancel(error: FlujoError): void {
    if (this.run.undoing === undefined) this.stop.fire(Interruption.cancelled(error));
  }

  /** This process lets the run go: no operation begins any more, rests end, and what is under way may finish. */
  depart(error: FlujoError): void {
    this.#departure = error;
    for (const end of [...this.#rests]) end();
  }

  /**
   * From here on the time of this process has an end: nothing begins that does not fit into it, and what is under way when
   * it is over is cut off.
   *
   * @param why the run is let go then.
   * @returns how to call it off.
   */
  limit(terms: StintTerms, why: FlujoError): () => void {
    const { world } = this;
    const stint = new Stint(this.runId, world, this.run, terms, why);
    this.#stint = stint;
    return world.timer(Math.max(0, terms.endsAt - world.now()), () => void this.#cutOff(stint, why));
  }

  /** Says what is cut off, so that nobody cuts it off again after as long, and cuts it off. */
  async #cutOff({ underWay, lastWordMs }: Stint, why: FlujoError): Promise<void> {
    const lose = (): void => this.lose(why);
    const off = this.world.timer(lastWordMs, lose);
    for (const { path, after } of underWay) this.journal.put({ type: "operation-cut", path, after });
    await this.journal.sync().catch(() => {}); // whoever goes on finds it out anew
    off();
    lose();
  }

  /** Called where an operation is to begin. @throws Interruption when it is left to whoever goes on with the run. */
  checkStaying(): void {
    if (this.#departure !== undefined) throw this.#leaveOut(this.#departure);
  }

  /** The same for work that takes its time, and is not recorded yet. */
  checkFitting(path: Path): void {
    const why = this.#stint?.objection(path);
    if (why !== undefined) throw this.#leaveOut(why);
  }

  /** Why the run is let go, once something in it has been left to others. */
  get departed(): FlujoError | undefined {
    return this.#left;
  }

  /** Before this moment, in milliseconds since 1970, there is nothing to be gone on with of what was left out. */
  get resumesAt(): number | undefined {
    return this.#resumesAt;
  }

  /** What is left out is as what waits: whatever goes on beside it comes to its end. */
  #leaveOut(why: FlujoError, until = this.world.now()): Interruption {
    if (this.#left === undefined || !why.retryable) this.#left = why;
    this.#resumesAt = Math.min(until, this.#resumesAt ?? until);
    return Interruption.suspended([]);
  }

  /** Remembers an operation under way. */
  operating<T>(operation: Promise<T>): Promise<T> {
    this.#operations.add(operation);
    const forget = (): void => void this.#operations.delete(operation);
    operation.then(forget, forget);
    return operation;
  }

  /** Resolves when no operation is under way any more. */
  async quiet(): Promise<void> {
    while (this.#operations.size > 0) await Promise.allSettled(this.#operations);
  }

  /** This process gives the run up: nothing new begins, and calls already paid for are awaited. */
  leave(error: FlujoError): void {
    this.#gone ??= Interruption.lost(error);
    this.stop.fire(this.#gone);
  }

  /** This process is no longer the owner, or cannot be: everything stops, and nothing more is written. */
  lose(error: FlujoError): void {
    this.leave(error);
    this.#cut();
  }

  /**
   * Remembers a call under way, so that the run does not end before the call has. When its place is stopped, it has the
   * grace period to come back, even if the run goes on without that place: it holds money that others may need.
   */
  track<T>(call: Promise<T>, stop: Stop): Promise<T> {
    let offCut = (): void => {};
    const offStop = stop.onFire(() => {
      offCut = this.world.timer(this.#graceMs, () => stop.cut());
    });
    const settled = call.then(
      () => {},
      () => {},
    );
    this.#calls.set(settled, stop);
    settled.then(() => {
      this.#calls.delete(settled);
      offStop();
      offCut();
    });
    return call;
  }

  /** Cuts off every call, those whose place in the tree is over and done with included. */
  #cut(): void {
    this.stop.cut();
    for (const stop of this.#calls.values()) stop.cut();
  }

  /** Waits for the calls under way; after the grace period they are cut off. */
  async drain(): Promise<void> {
    if (this.#calls.size === 0) return;
    const off = this.world.timer(this.#graceMs, () => this.#cut());
    while (this.#calls.size > 0) await Promise.all(this.#calls.keys());
    off();
  }

  /** Rests until a moment in time, or until stopped, or until this process lets the run go. */
  rest(until: number, stop: Stop): Promise<void> {
    stop.check();
    const why = this.#departure ?? this.#stint?.objectionTo(until);
    if (why !== undefined) throw this.#leaveOut(why, until);
    return new Promise((resolve, reject) => {
      const over = (): void => {
        offTimer();
        offStop();
        this.#rests.delete(end);
      };
      const end = (): void => {
        over();
        reject(this.#leaveOut(this.#departure as FlujoError, until)); // only whoever departs ends rests
      };
      const offTimer = this.world.timer(Math.max(0, until - this.world.now()), () => {
        over();
        resolve();
      });
      this.#rests.add(end);
      const offStop = stop.onFire((reason) => {
        over();
        reject(reason);
      });
    });
  }
}

/** What the run shares with others; undefined when that is nothing. */
function commonsOf(parts: TenureParts, onLost: (error: FlujoError) => void): Commons | undefined {
  if (parts.scopes.length === 0) return undefined;
  const used = [...parts.journal.run.reservations.values()].flatMap(({ accounts }) => accounts);
  return new Commons(parts, used, onLost);
}
