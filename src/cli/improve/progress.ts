import type { ImproveOptions } from "../../evals/improve/improve.ts";
import type { SearchLimits } from "../../evals/improve/improvement.ts";
import { count, duration, money } from "../format.ts";
import { say } from "../terminal.ts";

/** Tells how far a search has come: in one line that changes on a terminal, in a line for each round elsewhere. */
export function improveProgress({ rollouts: most, picoUsd }: SearchLimits): {
  readonly tell: NonNullable<ImproveOptions["onProgress"]>;
  /** Leaves the line that changes. */
  readonly end: () => void;
} {
  const isLive = process.stderr.isTTY && process.env.TERM !== "dumb";
  const began = performance.now();
  let told = -1;
  const budget = picoUsd === undefined ? "" : ` of ${money(BigInt(picoUsd))}`;
  return {
    tell({ round, rollouts, candidates, trials, base, best, picoUsd: spent }) {
      const isNew = round > told && rollouts > 0;
      if (!isLive && !isNew) return;
      if (isNew) told = round;
      const found = [`best ${best.toFixed(3)} (was ${base.toFixed(3)})`, count(candidates, "candidate")];
      const line = [
        rollouts === 0 ? "the pipeline as it is" : `round ${round}`,
        ...(rollouts === 0 ? [] : found),
        `${rollouts} of ${most} rollouts`,
        count(trials, "trial"),
        `${money(spent)}${budget}`,
        duration(performance.now() - began),
      ].join(", ");
      if (isLive) process.stderr.write(`\r\x1b[K${line}`);
      else say(line);
    },
    end: () => {
      if (isLive) say();
    },
  };
}
