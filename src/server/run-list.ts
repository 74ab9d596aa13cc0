/** Pages of runs, and which of them are trials. */
import { type RunLine, runLine } from "../lens/list.ts";
import type { RunFilter, RunListing } from "../ports/store.ts";
import type { House } from "./house.ts";

/** What of a store's runs makes a page. */
export interface PageTerms extends Omit<RunFilter, "limit" | "after"> {
  readonly limit: number;
  readonly after?: Pick<RunListing, "createdAt" | "runId">;
  /** False: trials of experiments are passed over. */
  readonly trials: boolean;
}

/** A page, and the run after which the next one begins; undefined: there is none. */
interface Page {
  readonly runs: readonly RunLine[];
  readonly last: RunListing | undefined;
}

/** Of an experiment's trials so many are passed over at a time, and so often for one page: it may be short, or empty. */
const stride = 1_000;
const mostStrides = 10;

export async function pageOfRuns(
  house: House,
  { trials, limit, after, ...filter }: PageTerms,
): Promise<Page> {
  const runs: RunLine[] = [];
  let last: RunListing | undefined;
  for (let count = 0; count < mostStrides; count++) {
    const size = trials ? limit : Math.max(limit, count === 0 ? 0 : stride);
    const from = last ?? after;
    const found = await house.store.list({
      ...filter,
      limit: size,
      ...(from === undefined ? {} : { after: from }),
    });
    for (const run of found) {
      last = run;
      const line = await lineOf(house, run);
      if (trials || line.trialOf === undefined) runs.push(line);
      if (runs.length === limit) return { runs, last };
    }
    if (found.length < size) return { runs, last: undefined };
  }
  return { runs, last };
}

/** A run as a list shows it, with the experiment it is a trial of. */
export async function lineOf({ trials, world }: House, run: RunListing): Promise<RunLine> {
  const trialOf = await trials.experimentOf(run.runId);
  return { ...runLine(run, world.now()), ...(trialOf === undefined ? {} : { trialOf }) };
}
