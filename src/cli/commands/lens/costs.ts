import { type Command, Option } from "commander";
import { type Costs, costs, costsOfRun } from "../../../lens/costs.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import { costsText, type Group, groups } from "../../lens/costs-text.ts";
import { atRun, atStore, type LookFlags, looking, sayEmpty } from "../../lens/recorded.ts";
import {
  inTimeZone,
  type SelectionFlags,
  selecting,
  selectionOf,
  selectionText,
} from "../../lens/selection.ts";
import { result } from "../../terminal.ts";

interface Flags extends LookFlags, SelectionFlags {
  readonly by?: Group;
  readonly timeZone: string;
}

/** `flujo lens costs [RUN]` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("costs [run]")
    .description(
      "What a run, or the runs of a store, cost: by pipeline, step, model, day and shared budget. Sums are exact.",
    )
    .addOption(new Option("--by <what>", "only this table").choices(groups));
  looking(inTimeZone(selecting(command))).action(async (run: string | undefined, flags: Flags) =>
    done(await tell(run, flags)),
  );
}

async function tell(name: string | undefined, flags: Flags): Promise<number> {
  const found = await look(name, flags);
  if (flags.json) await printJson(found ?? nothing(flags));
  else if (found === undefined || found.runs === 0) await sayEmpty(`no ${selectionText(flags)}`, flags);
  else await result(`${costsText(found, flags.by === undefined ? [] : [flags.by])}\n`);
  return exit.completed;
}

function look(name: string | undefined, flags: Flags): Promise<Costs | undefined> {
  const { timeZone } = flags;
  if (name !== undefined)
    return atRun(name, flags, ({ store, entries }) => costsOfRun(store, entries, timeZone));
  return atStore(flags, undefined, (store) => costs(store, { ...selectionOf(flags), timeZone }));
}

const none = { costUsd: "0", inputTokens: 0, outputTokens: 0, calls: 0 };

/** Of a store that is not there yet. */
const nothing = ({ timeZone }: Flags): Costs => ({
  ...{ runs: 0, total: none, held: none, inDoubt: none },
  ...{ pipelines: [], steps: [], models: [], days: [], accounts: [], timeZone },
});
