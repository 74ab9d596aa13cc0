/** Flujo on Postgres beside raw commits, DBOS and LangGraph, in turns on one server: `npm run bench:scale -- --only beside`. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type pg from "pg";
import { figure, median } from "./measure.ts";
import type { Answer, Asked } from "./rivals/on-postgres/contestant.ts";
import { install } from "./rivals.ts";
import { between, connectionTo, type Reading, reading } from "./server-figures.ts";
import { table } from "./tables.ts";

const systems = ["raw", "flujo", "dbos", "langgraph"] as const;
const connections = 20;
/** Each run has so many steps; so many runs, so many at once. */
const steps = 20;
const plans = { 1: 12, 16: 64, 256: 256 } as const;
type AtOnce = keyof typeof plans;
const atOnces = [1, 16, 256] as const;

/** What one round of one system came to, a step. */
interface Round {
  readonly perSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly cpuUs: number;
  readonly server: Reading;
}

export async function beside(url: string, rounds: number): Promise<string> {
  install();
  const pool = connectionTo(url);
  const contestants: Process[] = [];
  for (const system of systems) contestants.push(await started(system, url));
  const found = new Map(contestants.map((one) => [one, new Map<AtOnce, Round[]>()]));
  for (let round = -1; round < rounds; round++) {
    for (const atOnce of atOnces) {
      for (const one of contestants) {
        const figures = await measured(one, atOnce, pool);
        console.error(
          `round ${round}, ${atOnce} at once, ${one.name}: ${Math.round(figures.perSecond)} steps/s`,
        );
        if (round < 0) continue; // warm
        const known = found.get(one)?.get(atOnce) ?? [];
        found.get(one)?.set(atOnce, [...known, figures]);
      }
    }
  }
  for (const { child } of contestants) await ended(child);
  await pool.end();
  return tables(found);
}

interface Process {
  readonly child: ChildProcess;
  readonly name: string;
  readonly version: string;
}

async function started(system: string, url: string): Promise<Process> {
  const file = join(import.meta.dirname, "rivals", "on-postgres", `${system}.ts`);
  // What the systems print is none of ours; and nothing of them reports home.
  const env = { ...process.env, DO_NOT_TRACK: "1", LANGSMITH_TRACING: "false" };
  const child = fork(file, [url, String(connections)], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env,
  });
  return { child, ...(await answer<{ name: string; version: string }>(child, system)) };
}

/** The next thing a process says. @throws Error when it ends instead. */
async function answer<T>(child: ChildProcess, name: string): Promise<T> {
  const gone = new AbortController();
  const message = once(child, "message", { signal: gone.signal });
  const exit = once(child, "exit", { signal: gone.signal }).then(([code]) => {
    throw new Error(`${name} ended with ${code}`);
  });
  try {
    const [said] = await Promise.race([message, exit]);
    return said as T; // as `contestant.ts` says it
  } finally {
    gone.abort();
    await Promise.allSettled([message, exit]);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, "exit");
  child.send("end");
  await exit;
}

async function measured({ child, name }: Process, atOnce: AtOnce, pool: pg.Pool): Promise<Round> {
  const asked: Asked = { runs: plans[atOnce], steps, atOnce };
  const before = await reading(pool);
  child.send(asked);
  const { ms, stepMs, cpuMs } = await answer<Answer>(child, name);
  const did = between(before, await reading(pool));
  const all = asked.runs * steps;
  const sorted = stepMs.toSorted((a, b) => a - b);
  const at = (part: number): number => (sorted[Math.floor(sorted.length * part)] ?? Number.NaN) * 1_000;
  const server = { cpuMs: did.cpuMs / all, walBytes: did.walBytes / all, writes: did.writes / all };
  return {
    perSecond: all / (ms / 1_000),
    p50Us: at(0.5),
    p99Us: at(0.99),
    cpuUs: (cpuMs * 1_000) / all,
    server,
  };
}

function tables(found: ReadonlyMap<Process, ReadonlyMap<AtOnce, readonly Round[]>>): string {
  const [raw] = [...found.values()];
  const middle = (rounds: readonly Round[], of: (round: Round) => number): number => median(rounds.map(of));
  const text = (value: number): string => figure(value);
  /** The median of pairs: rounds of one number were measured one after the other. */
  const over = (a: readonly Round[], b: readonly Round[], of: (round: Round) => number): string =>
    `${figure(median(a.map((round, i) => of(round) / of(b[i] as Round))))} x`; // as many rounds
  const rows = [...found].map(([{ name, version }, byAtOnce]) => [
    `${name} (${version})`,
    ...atOnces.flatMap((atOnce) => {
      const rounds = byAtOnce.get(atOnce) ?? [];
      const bare = raw?.get(atOnce) ?? [];
      return [
        `${text(middle(rounds, ({ p50Us }) => p50Us))} / ${text(middle(rounds, ({ p99Us }) => p99Us))}`,
        text(middle(rounds, ({ perSecond }) => perSecond)),
        over(rounds, bare, ({ perSecond }) => perSecond),
      ];
    }),
  ]);
  const costs = [...found].map(([{ name }, byAtOnce]) => [
    name,
    ...([1, 256] as const).flatMap((atOnce) => {
      const rounds = byAtOnce.get(atOnce) ?? [];
      return [
        text(middle(rounds, ({ cpuUs }) => cpuUs)),
        text(middle(rounds, ({ server }) => server.cpuMs * 1_000)),
        text(middle(rounds, ({ server }) => server.walBytes)),
        text(middle(rounds, ({ server }) => server.writes)),
      ];
    }),
  ]);
  const heads = atOnces.flatMap((atOnce) => [
    `${atOnce} at once: a step, p50 / p99, us`,
    "steps a second",
    "of raw",
  ]);
  const costHeads = [1, 256].flatMap((atOnce) => [
    `${atOnce} at once: process, us a step`,
    "Postgres, us a step",
    "log, bytes a step",
    "writing transactions a step",
  ]);
  return [table(["system", ...heads], rows), table(["cost", ...costHeads], costs)].join("\n\n");
}
