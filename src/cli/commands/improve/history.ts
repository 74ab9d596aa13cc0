import type { Command } from "commander";
import { placeIn } from "../../../core/overlay.ts";
import { historyOf, type OverlayEntry, patchesInForce } from "../../../evals/improve/overlay-file.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import { tableText } from "../../format.ts";
import type { PipelineFlags } from "../../improve/only-pipeline.ts";
import { aboutPipeline, overlaidPipeline } from "../../improve/overlay.ts";
import { jsonOption } from "../../options.ts";
import { clock } from "../../report.ts";
import { result } from "../../terminal.ts";

interface Flags extends PipelineFlags {
  readonly json?: boolean;
}

/** `flujo improve history` */
export function declare(improve: Command, done: (exitCode: number) => void): void {
  const command = improve
    .command("history")
    .description("What was put in force over a pipeline and taken back, from the oldest on.")
    .addOption(jsonOption());
  aboutPipeline(command).action(async (flags: Flags) => done(await history(flags)));
}

async function history({ json, ...flags }: Flags): Promise<number> {
  const { name, path, file } = await overlaidPipeline(flags);
  const entries = historyOf(file, name);
  const inForce = patchesInForce(file, name).map(({ id }) => id);
  if (json) await printJson({ pipeline: name, file: path, inForce, history: entries });
  else if (entries.length === 0) await result(`Nothing was ever in force over "${name}".\n`);
  else {
    const head = ["WHEN", "WHAT", "PATCH", "GAIN", "CHANGES", ""];
    const last = lastApplied(entries, inForce);
    await result(`${tableText([head, ...entries.map((entry, i) => row(entry, last.has(i)))])}\n`);
  }
  return exit.completed;
}

/** Which entries have put in force what is so now. */
function lastApplied(entries: readonly OverlayEntry[], inForce: readonly string[]): ReadonlySet<number> {
  const isOf = (id: string) => (entry: OverlayEntry) => entry.kind === "applied" && entry.patch.id === id;
  return new Set(inForce.map((id) => entries.findLastIndex(isOf(id))));
}

function row(entry: OverlayEntry, isInForce: boolean): string[] {
  if (entry.kind === "reverted") return [clock(entry.at), entry.kind, entry.id, "", "", ""];
  const { id, patch, evidence } = entry.patch;
  const gain = evidence === undefined ? "" : evidence.promotion.difference.mean.toFixed(3);
  const changes = patch
    .filter(({ op }) => op !== "test")
    .map(({ path }) => placeIn(path).toReversed().join(" of "))
    .join(", ");
  return [clock(entry.at), entry.kind, id, gain, changes, isInForce ? "in force" : ""];
}
