import type { ImproveOptions } from "../../evals/improve/improve.ts";
import type { SearchLimits } from "../../evals/improve/improvement.ts";
import { duration, money } from "../format.ts";
import { say } from "../terminal.ts";

/** Tells how far a search has come: in one line that changes on a terminal, in a line for each round elsewhere. */
export function improveProgress({
  rollouts: most,
  picoUsd,
}: SearchLimits): NonNullable<ImproveOptions["onProgress"]> {
  const isLive = process.stderr.isTTY && process.env.TERM !== "dumb";
  const began = performance.now();
  return ({ round, rollouts, candidates, base, best, picoUsd: spent }) => {
    const budget = picoUsd === undefined ? "" : ` of ${money(BigInt(picoUsd))}`;
    const parts = [
      `round ${round}`,
      `${rollouts} of ${most} rollouts`,
      `${candidates} ${candidates === 1 ? "candidate" : "candidates"}`,
      `best ${best.toFixed(3)} (was ${base.toFixed(3)})`,
      `${money(spent)}${budget}`,
      duration(performance.now() - began),
    ];
    if (isLive) process.stderr.write(`\r\x1b[K${parts.join(", ")}`);
    else say(parts.join(", "));
  };
}
