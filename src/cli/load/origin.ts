import { existsSync } from "node:fs";
import type { RunRecord } from "../../core/run-record.ts";
import { CommandError } from "../letter.ts";
import type { OriginFlags } from "../options.ts";
import { type Loaded, loadPipeline } from "./pipeline.ts";

/**
 * A run's pipeline, from where the run came from unless a file is named.
 *
 * @param command what to enter with a file's name, as `flujo resume r1`.
 * @throws CommandError when nobody knows where it is.
 */
export async function loadOrigin(
  runId: string,
  run: RunRecord,
  command: string,
  { file, export: name }: OriginFlags,
): Promise<Loaded> {
  const origin = run.created?.origin;
  if (file !== undefined) return loadPipeline(file, name ?? origin?.export);
  if (origin === undefined) {
    throw new CommandError(
      "cannot-load",
      `run ${runId} was started by a program, not by flujo run: which file its pipeline is in was not recorded`,
      `Name the file: ${command} --file FILE`,
    );
  }
  if (!existsSync(origin.file)) {
    throw new CommandError(
      "cannot-load",
      `the file run ${runId} came from is gone: ${origin.file}`,
      `Name where it is now: ${command} --file FILE`,
    );
  }
  return loadPipeline(origin.file, name ?? origin.export);
}
