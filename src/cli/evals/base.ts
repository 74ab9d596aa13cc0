import { existsSync, readFileSync } from "node:fs";
import { InvalidOptionError } from "../../core/errors.ts";
import { isRunId } from "../../core/paths.ts";
import { readTally } from "../../evals/experiment/results.ts";
import { casesOf } from "../../evals/experiment/summary.ts";
import type { CaseScore } from "../../evals/experiment/tally.ts";
import { recordsIn } from "../../evals/report/document.ts";
import type { Store } from "../../ports/store.ts";

/** The cases to compare with: of an experiment in the store, or of a file that `--json` has printed. */
export async function baseCases(store: Store, base: string): Promise<readonly CaseScore[]> {
  const known = isRunId(base) ? await readTally(store, base) : undefined;
  if (known !== undefined && known.tally.trials > 0) return [...known.tally.cases()];
  if (existsSync(base)) return casesOf(recordsIn(readFileSync(base, "utf8"), base));
  throw new InvalidOptionError(
    `there is nothing to compare with: ${base} is no experiment in ${store.name}, and no file`,
    {
      hint: "Name an experiment by its --name, or a file that flujo eval --json has printed.",
    },
  );
}
