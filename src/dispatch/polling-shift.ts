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
}

/** In milliseconds: the pause between two looks for jobs; how often the source is told that this process lives. */
interface Pace {
  readonly pollMs: number;
  readonly beatMs: number;
}

const mostAtOnce = 100;

/** Looks for jobs, as far as there is room, and holds those under way. */
export class PollingShift<Held> implements Shift {
  readonly #work: Work;
  readonly #source: Source<Held>;
  readonly #pollMs: number;
  readonly #held = new Set<{ readonly queue: string; readonly held: Held }>();
  readonly #beat: NodeJS.Timeout;
  readonly #looking: Promise<void>;
  #ended = false;
  #wake: () => void = () => {};
  #trouble = false;
  #turn = 0;

  constructor(work: Work, source: Source<Held>, { pollMs, beatMs }: Pace) {
    this.#work = work;
    this.#source = source;
    this.#pollMs = pollMs;
    this.#beat = setInterval(() => void this.#sayAlive(), beatMs);
    this.#looking = this.#look();
  }

  async stop(): Promise<void> {
    this.#ended = true;
    this.#wake();
    await this.#looking;
  }

  /** Waits until what has become of its jobs is told, or nobody waits for it any more. */
  async leave(deadline: AbortSignal): Promise<void> {
    await this.stop();
    while (this.#held.size > 0 && !deadline.aborted) await this.#pause(deadline);
    clearInterval(this.#beat);
  }

  async #look(): Promise<void> {
    while (!this.#ended) {
      try {
        const found = await this.#fetch();
        if (this.#trouble) this.#work.onTrouble(undefined);
        this.#trouble = false;
        if (found) continue;
      } catch (error) {
        if (!this.#trouble) this.#work.onTrouble(error);
        this.#trouble = true;
      }
      if (!this.#ended) await this.#pause();
    }
  }

  /** Takes what there is room for, of one queue after the other, beginning with another one each time. */
  async #fetch(): Promise<boolean> {
    const { queues, concurrency, room: more = () => concurrency } = this.#work;
    let found = false;
    for (let i = 0; i < queues.length; i++) {
      const queue = queues[(this.#turn + i) % queues.length] as string; // within its length
      const room = Math.min(concurrency - this.#held.size, more(), mostAtOnce);
      if (room <= 0 || this.#ended) break;
      const jobs = await this.#source.fetch(queue, room);
      for (const { held, job } of jobs) void this.#do(queue, held, job);
      found ||= jobs.length > 0;
    }
    this.#turn += 1;
    return found;
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
      this.#wake();
    }
  }

  async #sayAlive(): Promise<void> {
    const byQueue = Map.groupBy(this.#held, ({ queue }) => queue);
    for (const [queue, all] of byQueue) {
      const held = all.map((one) => one.held);
      await this.#source.beat(queue, held).catch(() => {}); // the next beat tries again
    }
  }

  #pause(deadline?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#pollMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
      deadline?.addEventListener("abort", this.#wake, { once: true });
    });
  }
}
