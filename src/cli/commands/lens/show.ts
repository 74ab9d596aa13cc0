import type { Command } from "commander";
import { listingOf, runLine } from "../../../lens/list.ts";
import { show } from "../../../lens/show.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import { atRun, type LookFlags, looking, type Recorded } from "../../lens/recorded.ts";
import { showText } from "../../report.ts";
import { result } from "../../terminal.ts";

/** `flujo lens show RUN` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("show <run>")
    .description("Everything recorded in a run. The first characters of its id are enough.");
  looking(command).action(async (name: string, flags: LookFlags) =>
    done(await atRun(name, flags, (run) => showRun(run, flags))),
  );
}

/** Values of more characters are shown to people by their size. */
const mostShown = 100_000;

async function showRun(run: Recorded, { json }: LookFlags): Promise<number> {
  const { store, runId, entries } = run;
  const report = await show(runId, entries, async ({ hash, size }) =>
    json || size <= mostShown ? store.blob(hash) : undefined,
  );
  if (json) await printJson(report);
  else await result(`${showText(report, await advancedBy(run))}\n`);
  return exit.completed;
}

/** Who advances a run now, as far as the store knows. */
export async function advancedBy({ store, runId, entries }: Recorded): Promise<string | null> {
  const listing = await listingOf(store, runId, entries[0]?.at ?? 0);
  return listing === undefined ? null : runLine(listing, Date.now()).advancedBy;
}
