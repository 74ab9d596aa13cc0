import type { Command } from "commander";
import { type VersionView, versions } from "../../../lens/versions.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import { tableText } from "../../format.ts";
import { releaseText } from "../../lens/diff-text.ts";
import { atStore, type LookFlags, looking, sayEmpty } from "../../lens/recorded.ts";
import { type SelectionFlags, selecting, selectionOf, selectionText } from "../../lens/selection.ts";
import { clock } from "../../report.ts";
import { redact, result } from "../../terminal.ts";

type Flags = LookFlags & SelectionFlags;

/** `flujo lens versions` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("versions")
    .description(
      "The versions of pipelines that runs belong to, latest first. flujo lens diff compares two of them.",
    );
  looking(selecting(command)).action(async (flags: Flags) => done(await tell(flags)));
}

async function tell(flags: Flags): Promise<number> {
  const found = await atStore(flags, [], (store) => versions(store, selectionOf(flags)));
  if (flags.json) await printJson({ versions: found });
  else if (found.length === 0) await sayEmpty(`no ${selectionText(flags)}`, flags);
  else await result(`${redact(versionsText(found))}\n`);
  return exit.completed;
}

function versionsText(found: readonly VersionView[]): string {
  const head = ["PIPELINE", "VERSION", "RUNS", "UNFINISHED", "FIRST RUN", "LAST RUN", "PACKAGE AND COMMIT"];
  const over = found.some(({ overlay }) => overlay !== undefined) ? ["UNDER AN OVERLAY OF"] : [];
  const rows = found.map(
    ({ pipeline, fingerprint, runs, unfinished, firstAt, lastAt, releases, overlay }) => [
      ...[pipeline, fingerprint, String(runs), String(unfinished), clock(firstAt), clock(lastAt)],
      releases.map(releaseText).join(", "),
      ...(over.length === 0 ? [] : [overlay?.join(", ") ?? ""]),
    ],
  );
  return tableText([[...head, ...over], ...rows]);
}
