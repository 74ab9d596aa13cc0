/** Hands runs to workers of the same process. */
import { defaultQueue } from "../core/dispatch.ts";
import { LastTurns, nextInTurn } from "../core/turns.ts";
import type { Dispatcher, Job, Work } from "../ports/dispatcher.ts";
import type { World } from "../ports/world.ts";

/** How long a job that was left waits for its next try, in milliseconds. */
const againMs = 1_000;

/**
 * A dispatcher in the memory of a process, for those that submit and work in one: a job is taken in the moment it comes. What
 * it forgets with the process is found in the store.
 */
export function inProcess(world: World): Dispatcher {
  const waiting = new Map<string, Job>();
  const shifts = new Set<InProcessShift>();
  const offer = (job: Job): void => {
    waiting.set(job.runId, job);
    for (const shift of shifts) shift.look();
  };
  const later = (job: Job, ms: number): void => void world.timer(ms, () => offer(job), { background: true });

  return {
    name: "this process",
    async submit({ delayMs = 0, ...job }) {
      if (delayMs > 0) later(job, delayMs);
      else offer(job);
    },
    async work(work) {
      const shift = new InProcessShift(work, waiting, (job) => later(job, againMs));
      shifts.add(shift);
      shift.look();
      return {
        async stop() {
          shifts.delete(shift);
          shift.stop();
        },
      };
    },
    async close() {
      for (const shift of shifts) shift.stop();
      shifts.clear();
    },
  };
}

class InProcessShift {
  readonly #work: Work;
  readonly #waiting: Map<string, Job>;
  readonly #again: (job: Job) => void;
  readonly #busy = new Map<string, number>();
  readonly #lastTurns = new LastTurns();
  #underWay = 0;
  #ended = false;

  constructor(work: Work, waiting: Map<string, Job>, again: (job: Job) => void) {
    this.#work = work;
    this.#waiting = waiting;
    this.#again = again;
  }

  /** Takes what there is room for; tenants take turns. */
  look(): void {
    if (this.#ended) return;
    const { queues, concurrency } = this.#work;
    const mine = [...this.#waiting.values()].filter(({ queue = defaultQueue }) => queues.includes(queue));
    const jobs = mine.map((item) => ({ item, terms: item }));
    const room = concurrency - this.#underWay;
    const busy = { byTenant: this.#busy, lastTurns: this.#lastTurns.byTenant };
    for (const job of nextInTurn(jobs, room, busy)) void this.#do(job);
  }

  stop(): void {
    this.#ended = true;
  }

  async #do(job: Job): Promise<void> {
    const { runId, tenant = "" } = job;
    this.#waiting.delete(runId);
    this.#lastTurns.take(tenant);
    this.#count(tenant, 1);
    const taken = await this.#work.take(job);
    this.#count(tenant, -1);
    if (taken === "left") this.#again(job);
    this.look();
  }

  #count(tenant: string, by: 1 | -1): void {
    this.#underWay += by;
    this.#busy.set(tenant, (this.#busy.get(tenant) ?? 0) + by);
  }
}
