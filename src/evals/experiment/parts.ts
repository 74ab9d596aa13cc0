/**
 * A large experiment is tried in parts, one after the other, each a run of its own: what a run has done is in memory while it goes
 * on, and so an experiment takes no more of it than its largest part, however many cases it has.
 */
import { hash } from "node:crypto";
import { isRunId } from "../../core/paths.ts";
import type { ExperimentInput } from "./record.ts";

/** So many trials make a part: few enough for memory, so many that nobody waits long at its end for the slowest. */
const mostTrials = 5_000;

/**
 * The inputs of the runs that an experiment is made of: itself, unless it is large. All first trials come before all second ones, as
 * in one run.
 *
 * @param most trials of a part; one that makes several trials of each case has some less.
 */
export function partsOf(input: ExperimentInput, most = mostTrials): readonly ExperimentInput[] {
  const { cases, trials } = input;
  if (cases.length * trials <= most) return [input];
  const rounds = Math.max(1, Math.floor(most / cases.length));
  const of = Math.ceil(trials / rounds) * Math.ceil(cases.length / most);
  const parts: ExperimentInput[] = [];
  for (let first = 1; first <= trials; first += rounds) {
    const last = Math.min(trials, first + rounds - 1);
    for (let from = 0; from < cases.length; from += most) {
      const part = { number: parts.length + 1, of, cases: cases.length, first, last };
      parts.push({ ...input, cases: cases.slice(from, from + most), part });
    }
  }
  return parts;
}

/** The id of a part's run. The first one has the experiment's name. */
export function partRunId(name: string, number: number): string {
  if (number === 1) return name;
  const readable = `${name}.part-${number}`;
  return isRunId(readable) ? readable : `eval-${hash("sha256", name).slice(0, 16)}.part-${number}`;
}
