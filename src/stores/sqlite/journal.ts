import type { SQLOutputValue } from "node:sqlite";
import type { Entry } from "../../core/entries.ts";
import type { Append, AppendOutcome, RunSummary } from "../../ports/store.ts";
import { follow } from "../../ports/store-rules.ts";
import { post } from "./ledger.ts";
import type { Database } from "./open.ts";

/**
 * The lease, and where the journal goes on, are looked up where the entries are written: one statement, so no other
 * process can come between.
 */
const addFenced = `INSERT INTO entry(key, body)
  SELECT (num << 32) | ?, ? FROM run WHERE id = ? AND fence = ? AND owner IS NOT NULL AND (num << 32) | ? =
  (SELECT max(key) FROM entry WHERE key BETWEEN num << 32 AND (num << 32) | 0xffffffff)`;
const owned = "SELECT num FROM run WHERE id = ? AND fence = ? AND owner IS NOT NULL";
const addRow = "INSERT INTO entry(key, body) VALUES((? << 32) | ?, ?)";
const addBlob = "INSERT INTO blobs(hash, utf8) VALUES(?, ?) ON CONFLICT DO NOTHING";
/** Whoever is sweeping leaves it. */
const spare = "DELETE FROM condemned WHERE hash = ?";
const summarise = `UPDATE run SET pipeline = ?, fingerprint = ?, status = ?, created = ?, updated = ?, pico_usd = ?,
  input_tokens = ?, output_tokens = ?, calls = ?, wake_at = ?, heard = ? WHERE num = ?`;
const last =
  "SELECT max(key) & 0xffffffff AS seq FROM entry WHERE key BETWEEN ? << 32 AND (? << 32) | 0xffffffff";
/** The rows from the one with the first entry asked for to the one with the last. */
const page = `SELECT body FROM entry WHERE key BETWEEN (? << 32) | ? AND
  coalesce((SELECT min(key) FROM entry WHERE key BETWEEN (? << 32) | ? AND (? << 32) | 0xffffffff), (? << 32) | 0xffffffff)
  ORDER BY key`;
const maxSeq = 0xffffffff;

/** Entries in one row, at most: what a reader of one entry has to parse. */
const maxEntriesInRow = 256;

export function commit(db: Database, appends: readonly Append[]): readonly AppendOutcome[] {
  const [first, ...more] = appends;
  if (first === undefined) return [];
  if (more.length === 0 && addPlain(db, first)) return ["appended"];
  return db.write(() => appends.map((append) => add(db, append)));
}

export function read(db: Database, runId: string, from: number, limit: number): readonly Entry[] | undefined {
  const num = db.get("SELECT num FROM run WHERE id = ?", runId)?.num;
  if (num === undefined) return undefined;
  if (limit < 1) return [];
  const to = Math.min(maxSeq, from + limit - 1);
  // What was stored as entries comes back as such: the store does not look inside.
  const rows = db.all(page, num, from, num, to, num, num);
  const entries = rows.flatMap(({ body }) => JSON.parse(body as string) as Entry[]);
  const start = from - (entries[0]?.seq ?? from);
  return start === 0 && entries.length <= limit ? entries : entries.slice(start, start + limit);
}

/** The hot path: entries that go on where the journal ends, and nothing else, are a transaction of one statement. */
function addPlain(db: Database, append: Append): boolean {
  const { runId, fence, entries, blobs, summary, postings } = append;
  const first = entries[0]?.seq ?? 0;
  const hasMore = blobs.length > 0 || summary !== undefined || postings !== undefined;
  if (first === 0 || entries.length > maxEntriesInRow || hasMore) return false;
  const next = follow(append, first);
  return db.run(addFenced, next - 1, JSON.stringify(entries), runId, fence, first - 1) > 0;
}

/** @throws StoreCorruptError for entries that do not go on where the journal ends. */
function add(db: Database, append: Append): AppendOutcome {
  const num = db.get(owned, append.runId, append.fence)?.num;
  if (num === undefined) return "fenced";
  const seq = db.get(last, num, num)?.seq;
  follow(append, typeof seq === "number" ? seq + 1 : 0);
  for (const blob of append.blobs) {
    db.run(addBlob, blob.hash, Buffer.from(blob.text));
    db.run(spare, blob.hash);
  }
  insert(db, num, append.entries);
  if (append.summary !== undefined) db.run(summarise, ...columns(append.summary), num);
  if (append.postings !== undefined) post(db, append.postings);
  return "appended";
}

function insert(db: Database, num: SQLOutputValue, entries: readonly Entry[]): void {
  for (let at = 0; at < entries.length; at += maxEntriesInRow) {
    const row = entries.slice(at, at + maxEntriesInRow);
    db.run(addRow, num, (row.at(-1) as Entry).seq, JSON.stringify(row)); // the slice is not empty
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
    s.wakeAt ?? null,
    s.status === "waiting" ? (s.heard ?? 0) : null,
  ] as const;
