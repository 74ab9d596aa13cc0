/** From `submit` to the first line of a body, in another process: the store alone, and each engine. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Dispatcher, Flujo } from "flujo";
import { bullmq } from "flujo/bullmq";
import { pgBoss } from "flujo/pg-boss";
import { postgres } from "flujo/postgres";
import { restate } from "flujo/restate";
import { redisServer } from "../tests/servers/redis.ts";
import { hasRestate, restateServer } from "../tests/servers/restate.ts";
import { figure, inFolder } from "./measure.ts";
import once from "./scale-app/once.ts";
import { table } from "./tables.ts";
import { Worker } from "./worker.ts";

/** One is submitted every so many milliseconds: at any moment of a worker's second. */
const everyMs = 137;
const runs = 100;

/** What hands runs over. `uri`: as `--engine` takes it. */
interface Engine {
  readonly uri: string;
  readonly open: (uri: string) => Dispatcher;
}

export async function dispatch(url: string): Promise<string> {
  const redis = await redisServer();
  const cluster = hasRestate ? await restateServer() : undefined;
  const engines: { readonly [name: string]: Engine | undefined } = {
    "the store alone": undefined,
    "pg-boss": { uri: url, open: pgBoss },
    BullMQ: { uri: redis.url, open: bullmq },
    ...(cluster === undefined ? {} : { Restate: { uri: cluster.url, open: restate } }),
  };
  const rows: string[][] = [];
  for (const [i, [name, engine]] of Object.entries(engines).entries()) {
    const { submitMs, firstMs } = await inFolder((folder) =>
      latencies(`${url}?schema=dispatch_${i}`, engine, join(folder, "log")),
    );
    const row = [name, at(submitMs, 0.5), at(submitMs, 0.99), at(firstMs, 0.5), at(firstMs, 0.99)];
    console.error(row.join(", "));
    rows.push(row);
  }
  await redis.stop();
  await cluster?.stop();
  const heads = ["`submit` returns, ms: p50", "p99", "its first line runs, ms: p50", "p99"];
  return table([`${runs} runs, one every ${everyMs} ms`, ...heads], rows);
}

const at = (values: readonly number[], part: number): string =>
  figure(values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? Number.NaN);

/** By the clock of the machine, so that two processes can be compared. */
const now = (): number => performance.timeOrigin + performance.now();

async function latencies(
  address: string,
  engine: Engine | undefined,
  log: string,
): Promise<{ readonly submitMs: readonly number[]; readonly firstMs: readonly number[] }> {
  const store = postgres(address);
  const dispatcher = engine?.open(engine.uri);
  try {
    await using flujo = new Flujo(once, {
      store,
      takeOver: false,
      ...(dispatcher === undefined ? {} : { dispatcher }),
    });
    await using _ = new Worker({ store: address, engine: engine?.uri, concurrency: 100, env: { LOG: log } });
    await flujo.submit(0, { runId: "warm" });
    await noted(log, 1);
    const began = new Map<string, number>();
    const submitMs: number[] = [];
    for (let i = 0; i < runs; i++) {
      const runId = `run-${i}`;
      const from = now();
      began.set(runId, from);
      await flujo.submit(i, { runId });
      submitMs.push(now() - from);
      await pause(Math.max(0, everyMs - (now() - from)));
    }
    const lines = await noted(log, runs + 1);
    const firstMs = [...began].map(([runId, from]) => (lines.get(runId) ?? Number.NaN) - from);
    return { submitMs, firstMs };
  } finally {
    await dispatcher?.close();
    await store.close();
  }
}

/** When each run's first line ran, once there are so many. */
async function noted(log: string, count: number): Promise<ReadonlyMap<string, number>> {
  for (;;) {
    const lines = existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : [];
    if (lines.length >= count) return new Map(lines.map((line) => split(line)));
    await pause(50);
  }
}

const split = (line: string): [runId: string, at: number] => {
  const [runId = "", at] = line.split(" ");
  return [runId, Number(at)];
};
