import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

/** The repository, so that children find it whatever the folder they start in. */
export const root = join(import.meta.dirname, "..");

/** About 110 bytes of JSON, different for each step: what a trivial step returns, and what a raw row holds. */
export const content = (n: number) => ({
  step: n,
  ok: true,
  text: "a short sentence of the size a summary might have, so that bytes weigh something",
});

/** So many numbers to map over. */
export const items = (count: number) => Array.from({ length: count }, (_, n) => n);

/** Milliseconds that the work takes. */
export async function timed(work: () => unknown): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** The middle one; of an even number the upper middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/**
 * Measures several works in turns, so that a machine that slows down slows all of them, and gives the median of each.
 * Some rounds come first that nobody counts, `warmUp` of them (default 1), while Node compiles what is hot.
 */
export async function inTurns<Name extends string>(
  rounds: number,
  works: Readonly<Record<Name, () => Promise<number>>>,
  warmUp = 1,
): Promise<Record<Name, { readonly median: number; readonly all: readonly number[] }>> {
  const names = Object.keys(works) as Name[]; // Object.keys forgets the names' type
  const all = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, number[]>;
  for (let round = -warmUp; round < rounds; round++) {
    for (const name of names) {
      const figure = await works[name]();
      if (round >= 0) all[name].push(figure);
    }
  }
  return Object.fromEntries(
    names.map((name) => [name, { median: median(all[name]), all: all[name] }]),
  ) as never;
}

/** The median of a over b, pair by pair. */
export function ratio(
  a: { readonly all: readonly number[] },
  b: { readonly all: readonly number[] },
): number {
  return median(a.all.map((value, n) => value / (b.all[n] ?? Number.NaN)));
}

/** Gives the work an empty folder on the disk of the repository (a temporary folder may be memory, where a sync is free). */
export async function inFolder<T>(work: (folder: string) => Promise<T> | T): Promise<T> {
  const cache = join(root, "node_modules", ".cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "flujo-bench-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What the files of a folder weigh together. */
export function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

/** Runs a Node program to its end and gives back what it printed; throws when it fails. */
export function node(args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const run = spawnSync(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    encoding: "utf8",
  });
  if (run.status !== 0)
    throw new Error(
      `node ${args.join(" ").replaceAll(`${root}/`, "")} ended with ${run.signal ?? run.status}:\n${run.stderr}`,
    );
  return run.stdout;
}

/** 12.3 -> "12.3", 1234.5 -> "1,235": three digits or so, as a reader wants them. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "-";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits, minimumFractionDigits: 0 });
}
