import type { Entry } from "../core/entries.ts";
import type { WatchedRun } from "../ports/instrument.ts";
import { TenureSpans } from "./tenure-spans.ts";
import type { ToldSpan } from "./told.ts";

const page = 500;

/** The tenure before one that resumes a run. */
export interface Former {
  /** Its span. */
  readonly id: string;
  /** What it left open, when its process ended without a word: told by its successor. */
  readonly lost: readonly ToldSpan[];
}

/** Reads the journal up to the entry numbered `before`. What the former tenure has told itself is not told again. */
export async function formerTenure(run: WatchedRun, before: number): Promise<Former | undefined> {
  let tenure: TenureSpans | undefined;
  let heard = 0;
  for await (const entry of entriesBefore(run, before)) {
    if (entry.type === "run-created" || entry.type === "run-resumed") {
      tenure = new TenureSpans(run);
    }
    tenure?.take(entry);
    if (!("of" in entry)) heard = entry.at; // its successor settles what it held: that is no sign of life
  }
  if (tenure === undefined) return undefined;
  return { id: tenure.id, lost: tenure.isOver ? [] : tenure.lost(heard) };
}

async function* entriesBefore({ runId, store }: WatchedRun, before: number): AsyncGenerator<Entry> {
  for (let from = 0; from < before; ) {
    const entries = (await store.read(runId, from, Math.min(page, before - from))) ?? [];
    if (entries.length === 0) return;
    yield* entries;
    from += entries.length;
  }
}
