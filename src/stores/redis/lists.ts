import type { RunFilter, RunListing, RunSummary } from "../../ports/store.ts";
import { defaultListLimit, listed, listingOf, shows } from "../../ports/store-rules.ts";
import type { Connection, Reply } from "./connection.ts";
import { digits, place, runAt } from "./keys.ts";
import { leaseOf } from "./leases.ts";
import * as scripts from "./scripts.ts";

/**
 * A part of an index, or of several as if they were one, in the order of their bytes or backwards. Both ends as Redis has
 * them: `[x` with x, `(x` without, `-` and `+` for no end.
 */
interface Range {
  readonly indexes: readonly string[];
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
  const { dueBefore, leaseEndsBefore, updatedFrom, idPrefix, status, limit = defaultListLimit } = filter;
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
    const indexes = status === undefined ? [keys.age] : [...new Set(status)].map(keys.ofStatus);
    await look({ indexes, ...ages(filter), isBackwards: true }, limit);
  }
  return listed([...found.values()], filter);
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
  const { indexes, isBackwards = false, isPlain = false } = range;
  const size = Math.min(Math.max(filter.limit ?? defaultListLimit, 1), pageSize);
  let { least, greatest } = range;
  while (indexes.length > 0) {
    const way = isBackwards ? [greatest, least, "REV"] : [least, greatest];
    const pages = (await db.script(scripts.page, indexes, [size, ...way])) as readonly (readonly string[])[]; // that script's
    // Beyond the end of a page that is full, its index may have what would come first.
    const ends = pages.flatMap((page) => (page.length < size ? [] : page.slice(-1))).toSorted();
    const end = isBackwards ? ends.at(-1) : ends[0];
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
