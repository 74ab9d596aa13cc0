import type { Command } from "commander";
import { diffRuns } from "../../../lens/diff.ts";
import { trace } from "../../../lens/trace.ts";
import { diffVersions } from "../../../lens/versions.ts";
import type { Store } from "../../../ports/store.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import { runDiffText, versionDiffText } from "../../lens/diff-text.ts";
import { type LookFlags, looking, readRun } from "../../lens/recorded.ts";
import { knownVersion, versionNamed } from "../../lens/version-name.ts";
import { readSettings } from "../../settings.ts";
import { openKnown } from "../../stores.ts";
import { result } from "../../terminal.ts";

/** `flujo lens diff A B` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("diff <a> <b>")
    .description(
      "Two runs, step by step: inputs, outputs, messages, costs. Or two versions, by their fingerprints: prompts, models, settings, and how their runs fared.",
    );
  looking(command).action(async (a: string, b: string, flags: LookFlags) => done(await diff(a, b, flags)));
}

async function diff(a: string, b: string, flags: LookFlags): Promise<number> {
  const settings = await readSettings(flags);
  const store = await openKnown(settings.store, a);
  try {
    await ((await isRun(store, a)) ? tellRuns(store, a, b, flags) : tellVersions(store, a, b, flags));
    return exit.completed;
  } finally {
    await store.close();
  }
}

/** A name that begins both a run's id and a fingerprint means the run. */
async function isRun(store: Store, name: string): Promise<boolean> {
  if ((await store.list({ idPrefix: name, limit: 1 })).length > 0) return true;
  return (await versionNamed(store, name)) === undefined; // then a run is missed, and said to be
}

async function tellRuns(store: Store, a: string, b: string, { json }: LookFlags): Promise<void> {
  const [first, second] = [await readRun(store, a), await readRun(store, b)];
  const traced = async ({ runId, entries }: typeof first) =>
    trace(runId, entries, ({ hash }) => store.blob(hash));
  const found = await diffRuns(await traced(first), await traced(second));
  if (json) await printJson(found);
  else await result(`${runDiffText(found)}\n`);
}

async function tellVersions(store: Store, a: string, b: string, { json }: LookFlags): Promise<void> {
  const found = await diffVersions(store, await knownVersion(store, a), await knownVersion(store, b));
  if (json) await printJson(found);
  else await result(`${versionDiffText(found)}\n`);
}
