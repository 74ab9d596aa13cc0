import type { Command } from "commander";
import { type Stats, stats } from "../../../lens/stats.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import { atStore, type LookFlags, looking, sayEmpty } from "../../lens/recorded.ts";
import {
  inTimeZone,
  type SelectionFlags,
  selecting,
  selectionOf,
  selectionText,
} from "../../lens/selection.ts";
import { statsText } from "../../lens/stats-text.ts";
import { result } from "../../terminal.ts";

interface Flags extends LookFlags, SelectionFlags {
  readonly timeZone: string;
}

/** `flujo lens stats` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("stats")
    .description(
      "How runs go: how many complete, how long they, their steps and models take, and what they cost.",
    );
  looking(inTimeZone(selecting(command))).action(async (flags: Flags) => done(await tell(flags)));
}

async function tell(flags: Flags): Promise<number> {
  const { timeZone } = flags;
  const nothing: Stats = { runs: 0, pipelines: [], steps: [], models: [], days: [], timeZone };
  const found = await atStore(flags, nothing, (store) => stats(store, { ...selectionOf(flags), timeZone }));
  if (flags.json) await printJson(found);
  else if (found.runs === 0) await sayEmpty(`no ${selectionText(flags)}`, flags);
  else await result(`${statsText(found)}\n`);
  return exit.completed;
}
