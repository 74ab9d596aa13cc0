import { listed } from "../../ports/run-row.ts";
import type { RunFilter, RunListing } from "../../ports/store.ts";
import { defaultListLimit, pipelinesIn } from "../../ports/store-rules.ts";
import { beginning, usualStatus, type Walk, walkOf } from "../../ports/walk.ts";
import type { Database } from "./open.ts";

/** Some of the runs: those a condition holds for, in the order of an index. */
interface Part {
  readonly index: string;
  readonly conditions: readonly string[];
  readonly values: readonly (string | number)[];
}

const newestFirst = "created DESC, id DESC";
/** Of fewer runs than this that begin so, all are looked at. */
const fewRuns = 1_000;

/**
 * Which index is walked is said, not left to SQLite: it knows nothing of how many runs there are of a kind, and takes the one
 * that spares it the sorting, though it may pass over a million runs on the way.
 */
export function list(db: Database, filter: RunFilter): RunListing[] {
  const { dueBefore, leaseEndsBefore, limit = defaultListLimit } = filter;
  if (dueBefore !== undefined) {
    const withWord = { index: "runs_with_word", conditions: ["heard < sent"], values: [] };
    const word = select(db, [withWord], filter, "id", limit);
    const rest = limit - word.length;
    const conditions = ["wake_at <= ?", "coalesce(heard, 0) >= sent"];
    const due = { index: "runs_by_waking", conditions, values: [dueBefore] };
    return rest > 0 ? [...word, ...select(db, [due], filter, "wake_at, id", rest)] : word;
  }
  if (leaseEndsBefore !== undefined) {
    const conditions = ["status = 'running'", "expires < ?"];
    const open = { index: "runs_by_lease", conditions, values: [leaseEndsBefore] };
    return select(db, [open], filter, "expires, id", limit);
  }
  const walk = walkOf(filter);
  return select(db, partsOf(db, walk), walk.rest, newestFirst, limit);
}

function partsOf(db: Database, walk: Walk): readonly Part[] {
  const byAge: Part = { index: "runs_by_age", conditions: [], values: [] };
  switch (walk.by) {
    case "change":
      return [{ ...byAge, index: "runs_by_change" }];
    case "id":
      return beginSo(db, walk.rest.idPrefix ?? "") < fewRuns
        ? [{ ...byAge, index: "sqlite_autoindex_run_1" }]
        : [byAge];
    case "status": {
      const conditions = [`status <> '${usualStatus}'`, "status = ?"];
      return walk.each.map((status) => ({ index: "runs_by_status", conditions, values: [status] }));
    }
    case "pipeline":
      return walk.each.map((name) => ({
        index: "runs_by_pipeline",
        conditions: ["pipeline = ?"],
        values: [name],
      }));
    case "age":
      return [byAge];
  }
}

/** How many runs there are whose ids begin so; counted no further than is of interest. */
function beginSo(db: Database, prefix: string): number {
  const some = `SELECT 1 FROM run WHERE id BETWEEN ? AND ? LIMIT ${fewRuns}`;
  return Number(db.get(`SELECT count(*) AS count FROM (${some})`, ...beginning(prefix))?.count);
}

/** The runs of these parts that a filter lets through. */
function select(
  db: Database,
  parts: readonly Part[],
  filter: RunFilter,
  order: string,
  limit: number,
): RunListing[] {
  if (parts.length === 0) return [];
  const shown = filtered(filter);
  const sql = parts.map(({ index, conditions }) => {
    const where = ["pipeline IS NOT NULL", ...conditions, ...shown.conditions].join(" AND ");
    return `SELECT * FROM run INDEXED BY ${index} WHERE ${where} ORDER BY ${order} LIMIT ?`;
  });
  const values = parts.flatMap((part) => [...part.values, ...shown.values, limit]);
  const [one = ""] = sql;
  const rows =
    sql.length === 1
      ? db.all(one, ...values)
      : db.all(`${merged(sql)} ORDER BY ${order} LIMIT ?`, ...values, limit);
  return rows.map(listed);
}

const merged = (queries: readonly string[]): string =>
  queries.map((sql) => `SELECT * FROM (${sql})`).join(" UNION ALL ");

/** What a filter asks of each run. */
function filtered(filter: RunFilter): Pick<Part, "conditions" | "values"> {
  const { status, pipeline, idPrefix, createdFrom, createdBefore, updatedFrom, after } = filter;
  const conditions: string[] = [];
  const values: (string | number)[] = [];
  const only = (condition: string, ...parameters: (string | number)[]): void => {
    conditions.push(condition);
    values.push(...parameters);
  };
  if (status !== undefined) only("status IN (SELECT value FROM json_each(?))", JSON.stringify(status));
  if (pipeline !== undefined)
    only("pipeline IN (SELECT value FROM json_each(?))", JSON.stringify(pipelinesIn(pipeline)));
  if (idPrefix !== undefined) only("id BETWEEN ? AND ?", ...beginning(idPrefix));
  if (createdFrom !== undefined) only("created >= ?", createdFrom);
  if (createdBefore !== undefined) only("created < ?", createdBefore);
  if (updatedFrom !== undefined) only("updated >= ?", updatedFrom);
  if (after !== undefined) only("(created, id) < (?, ?)", after.createdAt, after.runId);
  return { conditions, values };
}
