import { randomUUID } from "node:crypto";
import type { Connection } from "./connection.ts";
import * as scripts from "./scripts.ts";

/** So many values at once: the server does nothing else meanwhile. */
const batchSize = 500;

/** Marks values, and removes those that bear the mark still once it is known which are used: a commit takes marks away. */
export async function sweep(
  db: Connection,
  hashes: readonly string[],
  used: () => Promise<ReadonlySet<string>>,
): Promise<number> {
  const { condemned, value } = db.keys;
  const name = randomUUID();
  const markOf = (hash: string): string => `${hash}\0${name}`;
  const batches = batched([...new Set(hashes)]);
  for (const batch of batches)
    await db.call("ZADD", condemned, ...batch.flatMap((hash) => [0, markOf(hash)]));
  const kept = await used();
  let removed = 0;
  for (const batch of batches) {
    const args = batch.flatMap((hash) => [markOf(hash), kept.has(hash) ? "1" : "0"]);
    removed += Number(await db.script(scripts.execute, [condemned, ...batch.map(value)], args));
  }
  return removed;
}

const batched = (hashes: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(hashes.length / batchSize) }, (_, i) =>
    hashes.slice(i * batchSize, (i + 1) * batchSize),
  );
