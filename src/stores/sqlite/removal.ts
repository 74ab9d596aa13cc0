/** Removing runs, and the values that only they referred to. */
import { randomUUID } from "node:crypto";
import type { Lease } from "../../ports/store.ts";
import type { Database } from "./open.ts";

const owned = "SELECT num FROM run WHERE id = ? AND fence = ? AND owner IS NOT NULL AND sent <= ?";
const entriesOf = "DELETE FROM entry WHERE key BETWEEN ? << 32 AND (? << 32) | 0xffffffff";

/** One transaction: fence and signals are looked up where the rows are removed. */
export function drop(db: Database, { runId, fence }: Lease, heard = Number.MAX_SAFE_INTEGER): boolean {
  return db.write(() => {
    const num = db.get(owned, runId, fence, heard)?.num;
    if (num === undefined) return false;
    db.run(entriesOf, num, num);
    db.run("DELETE FROM signals WHERE run = ?", num);
    db.run("DELETE FROM run WHERE num = ?", num);
    return true;
  });
}

/** Marks values: from here on each commit that brings one of them takes the mark away. Returns the name of the marks. */
export function condemn(db: Database, hashes: readonly string[]): string {
  const sweep = randomUUID();
  db.write(() => {
    for (const hash of hashes)
      db.run("INSERT INTO condemned(hash, sweep) VALUES(?, ?) ON CONFLICT DO NOTHING", hash, sweep);
  });
  return sweep;
}

/** Removes what bears the mark still, but for what is `kept`. */
export function removeCondemned(db: Database, sweep: string, kept: ReadonlySet<string>): number {
  return db.write(() => {
    for (const hash of kept) db.run("DELETE FROM condemned WHERE hash = ? AND sweep = ?", hash, sweep);
    const removed = db.run(
      "DELETE FROM blobs WHERE hash IN (SELECT hash FROM condemned WHERE sweep = ?)",
      sweep,
    );
    db.run("DELETE FROM condemned WHERE sweep = ?", sweep);
    return removed;
  });
}
