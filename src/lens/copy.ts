/** Runs from one store in another, each compared with what it was. */
import type { RunStatus } from "../core/run-record.ts";
import type { RunListing } from "../ports/store.ts";
import { anotherRun, standingIn, wholeIn } from "./crossover.ts";
import { everyRun, type Selection } from "./every-run.ts";
import type { Outcome, Route } from "./route.ts";
import { finishMoves, heldMoney, reasonToLeave, transfer } from "./transfer.ts";

export interface CopyOptions extends Route, Selection {
  /** Only these, by their whole ids. */
  readonly ids?: ReadonlySet<string>;
  /** Only says what would be copied. */
  readonly isDry: boolean;
  /** Why a run is to stay where it is all the same; undefined: it is not. */
  readonly reasonToKeep?: (runId: string) => string | undefined;
  /** Told after each run, how many have been looked at. */
  readonly onRun?: (count: number) => void;
}

/** As `flujo store copy --json` prints it. */
export interface Copied {
  /** Whether anything was written, or this is what would be. */
  readonly isDry: boolean;
  /** Whether the runs are gone where they were. */
  readonly isMove: boolean;
  readonly from: string;
  readonly to: string;
  readonly runs: readonly CopiedRun[];
  /** Runs that were meant, and are left where they are. */
  readonly left: readonly { readonly runId: string; readonly why: string }[];
  /** Runs that are damaged, or were not the same when they were read back. */
  readonly faults: readonly { readonly runId: string; readonly what: string }[];
}

export interface CopiedRun {
  readonly runId: string;
  readonly pipeline: string;
  readonly status: RunStatus;
  /** It was there before, with the same journal. */
  readonly wasThere: boolean;
  readonly entries: number;
  /** Values kept aside that came with it. */
  readonly values: number;
}

/**
 * Copies, or moves, the selected runs that nobody advances, one after another. What was copied before is counted as there, so
 * that one that was killed goes on when it is called again.
 */
export async function copyRuns(options: CopyOptions): Promise<Copied> {
  const { from, to, world, isMove, ids, isDry, reasonToKeep, onRun, onLeave, ...selection } = options;
  const route: Route = { from, to, world, isMove, onLeave };
  const runs: CopiedRun[] = [];
  const left: { readonly runId: string; readonly why: string }[] = [];
  const faults: { readonly runId: string; readonly what: string }[] = [];
  let looked = 0;
  const take = (
    { runId, pipeline, status }: Pick<RunListing, "runId" | "pipeline" | "status">,
    done: Outcome,
  ): void => {
    if ("why" in done) {
      if (done.outcome === "left") left.push({ runId, why: done.why });
      else faults.push({ runId, what: done.why });
    } else {
      const { outcome, entries, values } = done;
      runs.push({ runId, pipeline, status, wasThere: outcome === "there", entries, values });
    }
    looked += 1;
    onRun?.(looked);
  };
  if (isMove && !isDry)
    for await (const { runId, summary, done } of finishMoves(route)) take({ ...summary, runId }, done);
  for await (const run of everyRun(from, selection)) {
    if (ids !== undefined && !ids.has(run.runId)) continue;
    const why = reasonToLeave(run.status, isMove) ?? reasonToKeep?.(run.runId);
    if (why !== undefined) take(run, { outcome: "left", why });
    else take(run, await (isDry ? forecast(route, run) : transfer(route, run)));
  }
  return { isDry, isMove, from: from.name, to: to.name, runs, left, faults };
}

/** What would come of it, as far as one sees without a lease. */
async function forecast({ from, to }: Route, { runId }: RunListing): Promise<Outcome> {
  const source = await wholeIn(from, runId);
  if (source === undefined) return { outcome: "left", why: "it was removed meanwhile" };
  const held = await heldMoney(from, runId);
  if (held !== undefined) return { outcome: "left", why: held };
  const standing = await standingIn(to, source);
  if (standing === "other") return { outcome: "left", why: anotherRun(to) };
  const outcome = standing === "same" ? "there" : "copied";
  return { outcome, entries: source.entries.length, values: Object.keys(source.blobs).length };
}
