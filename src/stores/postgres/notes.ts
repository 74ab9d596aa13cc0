import { randomUUID } from "node:crypto";
import type { Json } from "../../core/json.ts";
import type { Note, NoteFilter } from "../../ports/store.ts";
import { defaultNoteLimit, refuseBadKey } from "../../ports/store-rules.ts";
import type { Database } from "./database.ts";
import { firm } from "./syncing.ts";

export async function notes(db: Database, filter: NoteFilter): Promise<readonly Note[]> {
  const { prefix, after = "", limit = defaultNoteLimit } = filter;
  // Keys are ASCII: what begins with a text lies between it and itself with the last of those characters.
  const sql = `SELECT * FROM ${db.schema}.note WHERE key BETWEEN $1 AND $2 AND key > $3 ORDER BY key LIMIT $4`;
  const rows = await db.query(sql, [prefix, `${prefix}\x7f`, after, limit]);
  return rows.map(({ key, version, body }) => ({
    key: String(key),
    value: JSON.parse(body as string) as Json, // as it was put
    version: String(version),
  }));
}

export async function putNote(
  db: Database,
  key: string,
  value: Json,
  seen: string | undefined,
): Promise<string | undefined> {
  refuseBadKey(key);
  const version = randomUUID();
  const body = JSON.stringify(value);
  const changed =
    seen === undefined
      ? await db.query(
          `WITH ${firm} INSERT INTO ${db.schema}.note(key, version, body) SELECT $1, $2, $3 FROM firm
            ON CONFLICT (key) DO NOTHING RETURNING 1`,
          [key, version, body],
        )
      : await db.query(
          `WITH ${firm} UPDATE ${db.schema}.note SET version = $2, body = $3 FROM firm
            WHERE key = $1 AND version = $4 RETURNING 1`,
          [key, version, body, seen],
        );
  return changed.length > 0 ? version : undefined;
}

export async function dropNote(db: Database, key: string, seen: string): Promise<boolean> {
  const sql = `WITH ${firm} DELETE FROM ${db.schema}.note USING firm WHERE key = $1 AND version = $2 RETURNING 1`;
  return (await db.query(sql, [key, seen])).length > 0;
}
