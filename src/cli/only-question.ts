import { SignalRefusedError } from "../core/errors.ts";
import type { RunRecord } from "../core/run-record.ts";
import { CommandError } from "./letter.ts";

/** The path of the one thing a run asks. @throws SignalRefusedError when it asks nothing, CommandError when it asks several. */
export function onlyQuestion(run: RunRecord, runId: string): string {
  const paths = run.waits.filter(({ kind }) => kind === "human").map(({ path }) => path);
  const [first] = paths;
  if (first === undefined)
    throw new SignalRefusedError("unasked", `run ${runId} asks nobody anything now`, { runId });
  if (paths.length === 1) return first;
  throw new CommandError(
    "usage",
    `run ${runId} asks several things: ${paths.join(", ")}`,
    "Write the path of the one you mean.",
  );
}
