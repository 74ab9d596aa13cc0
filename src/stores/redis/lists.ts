import type { RunFilter, RunListing, RunSummary } from "../../ports/store.ts";
import { defaultListLimit, listed, listingOf, shows } from "../../ports/store-rules.ts";
import { walkOf } from "../../ports/walk.ts";
import type { Connection, Reply } from "./connection.ts";
import { digits, headOf, place, runAt } from "./keys.ts";
import { leaseOf } from "./leases.ts";
import * as scripts from "./scripts.ts";

/**
 * A part of an index, or of several as if they were one, in the order of their bytes or backwards. Both ends as Redis has
 * them: `[x` with x, `(x` without, `-` and `+` for no end.
 */
interface Range {
  readonly indexes: readonly string[];
  /** What the members of each index begin with that belong to the range, before what is compared. Absent: nothing. */
  readonly heads?: readonly string[];
  readonly least: string;
  readonly greatest: string;
  readonly isBackwards?: boolean;
  /** Whether the members are ids, without a moment before them. */
  readonly isPlain?: boolean;
}

/** So many are looked at in one journey: the server is never kept busy by one list. */
const pageSize = 500;
/** Of fewer runs than this that begin so, all are looked at. */
const fewRuns = 1_000;

/** Walks the index that leaves the least to look at; what is asked for is decided by the runs themselves. */
export async function list(db: Connection, filter: RunFilter): Promise<RunListing[]> {
  const { dueBefore, leaseEndsBefore, updatedFrom, idPrefix, limit = defaultListLimit } = filter;
  const { keys } = db;
  const found = new Map<string, RunListing>();
  const look = async (range: Range, most: number): Promise<void> => {
    if (found.size >= most) return;
    for await (const run of walk(db, range, filter)) {
      if (shows(filter, run)) found.set(run.runId, run);
      if (found.size >= most) return;
    }
  };
  if (dueBefore !== undefined) {
    await look({ indexes: [keys.word], least: "-", greatest: "+", isPlain: true }, limit);
    await look({ indexes: [keys.wake], least: "-", greatest: `(${digits(dueBefore)};` }, limit); // what comes after the colon
  } else if (leaseEndsBefore !== undefined) {
    await look({ indexes: [keys.lease], least: "-", greatest: `(${digits(leaseEndsBefore)}` }, limit);
  } else if (updatedFrom !== undefined) {
    await look({ indexes: [keys.change], least: `[${digits(updatedFrom)}`, greatest: "+" }, Infinity);
  } else if (idPrefix !== undefined && (await countOf(db, idPrefix)) < fewRuns) {
    await look({ indexes: [keys.id], ...beginning(idPrefix), isPlain: true }, Infinity);
  } else {
    await look({ ...sortedBy(db, filter), ...ages(filter), isBackwards: true }, limit);
  }
  return listed([...found.values()], filter);
}

/** Where those runs lie together that a filter asks for, newest last. */
function sortedBy({ keys }: Connection, { status, pipeline }: RunFilter): Pick<Range, "indexes" | "heads"> {
  const asked = walkOf({ ...(status && { status }), ...(pipeline && { pipeline }) });
  if (asked.by === "pipeline")
    return { indexes: asked.each.map(() => keys.pipeline), heads: asked.each.map(headOf) };
  return { indexes: status === undefined ? [keys.age] : [...new Set(status)].map(keys.ofStatus) };
}

async function countOf(db: Connection, idPrefix: string): Promise<number> {
  const { least, greatest } = beginning(idPrefix);
  return Number(await db.call("ZLEXCOUNT", db.keys.id, least, greatest));
}

/** Ids are ASCII: what begins with a text lies between it and itself with the last of those characters. */
const beginning = (prefix: string) => ({ least: `[${prefix}`, greatest: `[${prefix}\x7f` });

function ages({ createdFrom, createdBefore, after }: RunFilter): Pick<Range, "least" | "greatest"> {
  const ends = [
    ...(createdBefore === undefined ? [] : [digits(createdBefore)]),
    ...(after === undefined ? [] : [place(after.createdAt, after.runId)]),
  ].toSorted();
  return {
    least: createdFrom === undefined ? "-" : `[${digits(createdFrom)}`,
    greatest: ends[0] === undefined ? "+" : `(${ends[0]}`,
  };
}

/**
 * The runs of a range, as they are now; page by page, so that others get their turn. A run that goes from one of the indexes
 * to another meanwhile is not missed: its place is the same there, and a page is of all of them at one moment.
 */
async function* walk(db: Connection, range: Range, filter: RunFilter): AsyncGenerator<RunListing> {
  const { indexes, heads = [], isBackwards = false, isPlain = false } = range;
  const size = Math.min(Math.max(filter.limit ?? defaultListLimit, 1), pageSize);
  let { least, greatest } = range;
  while (indexes.length > 0) {
    const ends = isBackwards ? [greatest, least] : [least, greatest];
    const args = indexes.flatMap((_, i) => ends.map((end) => within(heads[i] ?? "", end)));
    const found = await db.script(scripts.page, indexes, [size, isBackwards ? "1" : "0", ...args]);
    const pages = (found as readonly (readonly string[])[]).map(
      (
        page,
        i, // that script's
      ) => page.map((member) => member.slice(heads[i]?.length ?? 0)),
    );
    // Beyond the end of a page that is full, its index may have what would come first.
    const lasts = pages.flatMap((page) => (page.length < size ? [] : page.slice(-1))).toSorted();
    const end = isBackwards ? lasts.at(-1) : lasts[0];
    const members = pages
      .flat()
      .filter((member) => end === undefined || (isBackwards ? member >= end : member <= end))
      .toSorted();
    if (isBackwards) members.reverse();
    const ids = members.map((member) => (isPlain ? member : runAt(member)));
    yield* await runs(
      db,
      ids.filter((id) => id.startsWith(filter.idPrefix ?? "")),
    );
    if (end === undefined) return;
    if (isBackwards) greatest = `(${end}`;
    else least = `(${end}`;
  }
}

/** An end of a range among the members that begin so; after that comes a digit, which is less than a colon. */
function within(head: string, end: string): string {
  if (head === "") return end;
  if (end === "-") return `[${head}`;
  return end === "+" ? `(${head}:` : `${end.slice(0, 1)}${head}${end.slice(1)}`;
}

async function runs(db: Connection, ids: readonly string[]): Promise<RunListing[]> {
  const asked = ids.map((id) => {
    return ["HMGET", db.keys.run(id), "summary", "fence", "expires", "owner", "sent"] as const;
  });
  const rows = await db.all(asked);
  return rows.flatMap((row, i) => {
    const [summary, fence, expires, owner, sent] = row as readonly Reply[]; // one for each field
    const runId = ids[i] ?? "";
    if (typeof summary !== "string") return []; // removed since
    const lease = leaseOf(runId, String(fence), String(expires), owner);
    return [listingOf(runId, JSON.parse(summary) as RunSummary, lease, Number(sent ?? 0))]; // as it was kept
  });
}
