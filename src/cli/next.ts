/** What a person may enter next. */
import type { Store } from "../ports/store.ts";

/** Where a run is, as the next command has to be told. */
export interface Whereabouts {
  readonly runId: string;
  readonly store: Store;
  /** The value of `--store`, if it was given: the next command needs it, too. */
  readonly flag: string | undefined;
}

/** `flujo resume r1 --store file:runs`; nothing where the run is gone with this process. */
export function resumeCommand({ runId, store, flag }: Whereabouts): string | undefined {
  if (store.durability === "volatile") return undefined;
  return `flujo resume ${runId}${flag === undefined ? "" : ` --store ${shellWord(flag)}`}`;
}

/** Said instead of it. */
export const keptInMemory =
  "It was kept in memory only and is gone. Choose a store to be able to resume: --store sqlite:.flujo/flujo.db";

const shellWord = (text: string): string =>
  /^[\w:./@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
