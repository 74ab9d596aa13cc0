/** What is recorded, opened for a look: a store, or one run of it. */
import type { Command } from "commander";
import type { Entry } from "../../core/entries.ts";
import { UnknownRunError } from "../../core/errors.ts";
import { readJournal } from "../../lens/journal.ts";
import type { Store } from "../../ports/store.ts";
import { jsonOption, storeOption } from "../options.ts";
import { fullRunId } from "../run-id.ts";
import { readSettings } from "../settings.ts";
import { isThere, openKnown, openStore } from "../stores.ts";
import { say } from "../terminal.ts";

/** The flags of every look. */
export interface LookFlags {
  readonly store?: string;
  readonly json?: boolean;
}

/** Adds the options of every look. */
export const looking = (command: Command): Command =>
  command.addOption(storeOption()).addOption(jsonOption());

/** One recorded run. */
export interface Recorded {
  readonly store: Store;
  readonly runId: string;
  readonly entries: readonly Entry[];
}

/**
 * Hands a run to `look`, by the first characters of its id, and closes the store behind it.
 *
 * @throws UnknownRunError, InvalidRunIdError, CommandError when several runs begin so.
 */
export async function atRun<T>(
  name: string,
  flags: LookFlags,
  look: (run: Recorded) => Promise<T>,
): Promise<T> {
  const settings = await readSettings(flags);
  const store = await openKnown(settings.store, name);
  try {
    return await look(await readRun(store, name));
  } finally {
    await store.close();
  }
}

/** @throws as `atRun` */
export async function readRun(store: Store, name: string): Promise<Recorded> {
  const runId = await fullRunId(store, name);
  const entries = (await readJournal(store, runId)) ?? [];
  if (entries.length > 0) return { store, runId, entries };
  throw new UnknownRunError(`run ${runId} was given its id, and nothing else was recorded`, {
    runId,
    hint: "Its process died at the very beginning, before anything ran. Start it again with the same run id.",
  });
}

/** Hands the store to `look`, or gives `nothing` where there is none yet: looking makes nothing. */
export async function atStore<T>(
  flags: LookFlags,
  nothing: T,
  look: (store: Store) => Promise<T>,
): Promise<T> {
  const { store: uri } = await readSettings(flags);
  if (!isThere(uri)) return nothing;
  const store = typeof uri === "string" ? await openStore(uri) : uri;
  try {
    return await look(store);
  } finally {
    await store.close();
  }
}

/** Says that there is nothing to see, and where one may have meant to look. */
export async function sayEmpty(what: string, flags: LookFlags): Promise<void> {
  const { store } = await readSettings(flags);
  say(`There are ${what} in ${typeof store === "string" ? store : store.name}. Start one: flujo run FILE`);
  say("--store or FLUJO_STORE names another store; a relative path begins in the folder you are in.");
}
