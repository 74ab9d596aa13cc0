import { existsSync, readFileSync } from "node:fs";
import { InvalidOptionError } from "../../core/errors.ts";
import { isRunId } from "../../core/paths.ts";
import type { TrialRecord } from "../../evals/experiment/record.ts";
import { readExperiment } from "../../evals/experiment/results.ts";
import { recordsIn } from "../../evals/report/document.ts";
import type { Store } from "../../ports/store.ts";

/** The records to compare with: of an experiment in the store, or of a file that `--json` has printed. */
export async function baseRecords(store: Store, base: string): Promise<readonly TrialRecord[]> {
  const known = isRunId(base) ? await readExperiment(store, base) : undefined;
  if (known !== undefined && known.records.length > 0) return known.records;
  if (existsSync(base)) return recordsIn(readFileSync(base, "utf8"), base);
  throw new InvalidOptionError(
    `there is nothing to compare with: ${base} is no experiment in ${store.name}, and no file`,
    {
      hint: "Name an experiment by its --name, or a file that flujo eval --json has printed.",
    },
  );
}
