import { type Command, Option } from "commander";
import { runLine } from "../../../lens/list.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import { atStore, type LookFlags, looking, sayEmpty } from "../../lens/recorded.ts";
import { type SelectionFlags, selecting, selectionOf, selectionText } from "../../lens/selection.ts";
import { wholeNumber } from "../../options.ts";
import { listText } from "../../report.ts";
import { result } from "../../terminal.ts";

interface Flags extends LookFlags, SelectionFlags {
  readonly limit: number;
}

/** `flujo lens list` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("list")
    .description("The runs of a store, newest first.")
    .addOption(new Option("--limit <count>", "at most so many").default(100).argParser(wholeNumber(1)));
  looking(selecting(command)).action(async (flags: Flags) => done(await list(flags)));
}

async function list(flags: Flags): Promise<number> {
  const filter = { ...selectionOf(flags), limit: flags.limit };
  const now = Date.now();
  const runs = await atStore(flags, [], async (store) =>
    (await store.list(filter)).map((run) => runLine(run, now)),
  );
  if (flags.json) await printJson({ runs });
  else if (runs.length > 0) await result(`${listText(runs)}\n`);
  else await sayEmpty(`no ${selectionText(flags)}`, flags);
  return exit.completed;
}
