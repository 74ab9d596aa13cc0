/** A process at work on queues that are asked for jobs. */
import type { Job, Shift, Taken, Work } from "../ports/dispatcher.ts";

/** A queue that is asked. `Held`: what it knows a job under way by. Each may reject: the queue cannot be reached. */
export interface Source<Held> {
  /** At most so many jobs, those of the highest priority first. From now on they are this process's. */
  fetch(queue: string, most: number): Promise<readonly { readonly held: Held; readonly job: Job }[]>;
  /** Done: gone for good. Left: it comes again, later. */
  settle(queue: string, held: Held, taken: Taken): Promise<void>;
  /** This process lives, and these are under way still. */
  beat(queue: string, held: readonly Held[]): Promise<void>;
  /** Rings for what comes, until the signal fires. Throws nothing; what it does not ring for is found by a look. */
  listen?(queues: readonly string[], bell: Bell, stop: AbortSignal): void;
}

/** Spares looks. */
export interface Bell {
  /**
   * There may be jobs in that queue, or will be in so many milliseconds: those are looked for with others, up to half a second later, or by
   * a rare look.
   */
  ring(queue: string, inMs?: number): void;
  /** Whether what comes in that queue is rung for. While it is, looks are rare. At first it is not. */
  live(queue: string, isLive: boolean): void;
  /** Resolves once there is room for a job. What comes before that is looked for then: nobody needs to ring. */
  room(): Promise<void>;
}

/** In milliseconds. */
interface Pace {
  /** The pause between two looks for jobs. */
  readonly pollMs: number;
  /** The same while what comes is rung for. */
  readonly restMs: number;
  /** How often the source is told that this process lives. */
  readonly beatMs: number;
}

const mostAtOnce = 100;
/** What is rung for ahead, within so many milliseconds, shares a look. */
const gatherMs = 500;

/** Looks for jobs, as far as there is room, and holds those under way. */
export class PollingShift<Held> implements Shift {
  readonly #work: Work;
  readonly #source: Source<Held>;
  readonly #pace: Pace;
  readonly #held = new Set<{ readonly queue: string; readonly held: Held }>();
  readonly #beat: NodeJS.Timeout;
  readonly #looking: Promise<void>;
  readonly #end = new AbortController();
  /** Queues that want a look. */
  readonly #due: Set<string>;
  /** Queues in which what comes is rung for. */
  readonly #live = new Set<string>();
  readonly #sleepers = new Set<() => void>();
  /** Rings to come. */
  readonly #later = new Set<string>();
  /** At this moment all queues are looked at, by `performance.now()`. */
  #lookAt = 0;
  #trouble = false;
  #turn = 0;

  constructor(work: Work, source: Source<Held>, pace: Pace) {
    this.#work = work;
    this.#source = source;
    this.#pace = pace;
    this.#due = new Set(work.queues);
    this.#beat = setInterval(() => void this.#sayAlive(), pace.beatMs);
    const bell: Bell = {
      ring: (queue, inMs = 0) => this.#ring(queue, inMs),
      live: (queue, isLive) => this.#hear(queue, isLive),
      room: () => this.#untilRoom(),
    };
    source.listen?.(work.queues, bell, this.#end.signal);
    this.#looking = this.#looks();
  }

  async stop(): Promise<void> {
    this.#end.abort();
    this.#wake();
    await this.#looking;
  }

  /** Waits until what has become of its jobs is told, or nobody waits for it any more. */
  async leave(deadline: AbortSignal): Promise<void> {
    await this.stop();
    while (this.#held.size > 0 && !deadline.aborted) await this.#pause(this.#pace.pollMs, deadline);
    clearInterval(this.#beat);
  }

  get #ended(): boolean {
    return this.#end.signal.aborted;
  }

  get #room(): number {
    const { concurrency, room: more = () => concurrency } = this.#work;
    return Math.min(concurrency - this.#held.size, more(), mostAtOnce);
  }

  async #looks(): Promise<void> {
    const { pollMs, restMs } = this.#pace;
    while (!this.#ended) {
      const now = performance.now();
      if (now >= this.#lookAt) {
        this.#lookAt = now + (this.#isLive ? restMs : pollMs);
        this.#dueIsAll();
      }
      if (this.#due.size === 0) await this.#pause(this.#lookAt - now);
      else if (this.#room <= 0) await this.#pause(pollMs);
      else await this.#look();
    }
  }

  async #look(): Promise<void> {
    try {
      await this.#fetch();
      if (this.#trouble) this.#work.onTrouble(undefined);
      this.#trouble = false;
    } catch (error) {
      if (!this.#trouble) this.#work.onTrouble(error);
      this.#trouble = true;
      this.#due.clear();
      this.#lookAt = performance.now() + this.#pace.pollMs;
    }
  }

  /** Takes what there is room for, of one queue after the other that wants a look, beginning with another one each time. */
  async #fetch(): Promise<void> {
    const { queues } = this.#work;
    for (let i = 0; i < queues.length; i++) {
      const queue = queues[(this.#turn + i) % queues.length] as string; // within its length
      if (!this.#due.has(queue)) continue;
      const room = this.#room;
      if (room <= 0 || this.#ended) break;
      this.#due.delete(queue);
      const jobs = await this.#source.fetch(queue, room);
      for (const { held, job } of jobs) void this.#do(queue, held, job);
      if (jobs.length === room) this.#due.add(queue); // there may be more
    }
    this.#turn += 1;
  }

  async #do(queue: string, held: Held, job: Job): Promise<void> {
    const one = { queue, held };
    this.#held.add(one);
    try {
      await this.#source.settle(queue, held, await this.#work.take(job));
    } catch {
      // It is not told, and comes again once this process has not been heard of for a while.
    } finally {
      this.#held.delete(one);
      if (!this.#isLive) this.#dueIsAll();
      this.#wake();
    }
  }

  get #isLive(): boolean {
    return this.#work.queues.every((queue) => this.#live.has(queue));
  }

  #ring(queue: string, inMs: number): void {
    if (this.#ended) return;
    if (inMs <= 0) {
      this.#due.add(queue);
      this.#wake();
      return;
    }
    const now = performance.now();
    const at = Math.ceil((now + inMs) / gatherMs) * gatherMs;
    const name = `${queue} ${at}`;
    if (inMs > this.#pace.restMs || this.#later.has(name)) return;
    this.#later.add(name);
    const ring = (): void => {
      this.#later.delete(name);
      this.#ring(queue, 0);
    };
    setTimeout(ring, at - now).unref();
  }

  /** What came before it was rung for is looked for, and what comes when it is not any more. */
  #hear(queue: string, isLive: boolean): void {
    if (this.#ended || isLive === this.#live.has(queue)) return;
    if (isLive) this.#live.add(queue);
    else this.#live.delete(queue);
    this.#due.add(queue);
    this.#lookAt = Math.min(this.#lookAt, performance.now() + this.#pace.pollMs);
    this.#wake();
  }

  async #untilRoom(): Promise<void> {
    while (!this.#ended && this.#room <= 0) {
      this.#dueIsAll();
      await this.#pause(this.#pace.pollMs);
    }
  }

  #dueIsAll(): void {
    for (const queue of this.#work.queues) this.#due.add(queue);
  }

  async #sayAlive(): Promise<void> {
    const byQueue = Map.groupBy(this.#held, ({ queue }) => queue);
    for (const [queue, all] of byQueue) {
      const held = all.map((one) => one.held);
      await this.#source.beat(queue, held).catch(() => {}); // the next beat tries again
    }
  }

  #wake(): void {
    for (const wake of [...this.#sleepers]) wake();
  }

  /** So many milliseconds, or until something has come about. */
  #pause(ms: number, deadline?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#sleepers.add(wake);
      deadline?.addEventListener("abort", wake, { once: true });
    });
  }
}
