/** Hands runs to workers by BullMQ, in Redis. */
import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import type { Job as BullJob, ConnectionOptions, Queue, Worker } from "bullmq";
import type { Cluster } from "ioredis";
import { defaultQueue, highestPriority } from "../core/dispatch.ts";
import { type Duration, milliseconds } from "../core/duration.ts";
import { DispatcherUnavailableError, FlujoError } from "../core/errors.ts";
import type { Dispatcher, Job } from "../ports/dispatcher.ts";
import { importPackage } from "../ports/optional-package.ts";
import { type RedisAddress, redisAddress } from "../ports/redis-address.ts";
import { type Bell, PollingShift, type Source } from "./polling-shift.ts";

/** How {@link bullmq} keeps its jobs. */
export interface BullmqOptions {
  /** What its keys begin with. Default `{flujo-jobs}`: the braces keep them on one node of a cluster. */
  readonly prefix?: string;
  /** The pause between two looks for jobs while Redis does not say when one comes, in milliseconds. From 50, default 500. */
  readonly pollMs?: number;
  /** The same while it does. Default 10,000. */
  readonly restMs?: number;
  /** A worker that has not said for so many milliseconds that it lives has died: its jobs are another one's. Default 30,000. */
  readonly lockMs?: number;
  /** How long an answer is waited for; BullMQ itself waits for its Redis for ever. Default `"5s"`. */
  readonly patience?: Duration;
}

/** After so many milliseconds a job comes again that was left; after up to 30 times as long, when it is left again and again. */
const againMs = 1_000;
/** Redis is asked to say so for so long, before it is asked anew; in milliseconds. */
const waitMs = 4_000;
/** The first time it is asked for less: that it answers is what there is to know. */
const tryMs = 50;
/** An answer that is so late did not come: BullMQ has given up then. */
const graceMs = 900;

/**
 * A dispatcher in Redis. Needs the packages `bullmq`, 6 or newer, and `ioredis`.
 *
 * ```ts
 * const flujo = new Flujo(greet, { dispatcher: bullmq("redis://localhost") });
 * ```
 *
 * @param address `redis://user:password@host:6379/0`, or `rediss://` over TLS; `redis://one:6379,two:6379?cluster=true`, of nodes of a
 *   cluster; `redis://one:26379,two:26379/0?sentinel=NAME`, of Sentinels.
 * @throws InvalidOptionError for an address that is none.
 */
export function bullmq(address: string, options: BullmqOptions = {}): Dispatcher {
  const {
    prefix = "{flujo-jobs}",
    pollMs = 500,
    restMs = 10_000,
    lockMs = 30_000,
    patience = "5s",
  } = options;
  const patienceMs = milliseconds(patience);
  const found = redisAddress(address, "BullMQ's Redis");
  const name = `BullMQ on ${found.shown}`;
  const library = late(() => importPackage("bullmq") as Promise<typeof import("bullmq")>); // that package's own
  const connection = late(() => connectionTo(found, patienceMs));
  const queues = new Map<string, Queue<Job>>();
  const workers = new Map<string, Worker<Job>>();
  const shifts = new Set<PollingShift<BullJob<Job>>>();
  /** Jobs, by queue, that came when who had asked for them had given up: the next one to ask gets them. */
  const belated = new Map<string, BullJob<Job>[]>();
  const token = randomUUID();

  const queueOf = async (queue: string): Promise<Queue<Job>> => {
    const { Queue: Queues } = await library();
    const base = { connection: await connection(), prefix };
    const known = queues.get(queue) ?? new Queues<Job>(queue, base);
    if (!queues.has(queue)) known.on("error", () => {}); // whoever asks next is told
    queues.set(queue, known);
    return known;
  };

  const workerOf = async (queue: string): Promise<Worker<Job>> => {
    const { Worker: Workers } = await library();
    const base = { connection: await connection(), prefix };
    const known = workers.get(queue);
    if (known !== undefined) return known;
    const timing = { lockDuration: lockMs, stalledInterval: lockMs, maxStalledCount: 1_000_000 };
    const worker = new Workers<Job>(queue, null, { ...base, autorun: false, ...timing });
    worker.on("error", () => {}); // as above
    workers.set(queue, worker);
    void worker.startStalledCheckTimer().catch(() => {}); // the next one starts it
    return worker;
  };

  /** @throws DispatcherUnavailableError: work goes on when that is thrown for want of patience; it is told by `isLate`. */
  const use = async <T>(work: (isLate: () => boolean) => Promise<T>): Promise<T> => {
    const { promise: late, reject } = Promise.withResolvers<never>();
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(new Error("it does not answer"));
    }, patienceMs);
    try {
      return await Promise.race([work(() => isLate), late]);
    } catch (error) {
      if (FlujoError.isInstance(error)) throw error;
      throw new DispatcherUnavailableError(`${name} cannot be reached: ${wordsIn(error)}`, {
        cause: error,
        retryable: true,
      });
    } finally {
      clearTimeout(timer);
    }
  };

  const source: Source<BullJob<Job>> = {
    fetch: (queue, most) =>
      use(async (isLate) => {
        const worker = await workerOf(queue);
        const found = belated.get(queue)?.splice(0, most) ?? [];
        while (found.length < most && !isLate()) {
          const held: BullJob<Job> | undefined = await worker.getNextJob(token, { block: false });
          if (held === undefined) break;
          found.push(held);
        }
        if (isLate()) belated.set(queue, [...(belated.get(queue) ?? []), ...found]);
        return found.map((held) => ({ held, job: held.data }));
      }),
    settle: (_, held, taken) =>
      use(async () => {
        const again = againMs * Math.min(2 ** (held.attemptsStarted - 1), 30);
        if (taken === "done") await held.moveToCompleted(null, token, false);
        else await held.moveToDelayed(Date.now() + again, token);
      }),
    beat: async (_, all) => {
      await use(() => Promise.all(all.map((held) => held.extendLock(token, lockMs))));
    },
    listen(all, bell, stop) {
      for (const queue of all) void listenIn(queue, bell, stop);
    },
  };

  /**
   * What BullMQ puts into a queue it marks, and of all that wait for the mark Redis gives it to one. Its score is the moment from which
   * on there is a job: 0, or when a delay is over.
   */
  const listenIn = async (queue: string, bell: Bell, stop: AbortSignal): Promise<void> => {
    let isLive = false;
    while (!stop.aborted) {
      await bell.room();
      const forMs: number = isLive ? Math.min(waitMs, 0.8 * patienceMs) : tryMs;
      const began = performance.now();
      const mark = await markIn(queue, forMs, stop);
      isLive = mark !== undefined && performance.now() - began < forMs + graceMs;
      if (mark) bell.ring(queue, mark.score - Date.now());
      bell.live(queue, isLive);
      if (!isLive) await pause(pollMs, undefined, { signal: stop, ref: false }).catch(() => {});
    }
  };

  /** Null: none came in time. Undefined: Redis is away. */
  const markIn = async (
    queue: string,
    forMs: number,
    stop: AbortSignal,
  ): Promise<{ readonly score: number } | null | undefined> => {
    try {
      const { backend } = await workerOf(queue);
      const end = (): void => void backend.disconnectBlocking(false).catch(() => {}); // it is away: nothing waits
      stop.addEventListener("abort", end, { once: true });
      try {
        return stop.aborted ? null : await backend.waitForJob(forMs / 1_000);
      } catch {
        if (!stop.aborted) await backend.reconnectBlocking();
        return undefined;
      } finally {
        stop.removeEventListener("abort", end);
      }
    } catch {
      return undefined; // the next look says what is wrong
    }
  };

  return {
    name,
    submit: (job) =>
      use(async () => {
        const { queue = defaultQueue, priority = 0, delayMs = 0, runId } = job;
        await (await queueOf(queue)).add(runId, job, {
          jobId: runId, // of a run no second job waits
          priority: 1 + highestPriority - priority, // the other way round
          ...(delayMs > 0 ? { delay: delayMs } : {}),
          removeOnComplete: true,
        });
      }),
    async work(work) {
      const shift = new PollingShift(work, source, { pollMs, restMs, beatMs: lockMs / 3 });
      shifts.add(shift);
      return shift;
    },
    async close(within = "5s") {
      const deadline = AbortSignal.timeout(milliseconds(within));
      await Promise.all([...shifts].map((shift) => shift.leave(deadline)));
      const all = [
        ...[...queues.values()].map((one) => one.close()),
        ...[...workers.values()].map((one) => one.close(true)),
      ];
      await use(() => Promise.all(all)).catch(() => {}); // its Redis is away: there is nothing to close
      if (found.cluster && all.length > 0) ((await connection()) as Cluster).disconnect(); // shared by them all
    },
  };
}

/** Called for once, when it is needed first. */
function late<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: Promise<T> | undefined;
  return () => {
    loaded ??= load();
    return loaded;
  };
}

/**
 * It waits for its Redis as long as that is away; who asks has less patience. A connection on which no answer comes, and nothing says so, is
 * over: the next one may get through.
 */
async function connectionTo(
  { url, hosts, cluster, sentinel, database, login }: RedisAddress,
  patienceMs: number,
): Promise<ConnectionOptions> {
  const options = { maxRetriesPerRequest: null, socketTimeout: patienceMs };
  if (sentinel !== undefined) {
    const tls = login.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: login.tls };
    return { ...options, ...login, ...tls, sentinels: [...hosts], name: sentinel, db: database };
  }
  if (!cluster) return { url: url.href, ...options };
  const { Cluster: Nodes } = (await importPackage("ioredis")) as typeof import("ioredis"); // that package's own
  return new Nodes([...hosts], { redisOptions: { ...options, ...login } }).on("error", () => {}); // whoever asks is told
}

const wordsIn = (error: unknown): string => (error instanceof Error && error.message) || String(error);
