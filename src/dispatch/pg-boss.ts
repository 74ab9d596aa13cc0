/** Hands runs to workers by pg-boss, in a Postgres database. */
import type { JobAttempt, PgBoss } from "pg-boss";
import { defaultQueue } from "../core/dispatch.ts";
import { milliseconds } from "../core/duration.ts";
import { DispatcherUnavailableError, FlujoError, InvalidOptionError } from "../core/errors.ts";
import type { Dispatcher, Job, Shift, Work } from "../ports/dispatcher.ts";
import { importPackage } from "../ports/optional-package.ts";

/** How {@link pgBoss} keeps its jobs. */
export interface PgBossOptions {
  /** The schema of its tables: made on first use. Default `flujo_jobs`. */
  readonly schema?: string;
  /** The pause between two looks for jobs, in milliseconds. From 50, default 500. */
  readonly pollMs?: number;
}

/** A worker says so often that it lives; a job of one that has not for three times as long is another one's. */
const beatMs = 10_000;

/** How jobs are kept, in seconds. A run may take for ever: its worker says that it lives, and what ends here is done again. */
const terms = {
  policy: "short", // of a run no second job waits
  heartbeatSeconds: 3 * (beatMs / 1_000),
  expireInSeconds: 86_000, // pg-boss takes no more than a day
  retentionSeconds: 90 * 86_400,
  deleteAfterSeconds: 3_600,
  retryLimit: 10_000,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 30,
} as const;

/**
 * A dispatcher in a Postgres database, which may be the store's own. Needs the package `pg-boss`, 12 or newer.
 *
 * ```ts
 * import { pgBoss } from "flujo/pg-boss";
 * ```
 *
 * ```ts
 * const flujo = new Flujo(greet, { dispatcher: pgBoss("postgres://localhost/app") });
 * ```
 *
 * @param address as libpq takes it: `postgres://user:password@host:5432/database`.
 * @throws InvalidOptionError for an address that is none.
 */
export function pgBoss(address: string, options: PgBossOptions = {}): Dispatcher {
  const { schema = "flujo_jobs", pollMs = 500 } = options;
  const { url, shown } = addressOf(address);
  const name = `pg-boss on ${shown}`;
  const made = new Map<string, Promise<void>>();
  const shifts = new Set<PgBossShift>();
  let opened: Promise<PgBoss> | undefined;

  const open = async (): Promise<PgBoss> => {
    const { PgBoss: Boss } = (await importPackage("pg-boss")) as typeof import("pg-boss"); // that package's own
    const boss = new Boss({ connectionString: url, schema, schedule: false, registerInstance: false });
    boss.on("error", () => {}); // whoever asks next is told
    try {
      return await boss.start();
    } catch (error) {
      await boss.stop({ graceful: false }).catch(() => {}); // it never was at work
      throw error;
    }
  };

  /** @throws DispatcherUnavailableError */
  const use = async <T>(work: (boss: PgBoss) => Promise<T>): Promise<T> => {
    try {
      opened ??= open();
      opened.catch(() => {
        opened = undefined; // the next one tries again
      });
      return await work(await opened);
    } catch (error) {
      if (FlujoError.isInstance(error)) throw error;
      throw new DispatcherUnavailableError(`${name} cannot be reached: ${wordsIn(error)}`, {
        cause: error,
        retryable: true,
      });
    }
  };

  const queueOf = (boss: PgBoss, queue: string): Promise<void> => {
    const known = made.get(queue) ?? boss.createQueue(queue, terms);
    made.set(queue, known);
    known.catch(() => made.delete(queue));
    return known;
  };

  return {
    name,
    submit: (job) =>
      use(async (boss) => {
        const { queue = defaultQueue, priority = 0, delayMs = 0, runId } = job;
        await queueOf(boss, queue);
        const startAfter = Math.ceil(delayMs / 1_000); // by the clock of the database
        await boss.send(queue, job, {
          priority,
          singletonKey: runId,
          ...(startAfter > 0 ? { startAfter } : {}),
        });
      }),
    async work(work) {
      const shift = new PgBossShift(work, pollMs, (queue, ask) =>
        use(async (boss) => {
          await queueOf(boss, queue);
          return ask(boss);
        }),
      );
      shifts.add(shift);
      return shift;
    },
    async close(within = "5s") {
      const deadline = AbortSignal.timeout(milliseconds(within));
      await Promise.all([...shifts].map((shift) => shift.leave(deadline)));
      const boss = await opened?.catch(() => undefined);
      await boss?.stop({ graceful: false }).catch(() => {}); // its database is away: there is nothing to close
    },
  };
}

/** Asks pg-boss about one of its queues. @throws DispatcherUnavailableError */
type Ask = <T>(queue: string, ask: (boss: PgBoss) => Promise<T>) => Promise<T>;

interface Held {
  readonly queue: string;
  readonly attempt: JobAttempt;
}

/** Looks for jobs, and holds those under way. */
class PgBossShift implements Shift {
  readonly #work: Work;
  readonly #pollMs: number;
  readonly #ask: Ask;
  readonly #held = new Set<Held>();
  readonly #beat: NodeJS.Timeout;
  readonly #looking: Promise<void>;
  #ended = false;
  #wake: () => void = () => {};
  #trouble = false;
  #turn = 0;

  constructor(work: Work, pollMs: number, ask: Ask) {
    this.#work = work;
    this.#pollMs = pollMs;
    this.#ask = ask;
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
    const { queues, concurrency } = this.#work;
    let found = false;
    for (let i = 0; i < queues.length; i++) {
      const queue = queues[(this.#turn + i) % queues.length] as string; // within its length
      const room = concurrency - this.#held.size;
      if (room <= 0 || this.#ended) break;
      const jobs = await this.#ask(queue, (boss) =>
        boss.fetch<Job>(queue, { batchSize: Math.min(room, 100) }),
      );
      for (const { id, retryCount, data } of jobs)
        void this.#do({ queue, attempt: { id, retryCount } }, data);
      found ||= jobs.length > 0;
    }
    this.#turn += 1;
    return found;
  }

  async #do(held: Held, job: Job): Promise<void> {
    const { queue, attempt } = held;
    this.#held.add(held);
    try {
      const taken = await this.#work.take(job);
      await this.#ask(queue, (boss) =>
        taken === "done" ? boss.complete(queue, attempt) : boss.fail(queue, attempt),
      );
    } catch {
      // It is not told, and comes again once this attempt has gone without a beat.
    } finally {
      this.#held.delete(held);
      this.#wake();
    }
  }

  async #sayAlive(): Promise<void> {
    const byQueue = Map.groupBy(this.#held, ({ queue }) => queue);
    for (const [queue, held] of byQueue) {
      const attempts = held.map(({ attempt }) => attempt);
      await this.#ask(queue, (boss) => boss.touch(queue, attempts)).catch(() => {}); // the next beat tries again
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

/** @throws InvalidOptionError */
function addressOf(address: string): { readonly url: string; readonly shown: string } {
  const url = URL.parse(address);
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
    throw new InvalidOptionError("the address of pg-boss's Postgres database is none", {
      hint: "Write postgres://user:password@host:5432/database",
    });
  }
  for (const ofTheStore of ["schema", "connections", "durability"]) url.searchParams.delete(ofTheStore);
  return { url: url.href, shown: `postgres://${url.host}${url.pathname}` };
}

const wordsIn = (error: unknown): string => (error instanceof Error && error.message) || String(error);
