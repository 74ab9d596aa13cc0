import { type Command, Option } from "commander";
import { fold } from "../../../core/fold.ts";
import type { ReplayOptions } from "../../../engine/replay/report.ts";
import { readJournal } from "../../../lens/journal.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import { loadOrigin } from "../../load/origin.ts";
import { jsonOption, ofRun } from "../../options.ts";
import { breaks, replayText } from "../../replay-text.ts";
import { bodiesChoices, bodiesHelp, replaying } from "../../replaying.ts";
import { fullRunId } from "../../run-id.ts";
import { readSettings } from "../../settings.ts";
import { openKnown } from "../../stores.ts";
import { result } from "../../terminal.ts";
import { type ForkFlags, fork } from "./fork.ts";

interface Flags extends Omit<ForkFlags, "at"> {
  readonly bodies: NonNullable<ReplayOptions["bodies"]>;
  readonly liveFrom?: string;
}

/** `flujo lens replay RUN` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("replay <run>")
    .description(
      "Walk a run again on its record, with the code of today: nothing is called, nothing is written. Exits with 1 when something differs.",
    )
    .addOption(new Option("--bodies <which>", bodiesHelp).choices(bodiesChoices).default("durable"))
    .option("--live-from <path>", "go on for real from there, as a new run: flujo lens fork --at PATH")
    .option("--run-id <id>", "the new run's id, with --live-from (default: a new one)");
  ofRun(command)
    .addOption(jsonOption())
    .action(async (run: string, flags: Flags) => done(await replay(run, flags)));
}

async function replay(name: string, flags: Flags): Promise<number> {
  if (flags.liveFrom !== undefined) return fork(name, { ...flags, at: flags.liveFrom });
  const settings = await readSettings(flags);
  const store = await openKnown(settings.store, name);
  try {
    const runId = await fullRunId(store, name);
    const run = fold((await readJournal(store, runId)) ?? []);
    const loaded = await loadOrigin(runId, run, `flujo lens replay ${runId}`, flags);
    await using flujo = replaying(loaded, store, settings);
    const report = await flujo.replay(runId, { bodies: flags.bodies });
    if (flags.json) await printJson(report);
    else await result(`${replayText(report)}\n`);
    return breaks(report) ? exit.failed : exit.completed;
  } finally {
    await store.close();
  }
}
