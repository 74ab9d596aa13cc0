/** From one worker to four on one Postgres: runs that wait for a model, and runs that keep a processor busy. */
import { setTimeout as pause } from "node:timers/promises";
import { Flujo, type Step } from "flujo";
import { postgres } from "flujo/postgres";
import { openaiServer } from "flujo/testing";
import type pg from "pg";
import { figure, median } from "./measure.ts";
import { type RenewalCost, type RunCost, reckoning } from "./reckoning.ts";
import calls from "./scale-app/calls.ts";
import sums from "./scale-app/sums.ts";
import { between, connectionTo, cpuOf, reading } from "./server-figures.ts";
import { table } from "./tables.ts";
import { Worker } from "./worker.ts";

const latencyMs = 200;
/** Runs that a worker advances at once. */
const concurrency = 20;
const counts = [1, 2, 4] as const;
/** Runs to be done, for each worker. */
const plans = { calls: 100, sums: 60 } as const;
type Kind = keyof typeof plans;

interface Figures {
  readonly perSecond: number;
  readonly cost: RunCost;
}

/** Tables by the names of their marks. */
export async function workers(
  url: string,
  rounds: number,
): Promise<{ readonly workers: string; readonly reckoning: string }> {
  await using models = await openaiServer({ reply: () => "and so on", latencyMs: () => latencyMs });
  const env = { OPENAI_API_KEY: "bench", OPENAI_BASE_URL: models.url };
  Object.assign(process.env, env); // submitting looks at the model, too
  const found = new Map<string, Figures[]>();
  for (let round = 0; round < rounds; round++) {
    for (const kind of Object.keys(plans) as Kind[]) {
      for (const count of counts) {
        const figures = await measured(url, kind, count, env);
        console.error(`${kind}, ${count} workers: ${figure(figures.perSecond)} runs/s`);
        found.set(`${kind} ${count}`, [...(found.get(`${kind} ${count}`) ?? []), figures]);
      }
    }
  }
  const of = (kind: Kind, count: number): readonly Figures[] => found.get(`${kind} ${count}`) ?? [];
  const perSecond = (kind: Kind, count: number): number =>
    median(of(kind, count).map((one) => one.perSecond));
  const costOf = (kind: Kind): RunCost => {
    const costs = of(kind, 1).map(({ cost }) => cost);
    const middle = (field: keyof RunCost): number => median(costs.map((cost) => cost[field]));
    return {
      workerMs: middle("workerMs"),
      postgresMs: middle("postgresMs"),
      writes: middle("writes"),
      walBytes: middle("walBytes"),
      keptBytes: middle("keptBytes"),
    };
  };
  const rows = (Object.keys(plans) as Kind[]).map((kind) => {
    const { workerMs, postgresMs, writes, walBytes, keptBytes } = costOf(kind);
    return [
      says[kind],
      ...counts.map((count) => figure(perSecond(kind, count))),
      `${figure(perSecond(kind, 4) / perSecond(kind, 1))} x`,
      ...[workerMs, postgresMs, writes, walBytes / 1_000, keptBytes / 1_000].map(figure),
    ];
  });
  const heads = counts.map((count) => (count === 1 ? "1 worker: runs a second" : `${count} workers`));
  const costs = ["a run: worker, ms", "Postgres, ms", "writing transactions", "log, KB", "kept, KB"];
  return {
    workers: table(["each run", ...heads, "4 over 1", ...costs], rows),
    reckoning: reckoning(costOf("calls"), await renewal(url)),
  };
}

const says: { readonly [kind in Kind]: string } = {
  calls: `ten steps, five of them model calls of ${latencyMs} ms; ${concurrency} at once in a worker: ${concurrency / 5 / (latencyMs / 1_000)} a second at most`,
  sums: "five steps of about 20 ms of processor each",
};

let series = 0;

/**
 * The runs are submitted while the workers, who have started, are held: what their start costs is no part of it. The time is
 * from the first run that is begun to the last one that is done; the costs of the server are from before they are submitted.
 */
async function measured(
  url: string,
  kind: Kind,
  count: number,
  env: Readonly<Record<string, string>>,
): Promise<Figures> {
  const schema = `workers_${series++}`;
  const address = `${url}?schema=${schema}`;
  const store = postgres(address);
  const pool = connectionTo(url);
  const runs = plans[kind] * count;
  try {
    const pipeline = { calls, sums }[kind] as Step<string, string>; // both take a text, and give one
    await using flujo = new Flujo(pipeline, { store, takeOver: false });
    const ids = Array.from({ length: runs }, (_, i) => `${kind}-${i}`);
    await store.list({}); // makes its tables
    await using all = new AsyncDisposableStack();
    const started = Array.from({ length: count }, () =>
      all.use(new Worker({ store: address, concurrency, env })),
    );
    await Promise.all(started.map((worker) => worker.ready()));
    for (const worker of started) worker.hold();
    const [before, bytesBefore] = [await reading(pool), await bytesOf(pool, schema)];
    for (const runId of ids) await flujo.submit(runId, { runId });
    const cpu = (): number => started.reduce((sum, { pid }) => sum + cpuOf(pid), 0);
    const cpuBefore = cpu();
    for (const worker of started) worker.letGo();
    for (let open = runs; open > 0; open = (await store.list({ status: ["running"], limit: runs })).length)
      await pause(250);
    const workerMs = (cpu() - cpuBefore) / runs;
    const did = between(before, await reading(pool));
    const journals = await Promise.all(ids.map((id) => store.read(id, 0, 1_000)));
    const at = (type: string): number[] =>
      journals.map((entries) => entries?.find((entry) => entry.type === type)?.at ?? Number.NaN);
    const ms = Math.max(...at("run-completed")) - Math.min(...at("run-resumed"));
    if (!Number.isFinite(ms)) throw new Error(`not every run of ${kind} has completed`);
    const cost: RunCost = {
      workerMs,
      postgresMs: did.cpuMs / runs,
      writes: did.writes / runs,
      walBytes: did.walBytes / runs,
      keptBytes: ((await bytesOf(pool, schema)) - bytesBefore) / runs,
    };
    return { perSecond: runs / (ms / 1_000), cost };
  } finally {
    await store.close();
    await pool.end();
  }
}

/** Of runs that are under way, one after the other. */
async function renewal(url: string): Promise<RenewalCost> {
  const count = 500;
  const schema = "renewals";
  const store = postgres(`${url}?schema=${schema}`, { connections: 1 });
  const pool = connectionTo(url);
  {
    await using flujo = new Flujo(sums, { store, takeOver: false });
    for (let i = 0; i < count; i++) await flujo.submit("a run", { runId: `run-${i}` });
  }
  const leases = await Promise.all(
    (await store.list({ limit: count })).map(({ runId }) =>
      store.acquire({ runId, owner: "bench", now: Date.now(), ttlMs: 15_000 }),
    ),
  );
  const before = await reading(pool);
  for (const answer of leases)
    if (answer.outcome === "granted") await store.renew(answer.lease, Date.now() + 30_000);
  const { cpuMs, walBytes } = between(before, await reading(pool));
  await store.close();
  await pool.end();
  return { postgresMs: cpuMs / count, walBytes: walBytes / count };
}

/** What a schema takes on the disk. */
async function bytesOf(pool: pg.Pool, schema: string): Promise<number> {
  const { rows } = await pool.query(
    "SELECT sum(pg_total_relation_size(oid))::bigint AS bytes FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = 'r'",
    [schema],
  );
  return Number(rows[0].bytes);
}
