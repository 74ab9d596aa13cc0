/** How quick engines are by themselves: `node tests/scale/jobs.ts [JOBS]`. Prints milliseconds a job; takes about a minute. */
import { openEngine } from "../../src/cli/engines.ts";
import type { Dispatcher, Job } from "../../src/ports/dispatcher.ts";
import { postgresServer } from "../servers/postgres.ts";
import { redisServer } from "../servers/redis.ts";
import { restateServer } from "../servers/restate.ts";

const jobs = Number(process.argv[2] ?? 2_000);
const crowd = 50;

const job = (i: number): Job => ({ runId: `r-${i}`, pipeline: "p", fingerprint: "f" });

async function perJob(count: number, work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return Number(((performance.now() - began) / count).toFixed(2));
}

async function alone(dispatcher: Dispatcher): Promise<void> {
  for (let i = 0; i < jobs / 10; i++) await dispatcher.submit(job(i));
}

async function inCrowds(dispatcher: Dispatcher): Promise<void> {
  for (let first = jobs / 10; first < jobs; first += crowd)
    await Promise.all(Array.from({ length: crowd }, (_, i) => dispatcher.submit(job(first + i))));
}

/** Three workers that are done with each at once. */
async function handed(dispatchers: readonly Dispatcher[]): Promise<void> {
  const { promise: all, resolve } = Promise.withResolvers<void>();
  const seen = new Set<string>();
  const take = async ({ runId }: Job) => {
    if (seen.add(runId).size === jobs) resolve();
    return "done" as const;
  };
  for (const one of dispatchers)
    await one.work({ queues: ["default"], concurrency: 50, take, onTrouble: () => {} });
  await all;
}

/** A server of an engine. */
interface Server {
  readonly url: string;
  meet?(): Promise<void>;
  stop(): Promise<void>;
}

const engines: { readonly [name: string]: () => Promise<Server> } = {
  "pg-boss": postgresServer,
  BullMQ: redisServer,
  Restate: restateServer,
};
for (const [name, open] of Object.entries(engines)) {
  const server = await open();
  await server.meet?.();
  const dispatchers = await Promise.all([1, 2, 3].map(() => openEngine(server.url, "worker")));
  const [first] = dispatchers as [Dispatcher];
  await first.submit({ ...job(-1), queue: "other" }); // which makes what is missing
  console.log(name, {
    alone: await perJob(jobs / 10, () => alone(first)),
    inCrowds: await perJob(jobs * 0.9, () => inCrowds(first)),
    handedOver: await perJob(jobs, () => handed(dispatchers)),
  });
  for (const one of dispatchers) await one.close();
  await server.stop();
}
