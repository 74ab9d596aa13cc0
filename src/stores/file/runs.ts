import { fstatSync } from "node:fs";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import type { RunFilter, RunListing, RunSummary } from "../../ports/store.ts";
import { listed, listingOf, shows } from "../../ports/store-rules.ts";
import { namesIn } from "./disk.ts";
import { leaseOf } from "./lease.ts";
import { lines } from "./line.ts";
import { type AppendLine, fencesIn, parse, reading, readOpening, segmentPath } from "./segment.ts";
import { sentTo } from "./signals.ts";

/** Where the last summary nearly always is. */
const tailBytes = 64 * 1_024;

/** Runs looked at before other work of the process gets its turn. */
const runsATurn = 32;

/** @param folder holds one folder for each run. */
export async function list(folder: string, filter: RunFilter): Promise<RunListing[]> {
  const runIds = (namesIn(folder) ?? []).filter((runId) => runId.startsWith(filter.idPrefix ?? ""));
  const found: RunListing[] = [];
  for (const [i, runId] of runIds.entries()) {
    if (i % runsATurn === runsATurn - 1) await setImmediate();
    const run = glance(join(folder, runId), runId);
    if (run !== undefined && shows(filter, run)) found.push(run);
  }
  return listed(found, filter);
}

/** A run as a list shows it; undefined before its first summary. */
function glance(folder: string, runId: string): RunListing | undefined {
  const fences = fencesIn(folder).reverse();
  for (const fence of fences) {
    const { head, end } = readOpening(folder, fence);
    if (head === undefined) continue;
    const summary = lastSummary(segmentPath(folder, fence), end) ?? head.summary;
    if (summary === undefined) return undefined;
    const lease = leaseOf(folder, runId, fences[0] ?? fence);
    return listingOf(runId, summary, lease, summary.status === "waiting" ? sentTo(folder) : 0);
  }
  return undefined;
}

/** The last summary in a segment: looked for in its tail, then in all of it. */
function lastSummary(path: string, start: number): RunSummary | undefined {
  return reading(path, (file) => {
    const tail = fstatSync(file).size - tailBytes;
    return (tail > start ? summaryFrom(file, tail) : undefined) ?? summaryFrom(file, start);
  });
}

function summaryFrom(file: number, start: number): RunSummary | undefined {
  let summary: RunSummary | undefined;
  for (const { body } of lines(file, start)) {
    if (body?.includes('"summary":')) summary = parse<AppendLine>(body).summary ?? summary;
  }
  return summary;
}
