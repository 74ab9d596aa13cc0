/**
 * What a system on Postgres is asked: so many runs of so many trivial steps, so many at once. Each is a process that stays, so
 * that its code is warm and all take turns on one server; `bench/scale.ts` asks it over IPC.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Contestant {
  readonly name: string;
  /** The package whose version is shown; none: what is said instead. */
  readonly package?: string;
  readonly own?: string;
  /** Connections to the server, at most: the same for all. */
  open(url: string, connections: number): Promise<System>;
}

export interface System {
  /** One run to its end. Its steps return `result`; each says `mark(id)` when its body begins. */
  run(id: string, steps: number): Promise<void>;
  close(): Promise<void>;
}

export interface Asked {
  readonly runs: number;
  readonly steps: number;
  readonly atOnce: number;
}

export interface Answer {
  readonly ms: number;
  /** Milliseconds from a step's beginning to that of the next one in its run: its body, and what makes it durable. */
  readonly stepMs: readonly number[];
  /** Milliseconds of this process's processor. */
  readonly cpuMs: number;
}

/** About 110 bytes of JSON, different for each step. */
export const result = (n: number) => ({
  step: n,
  ok: true,
  text: "a short sentence of the size a summary might have, so that bytes weigh something",
});

const last = new Map<string, number>();
let stepMs: number[] = [];

/** A step of this run begins. */
export function mark(id: string): void {
  const now = performance.now();
  const before = last.get(id);
  if (before !== undefined) stepMs.push(now - before);
  last.set(id, now);
}

let made = 0;

/** Opens the system and does what it is asked, until it is told to end. */
export async function takePart(contestant: Contestant): Promise<void> {
  const [url = "", connections = "20"] = process.argv.slice(2);
  const system = await contestant.open(url, Number(connections));
  process.once("disconnect", () => process.exit(1)); // nobody asks any more
  process.on("message", async (asked: Asked | "end") => {
    if (asked === "end") {
      await system.close();
      process.exit(0);
    }
    process.send?.(await measured(system, asked));
  });
  process.send?.({ name: contestant.name, version: contestant.own ?? versionOf(contestant.package ?? "") });
}

async function measured(system: System, { runs, steps, atOnce }: Asked): Promise<Answer> {
  stepMs = [];
  last.clear();
  let left = runs;
  const lane = async (): Promise<void> => {
    while (left-- > 0) await system.run(`${process.pid}-${made++}`, steps);
  };
  const cpu = process.cpuUsage();
  const from = performance.now();
  await Promise.all(Array.from({ length: atOnce }, lane));
  const ms = performance.now() - from;
  const { user, system: kernel } = process.cpuUsage(cpu);
  return { ms, stepMs, cpuMs: (user + kernel) / 1_000 };
}

function versionOf(name: string): string {
  const path = join(import.meta.dirname, "../node_modules", name, "package.json");
  return JSON.parse(readFileSync(path, "utf8")).version;
}
