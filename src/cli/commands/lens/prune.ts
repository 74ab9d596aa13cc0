import { type Command, InvalidArgumentError, Option } from "commander";
import { type Duration, milliseconds } from "../../../core/duration.ts";
import type { RunStatus } from "../../../core/run-record.ts";
import { closeCursor, cursors } from "../../../events/cursor.ts";
import { deadLetters, dropLetter } from "../../../events/dead-letter.ts";
import { untoldRuns } from "../../../events/undelivered.ts";
import { type Pruned, prunable, prune } from "../../../lens/prune.ts";
import { nodeWorld } from "../../../node-world.ts";
import type { Store } from "../../../ports/store.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import { count, tableText } from "../../format.ts";
import { atStore, type LookFlags, looking } from "../../lens/recorded.ts";
import { CommandError } from "../../letter.ts";
import { pipelineOption } from "../../options.ts";
import { clock } from "../../report.ts";
import { redact, result, say } from "../../terminal.ts";

interface Flags extends LookFlags {
  readonly olderThan?: number;
  readonly status?: readonly RunStatus[];
  readonly pipeline?: string;
  readonly yes?: boolean;
  readonly force?: boolean;
}

/** Runs that are over for good: those that failed or halted may yet be gone on with. */
const overForGood: readonly RunStatus[] = ["completed", "cancelled"];

/** `flujo lens prune` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("prune")
    .description("Remove old runs that are over. Without --yes it only says which.")
    .addOption(new Option("--older-than <time>", "those whose last entry is older: 30d, 12h").argParser(age))
    .addOption(
      new Option(
        "--status <status...>",
        "only those that stand so (default: completed and cancelled)",
      ).choices(prunable),
    )
    .addOption(pipelineOption())
    .option("--force", "also runs whose events a sink has not been told")
    .option("--yes", "remove them");
  looking(command).action(async (flags: Flags) => done(await remove(flags)));
}

function age(text: string): number {
  try {
    return milliseconds(text as Duration); // it is looked at there
  } catch {
    throw new InvalidArgumentError("Write a number and a unit: 30d, 12h, 90m.");
  }
}

const nothing: Pruned = { isDry: true, runs: [], kept: [], values: 0 };

async function remove(flags: Flags): Promise<number> {
  const { olderThan, status = overForGood, pipeline, yes = false, force = false } = flags;
  if (olderThan === undefined)
    throw new CommandError(
      "usage",
      "nobody says how old the runs must be",
      "Write --older-than 30d, or --older-than 0s for any age.",
    );
  const world = nodeWorld();
  const pruned = await atStore(flags, nothing, async (store) => {
    const untold = force ? new Set<string>() : await untoldRuns(store);
    const found = await prune(store, {
      ...{ status, before: world.now() - olderThan, isDry: !yes, owner: world.owner, now: world.now },
      ...(pipeline === undefined ? {} : { pipeline }),
      reasonToKeep: (runId) =>
        untold.has(runId) ? "a sink has not been told all its events (--force removes it)" : undefined,
    });
    if (yes && force) await forgetDeliveries(store, new Set(found.runs.map(({ runId }) => runId)));
    return found;
  });
  if (flags.json) await printJson(pruned);
  else await tell(pruned);
  return exit.completed;
}

/** What was to be delivered of runs that are no more. */
async function forgetDeliveries(store: Store, gone: ReadonlySet<string>): Promise<void> {
  for await (const standing of cursors(store))
    if (gone.has(standing.runId)) await closeCursor(store, standing);
  for await (const letter of deadLetters(store)) if (gone.has(letter.runId)) await dropLetter(store, letter);
}

/** Runs that are listed. */
const mostShown = 50;

async function tell({ isDry, runs, kept, values }: Pruned): Promise<void> {
  if (runs.length > 0) {
    const rows = runs
      .slice(0, mostShown)
      .map(({ runId, status, pipeline, updatedAt }) => [runId, status, pipeline, clock(updatedAt)]);
    await result(`${redact(tableText([["RUN", "STATUS", "PIPELINE", "LAST ENTRY"], ...rows]))}\n`);
  }
  if (runs.length > mostShown)
    say(`… and ${(runs.length - mostShown).toLocaleString("en")} more: --json has them all`);
  for (const { runId, why } of kept) say(`kept ${runId}: ${why}`);
  if (runs.length === 0) say("There is nothing to remove.");
  else if (isDry) say(`${count(runs.length, "run")} would be removed. Nothing was: --yes removes them.`);
  else say(`${count(runs.length, "run")} removed, and ${count(values, "value")} that only they referred to.`);
}
