import type { SQLOutputValue } from "node:sqlite";
import type { Entry } from "../../core/entries.ts";
import { StoreCorruptError } from "../../core/errors.ts";
import type { Append, AppendOutcome, RunSummary } from "../../ports/store.ts";
import { follow } from "../../ports/store-rules.ts";
import { isRepetition } from "./faults.ts";
import type { Database } from "./open.ts";

/** The lease is looked up where the entry is written: one statement, so no other process can come between. */
const addFenced = `INSERT INTO entries(key, body)
  SELECT (num << 32) | ?, ? FROM runs WHERE id = ? AND fence = ? AND owner IS NOT NULL`;
const owned = "SELECT num FROM runs WHERE id = ? AND fence = ? AND owner IS NOT NULL";
/** Several rows by one statement cost half of what they cost one by one. The sizes there are, largest first. */
const addEntries = [16, 4, 1].map((rows) => ({
  rows,
  sql: `INSERT INTO entries(key, body) VALUES${Array(rows).fill("((? << 32) | ?, ?)").join(", ")}`,
}));
const addBlob = "INSERT INTO blobs(hash, utf8) VALUES(?, ?) ON CONFLICT DO NOTHING";
const summarise = `UPDATE runs SET pipeline = ?, fingerprint = ?, status = ?, created = ?, updated = ?, pico_usd = ?,
  input_tokens = ?, output_tokens = ?, calls = ? WHERE num = ?`;
const last =
  "SELECT max(key) & 0xffffffff AS seq FROM entries WHERE key BETWEEN ? << 32 AND (? << 32) + 0xffffffff";
const page =
  "SELECT body FROM entries WHERE key BETWEEN (? << 32) + ? AND (? << 32) + 0xffffffff ORDER BY key LIMIT ?";

/** Runs whose next seq is remembered; past it all are forgotten, and read again when needed. */
const maxRemembered = 10_000;

/** Writes and reads entries. */
export interface Journal {
  commit(db: Database, appends: readonly Append[]): readonly AppendOutcome[];
  read(db: Database, runId: string, from: number, limit: number): readonly Entry[] | undefined;
}

export function journal(): Journal {
  /** What a run's next entry must be numbered, while its fence is the one remembered: only its owner adds entries. */
  const nextSeqs = new Map<string, { readonly fence: number; readonly seq: number }>();

  const remember = ({ runId, fence }: Append, seq: number): void => {
    if (nextSeqs.size >= maxRemembered) nextSeqs.clear();
    nextSeqs.set(runId, { fence, seq });
  };

  /** Whether an append begins where its owner's last one ended. */
  const isExpected = ({ runId, fence, entries }: Append): boolean => {
    const next = nextSeqs.get(runId);
    return next !== undefined && next.fence === fence && next.seq === entries[0]?.seq;
  };

  const nextSeq = (db: Database, append: Append, num: SQLOutputValue): number => {
    const [first] = append.entries;
    if (first !== undefined && isExpected(append)) return first.seq;
    const seq = db.get(last, num, num)?.seq;
    return typeof seq === "number" ? seq + 1 : 0;
  };

  const add = (db: Database, append: Append): AppendOutcome => {
    const num = db.get(owned, append.runId, append.fence)?.num;
    if (num === undefined) return "fenced";
    const next = follow(append, nextSeq(db, append, num));
    for (const blob of append.blobs) db.run(addBlob, blob.hash, Buffer.from(blob.text));
    insert(db, num, append.entries);
    if (append.summary !== undefined) db.run(summarise, ...columns(append.summary), num);
    remember(append, next);
    return "appended";
  };

  /** The hot path: one entry where we expect it, a transaction of one statement. Undefined when it is anything else. */
  const addPlain = (db: Database, append: Append): AppendOutcome | undefined => {
    const entry = append.entries[0];
    if (
      entry === undefined ||
      append.entries.length > 1 ||
      append.blobs.length > 0 ||
      append.summary !== undefined
    )
      return;
    if (!isExpected(append)) return;
    if (db.run(addFenced, entry.seq, JSON.stringify(entry), append.runId, append.fence) === 0)
      return "fenced";
    remember(append, entry.seq + 1);
    return "appended";
  };

  return {
    commit(db, appends) {
      const [first] = appends;
      if (first === undefined) return [];
      try {
        const outcome = appends.length === 1 ? addPlain(db, first) : undefined;
        return outcome !== undefined ? [outcome] : db.write(() => appends.map((append) => add(db, append)));
      } catch (error) {
        for (const append of appends) nextSeqs.delete(append.runId);
        if (!isRepetition(error)) throw error;
        throw new StoreCorruptError(
          "an entry to be added is already recorded: the lease is used in two places",
          {
            runId: first.runId,
            cause: error,
          },
        );
      }
    },

    read(db, runId, from, limit) {
      const num = db.get("SELECT num FROM runs WHERE id = ?", runId)?.num;
      if (num === undefined) return undefined;
      // What was stored as an entry comes back as one: the store does not look inside.
      return db.all(page, num, from, num, limit).map(({ body }) => JSON.parse(body as string) as Entry);
    },
  };
}

function insert(db: Database, num: SQLOutputValue, entries: readonly Entry[]): void {
  let at = 0;
  for (const { rows, sql } of addEntries) {
    for (; entries.length - at >= rows; at += rows) {
      const group = entries.slice(at, at + rows);
      db.run(sql, ...group.flatMap((entry) => [num, entry.seq, JSON.stringify(entry)]));
    }
  }
}

const columns = (s: RunSummary) =>
  [
    s.pipeline,
    s.fingerprint,
    s.status,
    s.createdAt,
    s.updatedAt,
    s.picoUsd,
    s.inputTokens,
    s.outputTokens,
    s.calls,
  ] as const;
