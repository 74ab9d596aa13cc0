import type { Entry } from "../../core/entries.ts";
import { isRunId } from "../../core/paths.ts";
import type { Append, AppendOutcome } from "../../ports/store.ts";
import { follow } from "../../ports/store-rules.ts";
import type { Database } from "./database.ts";
import { settling } from "./ledger.ts";
import type { Client } from "./transaction.ts";

/** Entries in one row, at most: what a reader of one entry has to parse. */
const maxEntriesInRow = 256;

/** All appends in one statement; in one transaction with what they settle. */
export async function commit(db: Database, appends: readonly Append[]): Promise<readonly AppendOutcome[]> {
  const [first, ...more] = appends;
  if (first === undefined) return [];
  if (more.length === 0 && isPlain(first)) return [await add(db, first)];
  const asked = arguments_(db, appends);
  const added = appends.some(({ postings }) => postings !== undefined)
    ? await settling(db, appends, (client) => append(client, db.schema, asked))
    : await append(db, db.schema, asked);
  return appends.map((_, i) => (added.has(i + 1) ? "appended" : "fenced"));
}

/** Entries that are one row, and nothing else. */
const isPlain = ({ entries, blobs, summary, postings }: Append): boolean =>
  entries.length > 0 &&
  entries.length <= maxEntriesInRow &&
  blobs.length === 0 &&
  summary === undefined &&
  postings === undefined;

async function add(db: Database, append: Append): Promise<AppendOutcome> {
  const { runId, fence, entries } = append;
  const first = entries[0]?.seq ?? 0; // it is plain: there is one
  const last = follow(append, first) - 1;
  if (!isRunId(runId)) return "fenced";
  const sql = `SELECT ${db.schema}.add($1, $2, $3, $4, $5, $6) AS added`;
  const values = [runId, fence, first, last, JSON.stringify(entries), db.durability === "synced"];
  const [row] = await db.query(sql, values);
  return row?.added === true ? "appended" : "fenced";
}

/** The places, from 1, of those that were added. */
async function append(
  client: Client,
  schema: string,
  asked: readonly unknown[],
): Promise<ReadonlySet<number>> {
  const sql = `SELECT ${schema}.append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) AS added`;
  const [row] = await client.query(sql, asked);
  return new Set(row?.added as readonly number[]); // int[]
}

/** What the function `append` takes: columns, not rows. */
function arguments_(db: Database, appends: readonly Append[]): readonly unknown[] {
  const rows: [place: number, last: number, body: string][] = [];
  const values: [place: number, hash: string, utf8: Buffer][] = [];
  const summaries: [place: number, summary: string][] = [];
  const bounds = appends.map((append, i) => {
    const { entries, blobs, summary } = append;
    const place = i + 1;
    for (let at = 0; at < entries.length; at += maxEntriesInRow) {
      const some = entries.slice(at, at + maxEntriesInRow);
      rows.push([place, (some.at(-1) as Entry).seq, JSON.stringify(some)]); // the slice is not empty
    }
    for (const { hash, text } of blobs) values.push([place, hash, Buffer.from(text)]);
    if (summary !== undefined) summaries.push([place, JSON.stringify(summary)]);
    const first = entries[0]?.seq;
    return first === undefined ? [null, null] : [first, follow(append, first)];
  });
  return [
    ...columns(
      appends.map(({ runId, fence }) => [isRunId(runId) ? runId : "", fence]),
      2,
    ),
    ...columns(bounds, 2),
    ...columns(rows, 3),
    ...columns(values, 3),
    ...columns(summaries, 2),
    db.durability === "synced",
  ];
}

const columns = (rows: readonly (readonly unknown[])[], count: number): unknown[][] =>
  Array.from({ length: count }, (_, i) => rows.map((row) => row[i]));

export async function read(
  db: Database,
  runId: string,
  from: number,
  limit: number,
): Promise<readonly Entry[] | undefined> {
  if (!isRunId(runId)) return undefined;
  const to = Math.min(maxSeq, from + limit - 1);
  // The rows from the one with the first entry asked for to the one with the last.
  const sql = `SELECT part.body FROM ${db.schema}.run LEFT JOIN LATERAL (
      SELECT last, body FROM ${db.schema}.entry WHERE run = num AND last >= $2 AND last <= coalesce(
        (SELECT last FROM ${db.schema}.entry WHERE run = num AND last >= $3 ORDER BY last LIMIT 1), ${maxSeq})
    ) AS part ON true WHERE id = $1 ORDER BY part.last`;
  const rows = await db.query(sql, [runId, from, Math.max(from, to)]);
  if (rows.length === 0) return undefined;
  if (limit < 1) return [];
  const bodies = rows.map(({ body }) => body).filter((body) => typeof body === "string");
  // What was stored as entries comes back as such: the store does not look inside.
  const entries = bodies.flatMap((body) => JSON.parse(body) as Entry[]);
  const start = from - (entries[0]?.seq ?? from);
  return start === 0 && entries.length <= limit ? entries : entries.slice(start, start + limit);
}
const maxSeq = 2 ** 31 - 1;
