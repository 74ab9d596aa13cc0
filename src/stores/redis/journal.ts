import { decide } from "../../core/account.ts";
import type { Entry } from "../../core/entries.ts";
import { isRunId } from "../../core/paths.ts";
import type { Append, AppendOutcome, RunSummary } from "../../ports/store.ts";
import { follow, misplaced } from "../../ports/store-rules.ts";
import type { Argument, Connection, Reply } from "./connection.ts";
import { headOf, place } from "./keys.ts";
import { accountArguments, accountKeys, attempts, type Seen, see, seenIn } from "./ledger.ts";
import * as scripts from "./scripts.ts";

/** All appends by one script, with what they settle. */
export async function commit(db: Connection, appends: readonly Append[]): Promise<readonly AppendOutcome[]> {
  if (appends.length === 0) return [];
  const { keys, args } = asked(db, appends);
  const all = appends.flatMap(({ postings = [] }) => postings);
  let seen = await see(db, [...new Set(all.map(({ scope }) => scope))]);
  // Only what is added settles anything. Nearly always that is all; the script writes nothing where it is not.
  let added = all.length === 0 ? "" : "1".repeat(appends.length);
  for (const _ of attempts()) {
    const answer = await db.script(scripts.commit, keys, [added, ...settled(seen, appends, added), ...args]);
    const [outcome, ...rest] = answer as readonly Reply[]; // that script's
    if (outcome === "misplaced") throw misplaced(String(rest[0]), Number(rest[1]), Number(rest[2]));
    if (outcome === "added") return outcomes(String(rest[0]));
    added = String(rest[0]);
    seen = seenIn([...seen.keys()], rest[1] as readonly Reply[]); // as above
  }
  return []; // `attempts` throws before it ends
}

const outcomes = (added: string): AppendOutcome[] =>
  [...added].map((digit) => (digit === "1" ? "appended" : "fenced"));

function settled(seen: Seen, appends: readonly Append[], added: string): readonly Argument[] {
  const postings = appends.flatMap(({ postings = [] }, i) => (added[i] === "1" ? postings : []));
  const { changed } = decide((scope) => seen.get(scope)?.account, { kind: "settle", postings });
  return accountArguments(seen, changed);
}

/** What the script takes of the appends. */
function asked(db: Connection, appends: readonly Append[]) {
  const { indexes, condemned, run, journal, value } = db.keys;
  const keys = [...indexes, condemned, ...accountKeys(db)];
  const args: Argument[] = [appends.length];
  for (const append of appends) {
    const { entries, blobs, summary } = append;
    const runId = isRunId(append.runId) ? append.runId : "";
    const first = entries[0]?.seq ?? 0;
    follow(append, first);
    keys.push(run(runId), journal(runId), ...blobs.map(({ hash }) => value(hash)));
    args.push(append.runId, append.fence, first, entries.length);
    for (const entry of entries) args.push(JSON.stringify(entry));
    args.push(blobs.length);
    for (const { hash, text } of blobs) args.push(hash, text);
    args.push(...(summary === undefined ? ["0"] : ["1", ...told(append.runId, summary)]));
  }
  return { keys, args };
}

const told = (runId: string, summary: RunSummary): readonly Argument[] => [
  JSON.stringify(summary),
  summary.status,
  summary.heard ?? 0,
  place(summary.createdAt, runId),
  place(summary.updatedAt, runId),
  headOf(summary.pipeline) + place(summary.createdAt, runId),
  summary.wakeAt === undefined ? "" : place(summary.wakeAt, runId),
];

/** More entries than any journal has; indexes of lists end at 64 bits. */
const most = 2 ** 40;

export async function read(
  db: Connection,
  runId: string,
  from: number,
  limit: number,
): Promise<readonly Entry[] | undefined> {
  if (!isRunId(runId)) return undefined;
  const last = Math.min(from + Math.max(limit, 0), most) - 1;
  // In this order: a run that is removed in between is no run.
  const [entries, isThere] = await db.all([
    ["LRANGE", db.keys.journal(runId), from, Math.max(last, 0)],
    ["EXISTS", db.keys.run(runId)],
  ]);
  if (isThere === 0) return undefined;
  if (limit < 1) return [];
  // What was stored as entries comes back as such: the store does not look inside.
  return (entries as readonly string[]).map((text) => JSON.parse(text) as Entry);
}
