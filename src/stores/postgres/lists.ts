import { listed } from "../../ports/run-row.ts";
import type { RunFilter, RunListing } from "../../ports/store.ts";
import { defaultListLimit, pipelinesIn } from "../../ports/store-rules.ts";
import { beginning, usualStatus, type Walk, walkOf } from "../../ports/walk.ts";
import type { Database } from "./database.ts";

/** A condition, given how a value is written in it. */
type Condition = (value: (one: unknown) => string) => string;

const newestFirst = "created DESC, id DESC";

export async function list(db: Database, filter: RunFilter): Promise<RunListing[]> {
  const { dueBefore, leaseEndsBefore, limit = defaultListLimit } = filter;
  if (dueBefore !== undefined) {
    const word = await select(db, [[() => "heard < sent"]], filter, "id", limit);
    const rest = limit - word.length;
    const isDue: Condition[] = [
      (value) => `wake_at <= ${value(dueBefore)}`,
      () => "coalesce(heard, 0) >= sent",
    ];
    return rest > 0 ? [...word, ...(await select(db, [isDue], filter, "wake_at, id", rest))] : word;
  }
  if (leaseEndsBefore !== undefined) {
    const isOpen: Condition[] = [
      () => "status = 'running'",
      (value) => `expires < ${value(leaseEndsBefore)}`,
    ];
    return select(db, [isOpen], filter, "expires, id", limit);
  }
  const walk = walkOf(filter);
  return select(db, partsOf(walk), walk.rest, newestFirst, limit);
}

/**
 * The conditions of each part that is walked by itself, since its runs lie in one order in an index. Postgres knows which
 * index leaves the fewest to look at; of several values of a column it would take all there is, and sort it.
 */
function partsOf(walk: Walk): readonly (readonly Condition[])[] {
  switch (walk.by) {
    case "status": // the index holds no other ones, and has to be told so
      return walk.each.map((one) => [
        () => `status <> '${usualStatus}'`,
        (value) => `status = ${value(one)}`,
      ]);
    case "pipeline":
      return walk.each.map((one) => [(value) => `pipeline = ${value(one)}`]);
    default:
      return [[]];
  }
}

/** The runs of these parts that a filter lets through, in one statement. */
async function select(
  db: Database,
  parts: readonly (readonly Condition[])[],
  filter: RunFilter,
  order: string,
  limit: number,
): Promise<RunListing[]> {
  if (parts.length === 0) return [];
  const values: unknown[] = [];
  const value = (one: unknown): string => `$${values.push(one)}`;
  const shown = ["pipeline IS NOT NULL", ...conditionsOf(filter, value)];
  const most = value(limit);
  const queries = parts.map((part) => {
    const where = [...shown, ...part.map((condition) => condition(value))].join(" AND ");
    return `SELECT * FROM ${db.schema}.run WHERE ${where} ORDER BY ${order} LIMIT ${most}`;
  });
  const [one = ""] = queries;
  const merged = queries.map((sql) => `(${sql})`).join(" UNION ALL ");
  const sql = queries.length === 1 ? one : `${merged} ORDER BY ${order} LIMIT ${most}`;
  return (await db.query(sql, values)).map(listed);
}

/** What a filter asks of each run. */
function conditionsOf(filter: RunFilter, value: (one: unknown) => string): readonly string[] {
  const { status, pipeline, idPrefix, createdFrom, createdBefore, updatedFrom, after } = filter;
  const where: string[] = [];
  if (status !== undefined) where.push(`status = ANY (${value(status)})`);
  if (pipeline !== undefined) where.push(`pipeline = ANY (${value(pipelinesIn(pipeline))})`);
  if (idPrefix !== undefined) {
    const [least, greatest] = beginning(idPrefix);
    where.push(`id BETWEEN ${value(least)} AND ${value(greatest)}`);
  }
  if (createdFrom !== undefined) where.push(`created >= ${value(createdFrom)}`);
  if (createdBefore !== undefined) where.push(`created < ${value(createdBefore)}`);
  if (updatedFrom !== undefined) where.push(`updated >= ${value(updatedFrom)}`);
  if (after !== undefined)
    where.push(`(created, id) < (${value(after.createdAt)}::bigint, ${value(after.runId)}::text)`);
  return where;
}
