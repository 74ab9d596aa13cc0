import type { EntryType } from "../core/entries.ts";
import type { Store } from "../ports/store.ts";
import { cursors } from "./cursor.ts";
import { deadLetters } from "./dead-letter.ts";

/** What lies in the outbox of a store, as `flujo outbox list --json` prints it. */
export interface Undelivered {
  readonly waiting: readonly Waiting[];
  readonly dead: readonly Dead[];
}

/** A run whose events a sink has not been told to the end. */
export interface Waiting {
  readonly sink: string;
  readonly runId: string;
  /** The number of the first entry not told yet. */
  readonly seq: number;
  /** Tries of it that have failed, and why the last one did. */
  readonly attempts: number;
  readonly why: string | null;
  /** When it is tried next, by whoever looks then. */
  readonly dueAt: string | null;
}

/** An event that was given up. */
export interface Dead {
  readonly id: string;
  readonly sink: string;
  readonly runId: string;
  readonly seq: number;
  readonly type: EntryType;
  readonly path: string;
  readonly attempts: number;
  readonly at: string;
  readonly why: string;
}

/** Looks through the outbox: a read for each run that has not ended, since only its journal knows whether there is more. */
export async function undeliveredIn(store: Store): Promise<Undelivered> {
  const waiting: Waiting[] = [];
  for await (const { sink, runId, cursor } of cursors(store)) {
    const { next, failing } = cursor;
    const ahead = failing === undefined ? await store.read(runId, next, 1) : [];
    if (failing === undefined && (ahead ?? []).length === 0) continue;
    const { attempts = 0, why = null, due } = failing ?? {};
    waiting.push({ sink, runId, seq: next, attempts, why, dueAt: isoOf(due) });
  }
  const dead: Dead[] = [];
  for await (const { id, sink, runId, seq, type, path, attempts, at, why } of deadLetters(store)) {
    dead.push({ id, sink, runId, seq, type, path, attempts, at: new Date(at).toISOString(), why });
  }
  return { waiting, dead };
}

const isoOf = (ms: number | undefined): string | null =>
  ms === undefined ? null : new Date(ms).toISOString();

/** Runs with events in the outbox, waiting or given up. */
export async function untoldRuns(store: Store): Promise<ReadonlySet<string>> {
  const { waiting, dead } = await undeliveredIn(store);
  return new Set([...waiting, ...dead].map(({ runId }) => runId));
}
