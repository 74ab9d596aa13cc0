import { recordError } from "../core/error-record.ts";
import { FlujoError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { decide, decidedThrough, dueTicks, withOutcome } from "./decision.ts";
import { tickRunId } from "./ids.ts";
import { changeSchedule, replaceSchedule, type Standing, scheduleNamed, schedulesIn } from "./plan.ts";
import type { Refusal, Schedule } from "./schedule.ts";
import { ticksOf } from "./ticks.ts";

/** What a timetable has done, or has come to know. */
export type TimetableNews =
  | { readonly what: "started"; readonly schedule: Schedule; readonly tick: number; readonly runId: string }
  /** The run could not be started, and will not be. */
  | { readonly what: "refused"; readonly schedule: Schedule; readonly refusal: Refusal }
  /** The run could not be started now; it is tried again. */
  | {
      readonly what: "delayed";
      readonly schedule: Schedule;
      readonly tick: number;
      readonly error: FlujoError;
    }
  /** Ticks that get no run: so many were missed, so many met the run of an earlier one. */
  | {
      readonly what: "passed-over";
      readonly schedule: Schedule;
      readonly missed: number;
      readonly overlapping: number;
    }
  /** The store did not take part, or (with a schedule) its note makes no sense here. It is tried again. */
  | { readonly what: "trouble"; readonly schedule: Schedule | undefined; readonly error: unknown };

export interface TimetableOptions {
  readonly store: Store;
  readonly world: World;
  /**
   * Starts the run of a tick, with the id `tickRunId` says, unless there is one, and resolves once its beginning is in the store:
   * `startTick` does so. What it throws is for good, unless it is `retryable`, the store is unavailable, or the lease was lost:
   * so `stop` comes before the `Flujo` it uses is disposed.
   */
  readonly start: (schedule: Schedule, tick: number) => Promise<"started" | "exists">;
  /** Which schedules this process fires; others are left to others. Default: all. */
  readonly serves?: (schedule: Schedule) => boolean;
  readonly onNews?: (news: TimetableNews) => void;
  /** Milliseconds between looks for schedules that another process has added or changed. Default 5,000. */
  readonly everyMs?: number;
}

const never = Number.POSITIVE_INFINITY;

/** From `since` until `at` nothing is to be done for a schedule, unless its note has another version. */
interface Seen {
  readonly version: string;
  readonly since: number;
  readonly at: number;
}

/** What somebody else has decided, or what failed, is left alone for so long. */
const againMs = 5_000;

/**
 * Fires schedules: any number of processes on one store, each tick one run. There is one timer, for the earliest tick. It
 * keeps the process.
 *
 * What becomes of a tick is decided once, by compare-and-swap of the schedule's note; then its run is started, under an id made
 * of name and tick, by whoever decided or, when they are slow or gone, by anybody; then the note says that it is. A
 * process may die between any two of these.
 */
export class Timetable {
  readonly #options: TimetableOptions;
  readonly #everyMs: number;
  /** Schedules that are being dealt with. */
  readonly #busy = new Map<string, Promise<void>>();
  readonly #seen = new Map<string, Seen>();
  #at = never;
  #off: (() => void) | undefined;
  #ended = false;

  constructor(options: TimetableOptions) {
    this.#options = options;
    this.#everyMs = options.everyMs ?? 5_000;
  }

  /** Begins, with what is due now. Resolves after the first look, while runs are being started. @throws what the store throws. */
  async start(): Promise<void> {
    await this.#look();
  }

  /** Ends, once what is being started is noted. Runs go on. */
  async stop(): Promise<void> {
    this.#ended = true;
    this.#off?.();
    await Promise.all(this.#busy.values());
  }

  /** Wakes at this moment, or before. */
  #set(at: number): void {
    if (this.#ended || at >= this.#at) return;
    const { world } = this.#options;
    this.#off?.();
    this.#at = at;
    this.#off = world.timer(Math.max(0, at - world.now()), () => void this.#ring());
  }

  async #ring(): Promise<void> {
    this.#at = never;
    try {
      await this.#look();
    } catch (error) {
      if (this.#ended) return;
      this.#tell({ what: "trouble", schedule: undefined, error });
      this.#set(this.#options.world.now() + againMs);
    }
  }

  async #look(): Promise<void> {
    const { store, world, serves = () => true } = this.#options;
    const there = new Set<string>();
    for await (const standing of schedulesIn(store)) {
      if (this.#ended) return;
      const { schedule, version } = standing;
      const { name } = schedule;
      there.add(name);
      if (schedule.paused || this.#busy.has(name) || !serves(schedule)) continue;
      const seen = this.#seen.get(name);
      const now = world.now(); // a clock that has gone back makes what was seen worthless
      if (seen?.version === version && seen.since <= now && now < seen.at) this.#set(seen.at);
      else this.#attend(standing);
    }
    for (const name of this.#seen.keys()) if (!there.has(name)) this.#seen.delete(name);
    this.#set(world.now() + this.#everyMs);
  }

  /** Deals with a schedule, however long that takes; others are dealt with meanwhile. */
  #attend(standing: Standing): void {
    const { world } = this.#options;
    const { schedule, version } = standing;
    const work = this.#deal(standing)
      .catch((error: unknown) => {
        this.#tell({ what: "trouble", schedule, error });
        return { version, at: world.now() + againMs };
      })
      .then(({ version, at }) => {
        this.#busy.delete(schedule.name);
        this.#seen.set(schedule.name, { version, since: world.now(), at });
        this.#set(at);
      });
    this.#busy.set(schedule.name, work);
  }

  /** Decides and starts what is due. Returns when there is something to do again. */
  async #deal(first: Standing): Promise<Omit<Seen, "since">> {
    const { store, world } = this.#options;
    for (let standing: Standing | undefined = first; ; ) {
      if (this.#ended || standing === undefined || standing.schedule.paused)
        return { version: "", at: never };
      const schedule = await this.#decide(standing);
      if (schedule !== undefined) {
        const now = world.now();
        const isUnchanged = schedule === standing.schedule;
        const next = ticksOf(schedule.cron, schedule.timeZone).after(decidedThrough(schedule, now)) ?? never;
        const mineAt = schedule.due.length === 0 ? never : this.#mineAt(schedule, now);
        if (isUnchanged && mineAt > now) return { version: standing.version, at: Math.min(next, mineAt) };
        if (mineAt <= now && !(await this.#startAll(schedule)))
          return { version: "", at: Math.min(next, world.now() + againMs) };
      }
      standing = await scheduleNamed(store, first.schedule.name);
    }
  }

  /** The schedule with all decided that is due; undefined when somebody else has changed it first. */
  async #decide(standing: Standing): Promise<Schedule | undefined> {
    const { store, world } = this.#options;
    const { schedule } = standing;
    const due = dueTicks(schedule, ticksOf(schedule.cron, schedule.timeZone), world.now());
    if (due === undefined) return schedule;
    const decision = decide(schedule, due, await this.#isBusy(schedule), world.owner, world.now());
    if (!(await replaceSchedule(store, standing, decision.schedule))) return undefined;
    const { missed, overlapping } = decision;
    if (missed + overlapping > 0) this.#tell({ what: "passed-over", schedule, missed, overlapping });
    return decision.schedule;
  }

  /** Whether the run of an earlier tick is under way, where that matters. */
  async #isBusy({ overlap, due, last }: Schedule): Promise<boolean> {
    if (overlap === "allow") return false;
    if (due.length > 0 || last === undefined) return due.length > 0;
    const open = await this.#options.store.list({ idPrefix: last.runId, status: ["running", "waiting"] });
    return open.some(({ runId }) => runId === last.runId);
  }

  /** From when on it is for this process to start what is due. */
  #mineAt({ decided }: Schedule, now: number): number {
    const { world } = this.#options;
    if (decided === undefined || decided.by === world.owner || world.isGone(decided.by)) return now;
    return Math.abs(now - decided.at) < againMs ? decided.at + againMs : now; // clocks differ
  }

  /** Starts the runs of the ticks that are due, and notes it. False: some could not be started yet. */
  async #startAll(schedule: Schedule): Promise<boolean> {
    const { store, start, world } = this.#options;
    const done: number[] = [];
    const refused: Refusal[] = [];
    let isAll = true;
    for (const tick of schedule.due) {
      if (this.#ended) break; // the others are for whoever goes on
      try {
        const runId = tickRunId(schedule.name, tick);
        // Looked for first: a run that exists is one, whatever has become of its pipeline's file since.
        const isThere = ((await store.read(runId, 0, 1)) ?? []).length > 0;
        const outcome = isThere ? "exists" : await start(schedule, tick);
        done.push(tick);
        if (outcome === "started") this.#tell({ what: "started", schedule, tick, runId });
      } catch (error) {
        if (isPassing(error)) {
          isAll = false;
          this.#tell({ what: "delayed", schedule, tick, error });
          continue;
        }
        const { code, message } = recordError(error, undefined, "unexpected");
        const refusal = { tick, at: world.now(), code, message };
        refused.push(refusal);
        this.#tell({ what: "refused", schedule, refusal });
      }
    }
    await changeSchedule(store, schedule.name, (now) => withOutcome(now, schedule, { done, refused }));
    return isAll;
  }

  /** Whoever listens does not hurt a schedule. */
  #tell(news: TimetableNews): void {
    try {
      this.#options.onNews?.(news);
    } catch {
      // as above
    }
  }
}

/** What passes: a store that does not answer now, a run that another process begins, or that this one has lost. */
const isPassing = (error: unknown): error is FlujoError =>
  FlujoError.isInstance(error) &&
  (error.retryable || ["store-unavailable", "lease-lost"].includes(error.code));
