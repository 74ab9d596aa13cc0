import type { Caps } from "../core/caps.ts";
import { type DispatchTerms, defaultQueue } from "../core/dispatch.ts";
import { type Busy, LastTurns, nextInTurn, passedOver, type Waiting } from "../core/turns.ts";
import type { RunListing, Store } from "../ports/store.ts";
import type { Slots } from "./slots.ts";

/** What a process takes of the runs that nobody attends to. Without any of it: all, as they come. */
export interface ChoiceOptions {
  /** Only runs of these queues. Default: of all. */
  readonly queues?: readonly string[];
  /** Limits that hold over all processes on the store that have them. Default: none. */
  readonly caps?: Caps;
  /**
   * The version this process has of each pipeline. A run of another version is left for so many milliseconds to whoever has
   * that one, and only then gone on with, if it can be.
   */
  readonly versions?: { readonly own: ReadonlyMap<string, string>; readonly patienceMs: number };
  /**
   * A run that was submitted and has not begun is left to the dispatcher for so many milliseconds, and then taken where there is
   * room that nobody else wants, or where the dispatcher gives its tenant's turn to others. Default: there is no dispatcher.
   */
  readonly headStartMs?: number;
}

/** Nothing has changed in how it stands since it was made. */
export const hasBegun = ({ createdAt, updatedAt }: RunListing): boolean => updatedAt !== createdAt;

/** Journals that are looked into at once. */
const atOnce = 20;

/** Chooses among the runs that nobody attends to. */
export class Choice {
  readonly #store: Store;
  readonly #options: ChoiceOptions;
  readonly #slots: Slots;
  /** What runs were submitted with, of those that stood here lately. */
  readonly #terms = new Map<string, DispatchTerms>();
  /** Since when runs of other versions are free. */
  readonly #freeSince = new Map<string, number>();
  /** For whom the runs under way are. */
  readonly #tenants = new Map<string, string>();
  readonly #lastTurns = new LastTurns();
  #passedOver = 0;
  #crowdedOut = 0;
  #leftForLater = false;

  constructor(store: Store, options: ChoiceOptions, slots: Slots) {
    this.#store = store;
    this.#options = options;
    this.#slots = slots;
  }

  /** Whether it ever leaves a run that it might take. */
  get leavesSome(): boolean {
    const { queues, caps, versions, headStartMs } = this.#options;
    return [queues, caps, versions, headStartMs].some((one) => one !== undefined);
  }

  /** How many it has left last time, whatever room there was. */
  get passedOver(): number {
    return this.#passedOver;
  }

  /** How many found no room last time that go before what a dispatcher hands over: it is to leave it to them. */
  get crowdedOut(): number {
    return this.#crowdedOut;
  }

  /** Whether it has left some last time that it may take without anything having happened: their patience ends, say. */
  get leftForLater(): boolean {
    return this.#leftForLater;
  }

  /**
   * Those to go on with now.
   *
   * @param free the runs that nobody attends to, those that have waited longest first.
   * @param room how many there is room for, beside those under way.
   * @param underWay the runs of this process.
   */
  async of(
    free: readonly RunListing[],
    room: number,
    underWay: ReadonlySet<string>,
    now: number,
  ): Promise<readonly RunListing[]> {
    const { queues, caps } = this.#options;
    const ripe = free.filter((run) => this.#isRipe(run, now));
    this.#forget(free, underWay);
    this.#passedOver = free.length - ripe.length;
    this.#crowdedOut = 0;
    this.#leftForLater = ripe.length < free.length;
    if (ripe.length <= room && queues === undefined && caps === undefined) return ripe;
    await this.#learn(ripe);
    const waiting = ripe
      .map((item) => ({ item, terms: this.#terms.get(item.runId) ?? {} }))
      .filter(({ terms }) => queues === undefined || queues.includes(terms.queue ?? defaultQueue));
    this.#passedOver = free.length - waiting.length;
    const byTenant = new Map<string, number>();
    for (const runId of underWay) {
      const tenant = this.#tenants.get(runId) ?? "";
      byTenant.set(tenant, (byTenant.get(tenant) ?? 0) + 1);
    }
    const fits = caps === undefined ? () => true : await this.#fitting(caps, waiting);
    const busy = { byTenant, lastTurns: this.#lastTurns.byTenant, fits };
    const chosen = this.#inTurn(waiting, room, room + underWay.size, busy);
    this.#leftForLater ||= chosen.length < waiting.length;
    for (const { runId } of chosen) this.begins(runId, this.#terms.get(runId)?.tenant);
    return chosen;
  }

  /** What there is room for at this moment under the limits over all processes; whoever is taken has to get a slot first. */
  async #fitting(
    caps: Caps,
    waiting: readonly Waiting<RunListing>[],
  ): Promise<(one: Waiting<RunListing>) => boolean> {
    const left = new Map<string, { slots: number; begins: number }>();
    for (const [scope, room] of await this.#slots.room(waiting.flatMap(({ terms }) => caps(terms))))
      left.set(scope, { ...room });
    return ({ item, terms }) => {
      const rooms = caps(terms).flatMap(({ scope }) => left.get(scope) ?? []);
      const begins = hasBegun(item) ? 0 : 1;
      if (rooms.some((room) => room.slots < 1 || room.begins < begins)) return false;
      for (const room of rooms) {
        room.slots -= 1;
        room.begins -= begins;
      }
      return true;
    };
  }

  /**
   * Where a dispatcher hands over what has not begun, all that has goes before it; and so do those whose turn the dispatcher would give to
   * other tenants.
   */
  #inTurn(
    waiting: readonly Waiting<RunListing>[],
    room: number,
    capacity: number,
    busy: Busy<RunListing>,
  ): RunListing[] {
    if (this.#options.headStartMs === undefined) return nextInTurn(waiting, room, busy);
    const { begun = [], fresh = [] } = Object.groupBy(waiting, ({ item }) =>
      hasBegun(item) ? "begun" : "fresh",
    );
    const wanted = nextInTurn(begun, begun.length, busy);
    wanted.push(...passedOver(fresh, capacity, this.#beside(wanted, busy)));
    this.#crowdedOut = Math.max(0, wanted.length - room);
    if (wanted.length >= room) return wanted.slice(0, room);
    const known = new Set(wanted);
    const others = fresh.filter(({ item }) => !known.has(item));
    return [...wanted, ...nextInTurn(others, room - wanted.length, this.#beside(wanted, busy))];
  }

  /** What is under way when these are, too. */
  #beside(runs: readonly RunListing[], busy: Busy<RunListing>): Busy<RunListing> {
    const byTenant = new Map(busy.byTenant);
    for (const { runId } of runs) {
      const tenant = this.#terms.get(runId)?.tenant ?? "";
      byTenant.set(tenant, (byTenant.get(tenant) ?? 0) + 1);
    }
    return { ...busy, byTenant };
  }

  /** It is the turn of a tenant, or of nobody in particular; its run counts for as long as it is under way. */
  begins(runId: string, tenant: string | undefined): void {
    if (tenant !== undefined) this.#tenants.set(runId, tenant);
    this.#lastTurns.take(tenant);
  }

  /** What a run was submitted with, of one that was chosen. */
  termsOf(runId: string): DispatchTerms {
    return this.#terms.get(runId) ?? {};
  }

  #isRipe(run: RunListing, now: number): boolean {
    const { headStartMs = 0, versions } = this.#options;
    if (!hasBegun(run) && !run.unheard && now < Math.max(run.createdAt, run.wakeAt ?? 0) + headStartMs)
      return false;
    if (versions === undefined || versions.own.get(run.pipeline) === run.fingerprint) return true;
    const since = this.#freeSince.get(run.runId) ?? now;
    this.#freeSince.set(run.runId, since);
    return now >= since + versions.patienceMs;
  }

  /** Reads what runs were submitted with. One that is gone in the meantime has no terms. */
  async #learn(runs: readonly RunListing[]): Promise<void> {
    const unknown = runs.filter(({ runId }) => !this.#terms.has(runId));
    for (let i = 0; i < unknown.length; i += atOnce) {
      await Promise.all(
        unknown.slice(i, i + atOnce).map(async ({ runId }) => {
          const [first] = (await this.#store.read(runId, 0, 1)) ?? [];
          this.#terms.set(runId, (first?.type === "run-created" && first.dispatch) || {});
        }),
      );
    }
  }

  #forget(free: readonly RunListing[], underWay: ReadonlySet<string>): void {
    const standing = new Set(free.map(({ runId }) => runId));
    for (const known of [this.#terms, this.#freeSince])
      for (const runId of known.keys()) if (!standing.has(runId)) known.delete(runId);
    for (const runId of this.#tenants.keys()) if (!underWay.has(runId)) this.#tenants.delete(runId);
  }
}
