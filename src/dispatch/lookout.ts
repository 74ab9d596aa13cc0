import type { DispatchTerms } from "../core/dispatch.ts";
import { FlujoError, mayPass } from "../core/errors.ts";
import type { Job, Taken } from "../ports/dispatcher.ts";
import type { RunListing, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { Choice, type ChoiceOptions, hasBegun } from "./choice.ts";
import { type Slot, Slots } from "./slots.ts";

/** Goes on with a run of one pipeline, until it has come to stand or is let go: `adopt` of its `Flujo`, and the result. */
export type Adopt = (runId: string, why: "taken-over" | "woken") => Promise<unknown>;

export interface LookoutOptions {
  readonly store: Store;
  readonly world: World;
  /** By the name of the pipeline. Runs of others are left alone. */
  readonly pipelines: ReadonlyMap<string, Adopt>;
  /** The pause between two looks, in milliseconds. Default 1,000; longer where a look takes long. */
  readonly everyMs?: number;
  /** The same while the store tells what comes about. Default 10,000. */
  readonly restMs?: number;
  /** Runs gone on with at once, at most; the others' turn comes when some of them have come to stand. Default 1,000. */
  readonly most?: number;
  readonly choice?: ChoiceOptions;
  /** How long a process that is not heard of keeps its part of limits that many share, in milliseconds. Default 15,000. */
  readonly leaseMs?: number;
  /** From this moment on nothing is taken up, and what was let go before is left to others; in milliseconds since 1970. */
  readonly until?: number;
  /**
   * Lets a run of this process go, for whoever takes it: under a limit that many share its place is another one's by now, for this
   * process stood still. Default: it is gone on with.
   */
  readonly letGo?: (run: RunListing) => void;
  readonly tell: LookoutTells;
}

/** What a lookout tells, once each. */
export interface LookoutTells {
  /** Nothing here can go on with the run as it stands. */
  readonly refused: (run: RunListing, error: unknown) => void;
  /** There are abandoned or due runs of a pipeline that is not among these: one of them. */
  readonly foreign: (run: RunListing) => void;
  /** The store does not answer; `undefined`: it does again. */
  readonly store: (trouble: unknown) => void;
  /** After each look: nothing it has taken up is under way, and there was nothing to take. */
  readonly idle?: () => void;
}

/** After so many milliseconds runs of other pipelines are looked for again. */
const foreignEveryMs = 60_000;
/** Of its time, a process spends at most this part on looking. */
const share = 1 / 20;
/** The same while it is told that there is something. */
const shareWhenTold = 1 / 4;
/** What is told within so many milliseconds shares a look. */
const gatherMs = 20;
/** Clocks differ: a job may come so many milliseconds before its run is due here. */
const clocksApartMs = 60_000;
/** Under any lease, for as long as time goes. */
const ever = Number.MAX_SAFE_INTEGER;
/** After so many milliseconds a run is tried again that was refused for what may pass by itself. */
const againMs = 60_000;
/**
 * Where some are left that might be taken, so many are looked at: those it takes may stand behind them. And so many of the newest, where
 * there are more: a tenant's first run comes late where another one has submitted very many.
 */
const view = 1_000;

/**
 * Goes on with what nobody attends to, for all pipelines of a process: runs whose owner has died or has handed them over,
 * runs whose time has come, runs that were sent something while they waited. It looks into the store, whether this process
 * has runs of its own or not; at once where the store tells of something, else after a pause. Several on one store share the
 * work: a lease is granted to one of them.
 */
export class Lookout {
  readonly #options: LookoutOptions;
  readonly #everyMs: number;
  readonly #restMs: number;
  readonly #most: number;
  readonly #names: readonly string[];
  readonly #choice: Choice;
  readonly #slots: Slots;
  readonly #underWay = new Set<string>();
  /** Runs that were refused, by how they stood then. */
  readonly #refused = new Map<string, string>();
  readonly #letGo = new Set<string>();
  readonly #foreign = new Set<string>();
  #foreignAt = 0;
  #wantsMore = false;
  #trouble = false;
  /** Whether the store tells what comes about. */
  #isLive = false;
  #wasTold = false;
  /** When the last look ended, and how long it took: looking takes its share of the time, and no more. */
  #lookedAt = 0;
  #tookMs = 0;
  /** At this moment, whatever is told. */
  #lookAt = 0;
  /** Whose runs were under way elsewhere at the last look. */
  #owners: readonly string[] = [];
  #off: (() => void) | undefined;
  #unwatch: (() => void) | undefined;
  #looking: Promise<void> | undefined;
  #ended = false;

  constructor(options: LookoutOptions) {
    this.#options = options;
    this.#everyMs = options.everyMs ?? 1_000;
    this.#restMs = options.restMs ?? 10_000;
    this.#most = options.most ?? 1_000;
    this.#names = [...options.pipelines.keys()];
    this.#slots = new Slots(options.store, options.world, options.leaseMs ?? 15_000);
    this.#choice = new Choice(options.store, options.choice ?? {}, this.#slots);
  }

  /** Looks now, and from now on. Keeps the process alive. */
  start(): void {
    this.#look();
    this.#unwatch = this.#options.store.watch?.({
      news: () => this.#lookSoon(),
      live: (isLive) => {
        this.#isLive = isLive;
        this.#lookSoon();
      },
    });
  }

  /** Looks no more; what is under way is its `Flujo`'s. */
  async stop(): Promise<void> {
    this.#ended = true;
    this.#unwatch?.();
    this.#off?.();
    await this.#looking;
  }

  #lookSoon(): void {
    this.#wasTold = true;
    if (this.#looking === undefined)
      this.#pause(this.#lookedAt + Math.max(gatherMs, this.#tookMs / shareWhenTold));
  }

  #look(): void {
    if (this.#ended || this.#looking !== undefined) return;
    this.#off?.();
    this.#wasTold = false;
    const { world } = this.#options;
    const began = world.now();
    this.#lookAt = began + (this.#isLive ? this.#restMs : 0);
    this.#looking = this.#once().then(() => {
      this.#looking = undefined;
      this.#lookedAt = world.now();
      this.#tookMs = this.#lookedAt - began;
      if (this.#wasTold) this.#lookSoon();
      else this.#pause(this.#nextLook());
    });
  }

  /** When to look again, or whether anybody has died, if nothing is told. */
  #nextLook(): number {
    const now = this.#options.world.now();
    const pause = this.#isLive ? Math.min(this.#everyMs, this.#lookAt - now) : this.#everyMs;
    return Math.max(this.#lookedAt + Math.max(gatherMs, this.#tookMs / share), now + pause);
  }

  #pause(until: number): void {
    if (this.#ended) return;
    this.#off?.();
    const { world } = this.#options;
    this.#off = world.timer(Math.max(0, until - world.now()), () => {
      if (this.#wantsLook()) this.#look();
      else this.#pause(this.#nextLook());
    });
  }

  /** Where all is told and nothing was left, a look that nothing calls for is spared. */
  #wantsLook(): boolean {
    const { world, until } = this.#options;
    if (!this.#isLive || until !== undefined || this.#wasTold || this.#wantsMore || this.#choice.leftForLater)
      return true;
    return world.now() >= this.#lookAt || this.#owners.some((owner) => world.isGone(owner));
  }

  /** One look, and another one for as long as there is more than it could take. Throws nothing. */
  async #once(): Promise<void> {
    const { tell, world } = this.#options;
    try {
      while ((await this.#take()) > 0 && this.#wantsMore && !this.#ended);
      if (world.now() >= this.#foreignAt) await this.#nameForeign();
      if (this.#trouble) tell.store(undefined);
      this.#trouble = false;
      if (this.#underWay.size === 0) tell.idle?.();
    } catch (error) {
      if (!this.#trouble) tell.store(error);
      this.#trouble = true;
    }
  }

  /** Goes on with what there is, as far as there is room. Returns with how many; notes whether there may be more. */
  async #take(): Promise<number> {
    const { store, world, choice } = this.#options;
    if (this.#isLate) return 0;
    const room = Math.max(0, this.#most - this.#underWay.size);
    if (room === 0 && choice?.headStartMs === undefined) {
      this.#wantsMore = true; // nobody knows
      return 0;
    }
    const beside = this.#underWay.size + this.#refused.size + this.#choice.passedOver;
    const limit = beside + (this.#choice.leavesSome ? Math.max(room, view) : room);
    const pipeline = this.#names;
    const soon = await store.list({ pipeline, dueBefore: this.#lookAt, limit });
    const open = await store.list({ pipeline, leaseEndsBefore: ever, limit });
    const newest = this.#choice.leavesSome && open.length === limit ? await this.#newestBeside(open) : [];
    const due = soon.filter(isDueAt(world.now()));
    this.#forgetRefused(due.length < limit && open.length < limit ? [...due, ...open] : undefined);
    const isFree = this.#freeAt(world.now());
    this.#lookAhead(
      soon,
      open.filter((run) => !isFree(run)),
    );
    const free = [...open, ...newest, ...due]
      .filter((run) => isFree(run) && this.#refused.get(run.runId) !== standOf(run))
      .sort((a, b) => waitsSince(a) - waitsSince(b));
    const taken = await this.#choice.of(free, room, this.#underWay, world.now());
    const mayHaveMore = free.length > room || due.length === limit || open.length === limit;
    this.#wantsMore = this.#choice.leavesSome ? taken.length === room : mayHaveMore;
    if (this.#ended) return 0;
    const begun = taken.filter(({ runId }) => !this.#underWay.has(runId) && this.#underWay.size < this.#most);
    for (const run of begun) void this.#adopt(run, this.#choice.termsOf(run.runId));
    return begun.length;
  }

  /** Where there are more than are looked at: the newest, which are under way or wait for somebody to begin them. */
  async #newestBeside(open: readonly RunListing[]): Promise<readonly RunListing[]> {
    const known = new Set(open.map(({ runId }) => runId));
    const filter = { status: ["running"], pipeline: this.#names, limit: view } as const;
    return (await this.#options.store.list(filter)).filter(({ runId }) => !known.has(runId)).toReversed();
  }

  /** Notes what will want a look by itself: the next one is at the first moment at which a run is due or a lease ends. */
  #lookAhead(soon: readonly RunListing[], held: readonly RunListing[]): void {
    const { world } = this.#options;
    const leases = held.flatMap(({ lease }) =>
      lease === undefined || lease.owner === world.owner ? [] : [lease],
    );
    this.#owners = [...new Set(leases.map(({ owner }) => owner))];
    const now = world.now();
    const moments = [...leases.map(({ expiresAt }) => expiresAt), ...soon.map(({ wakeAt }) => wakeAt ?? 0)];
    for (const moment of moments) if (moment > now) this.#lookAt = Math.min(this.#lookAt, moment);
  }

  get #isLate(): boolean {
    const { until, world } = this.#options;
    return until !== undefined && world.now() >= until;
  }

  /** Runs that were taken up here and let go before they had come to stand. */
  get letGo(): readonly string[] {
    return [...this.#letGo];
  }

  /** How many runs wait for somebody that nothing here can go on with, as far as they were met. */
  get refused(): number {
    return this.#refused.size;
  }

  /** How many more runs a dispatcher may hand over at this moment: those that have begun, and wait for room, come first. */
  get room(): number {
    return this.#most - this.#underWay.size - this.#choice.crowdedOut;
  }

  /**
   * Goes on with the run of a job, where it wants that and there is room here. What does not come to pass now is found by a
   * look, sooner or later.
   */
  async take({ runId, pipeline, fingerprint, queue, tenant }: Job): Promise<Taken> {
    const { store, world, pipelines, choice } = this.#options;
    if (this.#underWay.has(runId)) return "done";
    const own = choice?.versions?.own.get(pipeline);
    if (this.#ended || this.#isLate || !pipelines.has(pipeline) || (own !== undefined && own !== fingerprint))
      return "left";
    try {
      const run = await standing(store, runId, pipeline);
      if (run === undefined || isEnded(run)) return "done";
      const dueInMs = run.status === "running" || run.unheard ? 0 : (run.wakeAt ?? ever) - world.now();
      if (dueInMs > 0) return dueInMs < clocksApartMs ? "left" : "done";
      if (!this.#freeAt(world.now())(run) || this.#refused.get(runId) === standOf(run)) return "done";
      if (this.#underWay.size >= this.#most) return "left";
      this.#choice.begins(runId, tenant);
      const terms = {
        ...(queue === undefined ? {} : { queue }),
        ...(tenant === undefined ? {} : { tenant }),
      };
      return await this.#adopt(run, terms);
    } catch {
      return "left"; // the store does not answer: the next look tells
    }
  }

  /** Whether nobody has a run at this moment, as far as one can know. */
  #freeAt(now: number): (run: RunListing) => boolean {
    const gone = new Map<string, boolean>();
    const isGone = (owner: string): boolean => {
      const known = gone.get(owner) ?? this.#options.world.isGone(owner);
      gone.set(owner, known);
      return known;
    };
    return ({ runId, lease }) =>
      !this.#underWay.has(runId) &&
      !this.#letGo.has(runId) &&
      (lease === undefined || lease.expiresAt <= now || isGone(lease.owner));
  }

  async #adopt(run: RunListing, terms: DispatchTerms): Promise<Taken> {
    const { runId } = run;
    const adopt = this.#options.pipelines.get(run.pipeline) as Adopt; // the store was asked for these only
    let slot: Slot | undefined;
    let isOurs = true;
    this.#underWay.add(runId);
    try {
      const caps = this.#options.choice?.caps?.(terms) ?? [];
      slot = await this.#slots.take(caps, !hasBegun(run), () => this.#options.letGo?.(run));
      if (slot === undefined) this.#lookSoon(); // others were first: there may be room for another one
      if (slot === undefined || this.#ended) return "left";
      await adopt(runId, run.status === "running" ? "taken-over" : "woken");
      return "done";
    } catch (error) {
      isOurs = !FlujoError.isInstance(error) || error.code !== "lease-held";
      if (this.#options.until !== undefined && isLetGo(error)) this.#letGo.add(runId);
      if (this.#ended || isElsewhere(error)) return "left";
      this.#refuse(run, error);
      return "done";
    } finally {
      slot?.free(isOurs);
      this.#underWay.delete(runId);
      if (this.#choice.crowdedOut > 0) this.#lookSoon();
      else if (this.#wantsMore && this.#underWay.size <= this.#most / 2) this.#look();
    }
  }

  #refuse(run: RunListing, error: unknown): void {
    const { runId } = run;
    this.#refused.set(runId, standOf(run));
    if (mayPass(error))
      this.#options.world.timer(againMs, () => this.#refused.delete(runId), { background: true });
    if (!this.#ended) this.#options.tell.refused(run, error);
  }

  /** @param all every run that nobody attends to, where that is known. */
  #forgetRefused(all: readonly RunListing[] | undefined): void {
    if (all === undefined || this.#refused.size === 0) return;
    const standing = new Set(all.map(({ runId }) => runId));
    for (const runId of this.#refused.keys()) if (!standing.has(runId)) this.#refused.delete(runId);
  }

  /** Names, once each, the pipelines whose runs somebody else has to go on with. */
  async #nameForeign(): Promise<void> {
    const { store, world, tell } = this.#options;
    const now = world.now();
    this.#foreignAt = now + foreignEveryMs;
    const known = new Set([...this.#names, ...this.#foreign]);
    const isFree = this.#freeAt(now);
    for (const filter of [{ leaseEndsBefore: ever }, { dueBefore: now }]) {
      for (const run of await store.list({ ...filter, limit: 1_000 })) {
        if (known.has(run.pipeline) || !isFree(run)) continue;
        known.add(run.pipeline);
        this.#foreign.add(run.pipeline);
        tell.foreign(run);
      }
    }
  }
}

/** How a run stands in lists. Several may begin with its id; of very many it may not be among those that are asked for. */
async function standing(store: Store, runId: string, pipeline: string): Promise<RunListing | undefined> {
  const found = await store.list({ idPrefix: runId, pipeline, limit: view });
  return found.find((run) => run.runId === runId);
}

const isDueAt =
  (now: number) =>
  ({ wakeAt = ever, unheard }: RunListing): boolean =>
    unheard !== undefined || wakeAt <= now;

/** Since when nobody attends to it, as far as lists say: those that were let go of come in the order of their ids. */
const waitsSince = ({ unheard, wakeAt, updatedAt }: RunListing): number =>
  unheard === undefined ? (wakeAt ?? updatedAt) : updatedAt;

const isEnded = ({ status }: RunListing): boolean => status !== "running" && status !== "waiting";

const isLetGo = (error: unknown): boolean => FlujoError.isInstance(error) && error.code === "lease-lost";

/** Another process has the run, or the store does not answer: it is looked at again. */
const isElsewhere = (error: unknown): boolean =>
  FlujoError.isInstance(error) && (error.retryable || error.code === "lease-lost");

/** How a run stands: once that has changed, it is another try. */
const standOf = ({ status, updatedAt, wakeAt, unheard }: RunListing): string =>
  [status, updatedAt, wakeAt, unheard].join(" ");
