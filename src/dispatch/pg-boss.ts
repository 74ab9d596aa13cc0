/** Hands runs to workers by pg-boss, in a Postgres database. */
import { randomInt } from "node:crypto";
import type { JobAttempt, PgBoss } from "pg-boss";
import { defaultQueue } from "../core/dispatch.ts";
import { type Duration, milliseconds } from "../core/duration.ts";
import { DispatcherUnavailableError, FlujoError } from "../core/errors.ts";
import type { Dispatcher, Job } from "../ports/dispatcher.ts";
import { Newsroom } from "../ports/newsroom.ts";
import { importPackage } from "../ports/optional-package.ts";
import { addressOf } from "./pg-boss/address.ts";
import { hearJobs } from "./pg-boss/ear.ts";
import { listen, type Said, sayStatement, textOf } from "./pg-boss/line.ts";
import { PollingShift, type Source } from "./polling-shift.ts";

/** How {@link pgBoss} keeps its jobs. */
export interface PgBossOptions {
  /** The schema of its tables: made on first use. Default `flujo_jobs`. */
  readonly schema?: string;
  /** The pause between two looks for jobs while nobody tells that one has come, in milliseconds. From 50, default 500. */
  readonly pollMs?: number;
  /** The same while it is told. Default 10,000. */
  readonly restMs?: number;
  /**
   * Where a worker listens for jobs (`LISTEN`): an address of the server itself, where the engine's own leads to a pooler that hands
   * out connections by transaction. `false`: nowhere. Default: the engine's address.
   */
  readonly listen?: string | false;
  /** How long an answer is waited for: then that connection counts as over. Default `"30s"`. */
  readonly patience?: Duration;
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
 * const flujo = new Flujo(greet, { dispatcher: pgBoss("postgres://localhost/app") });
 * ```
 *
 * @param address as libpq takes it: `postgres://user:password@host:5432/database`.
 * @throws InvalidOptionError for an address that is none.
 */
export function pgBoss(address: string, options: PgBossOptions = {}): Dispatcher {
  const { schema = "flujo_jobs", pollMs = 500, restMs = 10_000, patience = "30s" } = options;
  const { url, shown, listenUrl } = addressOf(address, options.listen);
  const patienceMs = milliseconds(patience);
  const name = `pg-boss on ${shown}`;
  const made = new Map<string, Promise<void>>();
  const shifts = new Set<PollingShift<JobAttempt>>();
  let opened: Promise<PgBoss> | undefined;

  const open = async (): Promise<PgBoss> => {
    const { PgBoss: Boss } = (await importPackage("pg-boss")) as typeof import("pg-boss"); // that package's own
    const quiet = { schedule: false, registerInstance: false };
    const patient = { query_timeout: patienceMs }; // for its pool, which gets all this
    const boss = new Boss({ connectionString: url, schema, ...quiet, ...patient });
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
    newsroom?.works();
    try {
      opened ??= open();
      opened.catch(() => {
        opened = undefined; // the next one tries again
      });
      return await work(await opened);
    } catch (error) {
      newsroom?.doubts();
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

  const say = (said: string): Promise<void> =>
    use(async (boss) => void (await boss.getDb().executeSql(sayStatement, [schema, said])));
  /** What is lost of it is found by a look. */
  const tell = (said: Said): Promise<void> => say(textOf(said)).catch(() => {});
  const tellOf = (queue: string, inMs: number): Promise<void> =>
    tell({ queue, inMs, ticket: randomInt(2 ** 32) });

  const newsroom =
    listenUrl === undefined
      ? undefined
      : new Newsroom({
          open: (heard, ended) => listen({ url: listenUrl, channel: schema, patienceMs }, heard, ended),
          say,
        });

  const source: Source<JobAttempt> = {
    fetch: (queue, most) =>
      use(async (boss) => {
        await queueOf(boss, queue);
        const jobs = await boss.fetch<Job>(queue, { batchSize: most });
        return jobs.map(({ id, retryCount, data }) => ({ held: { id, retryCount }, job: data }));
      }),
    async settle(queue, attempt, taken) {
      if (taken === "done") return use(async (boss) => void (await boss.complete(queue, attempt)));
      await use((boss) => boss.fail(queue, attempt));
      await tellOf(queue, 1_000 * Math.min(2 ** (attempt.retryCount + 1), terms.retryDelayMax)); // by then it comes again
    },
    beat: (queue, attempts) => use(async (boss) => void (await boss.touch(queue, [...attempts]))),
    listen(queues, bell, stop) {
      if (newsroom !== undefined)
        hearJobs({ newsroom, tell: (said) => void tell(said) }, { queues, laterMs: pollMs }, bell, stop);
    },
  };

  return {
    name,
    async submit(job) {
      const { queue = defaultQueue, priority = 0, delayMs = 0, runId } = job;
      const startAfter = Math.ceil(delayMs / 1_000); // by the clock of the database
      await use(async (boss) => {
        await queueOf(boss, queue);
        await boss.send(queue, job, {
          priority,
          singletonKey: runId,
          ...(startAfter > 0 ? { startAfter } : {}),
        });
      });
      await tellOf(queue, startAfter * 1_000);
    },
    async work(work) {
      const shift = new PollingShift(work, source, { pollMs, restMs, beatMs });
      shifts.add(shift);
      return shift;
    },
    async close(within = "5s") {
      const deadline = AbortSignal.timeout(milliseconds(within));
      await Promise.all([...shifts].map((shift) => shift.leave(deadline)));
      newsroom?.close();
      const boss = await opened?.catch(() => undefined);
      await boss?.stop({ graceful: false }).catch(() => {}); // its database is away: there is nothing to close
    },
  };
}

const wordsIn = (error: unknown): string => (error instanceof Error && error.message) || String(error);
