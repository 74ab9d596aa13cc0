import type { Command } from "commander";
import { type Fault, type Verification, verify } from "../../../lens/verify.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import { count } from "../../format.ts";
import { atStore, type LookFlags, looking } from "../../lens/recorded.ts";
import { type SelectionFlags, selecting, selectionOf } from "../../lens/selection.ts";
import { printable, redact, result, say } from "../../terminal.ts";

type Flags = LookFlags & SelectionFlags;

/** `flujo lens verify` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("verify")
    .description(
      "Whether what is recorded is sound: no entry missing, every value what its hash says, lists and shared budgets in accord with the journals.",
    );
  looking(selecting(command)).action(async (flags: Flags) => done(await check(flags)));
}

const nothing: Verification = { runs: 0, entries: 0, blobs: 0, accounts: 0, faults: [] };

/** @returns the exit code: failed when there is a fault. */
async function check(flags: Flags): Promise<number> {
  const found = await atStore(flags, nothing, (store) => verify(store, selectionOf(flags)));
  if (flags.json) await printJson(found);
  else {
    if (found.faults.length > 0)
      await result(`${redact(found.faults.map(faultText).map(printable).join("\n"))}\n`);
    const { runs, entries, blobs, accounts, faults } = found;
    const looked = [
      count(runs, "run"),
      `${entries.toLocaleString("en")} entries`,
      count(blobs, "value"),
      count(accounts, "shared budget"),
    ];
    say(`${faults.length === 0 ? "Sound" : count(faults.length, "fault")}: looked at ${looked.join(", ")}.`);
  }
  return found.faults.length === 0 ? exit.completed : exit.failed;
}

function faultText({ runId, seq, what }: Fault): string {
  if (runId === null) return what;
  return `run ${runId}${seq === null ? "" : `, entry ${seq}`}: ${what}`;
}
