import { recordError, reviveError } from "../core/error-record.ts";
import type { Json } from "../core/json.ts";
import type { Path } from "../core/paths.ts";
import type { KnownText } from "../core/streamed.ts";
import { Interruption } from "./interruption.ts";
import { wholeOf } from "./said.ts";
import type { Tenure } from "./tenure.ts";
import { keep, keepHollow } from "./values.ts";

/** Whose operation it is. */
export interface Attempt {
  readonly tenure: Tenure;
  /** The attempt of the step around it. */
  readonly number: number;
  readonly freshFrom: number;
  /** Over: it timed out or ended, and what comes in late is not its any more. */
  readonly isOver: () => boolean;
}

/**
 * The one primitive: recorded? Return it. Otherwise work, and record the result in one append. `work` may put facts
 * of its own (a settlement) just before it returns: they go into the same append.
 *
 * A failure is recorded too, so that a body that catches it takes the same way when it runs again; the next attempt
 * of the step tries anew.
 *
 * @param known texts that the journal has already, asked for once the work is done: the result refers to them.
 */
export async function durable(
  attempt: Attempt,
  path: Path,
  kind: string,
  work: () => Promise<unknown>,
  known: () => readonly KnownText[] = none,
): Promise<Json> {
  const { tenure } = attempt;
  const { run, journal, world } = tenure;
  const done = run.completed.get(path);
  if (done !== undefined) return wholeOf(done, tenure);
  const failed = run.failures.get(path);
  if (failed !== undefined && failed.attempt === attempt.number && failed.seq > attempt.freshFrom) {
    throw reviveError(failed.error, tenure.runId);
  }
  const began = world.now();
  try {
    const kept = keepHollow(await tenure.operating(work()), `result of ${path}`, path, known);
    if (attempt.isOver()) throw Interruption.sibling();
    const took = world.now() - began;
    const { entry: output, texts } = kept;
    journal.put(
      { type: "operation-completed", path, kind, output, ...(texts === undefined ? {} : { texts }), took },
      kept.blob,
    );
    await journal.sync();
    return kept.json;
  } catch (error) {
    if (!(error instanceof Interruption) && !attempt.isOver()) {
      const record = recordError(error, path);
      journal.put({
        type: "operation-failed",
        path,
        kind,
        attempt: attempt.number,
        error: record,
        took: world.now() - began,
      });
    }
    throw error;
  }
}

const none = (): readonly KnownText[] => [];

/**
 * A choice, made once and recorded as an operation. Nobody waits for its entry: whatever follows from it is recorded
 * after it.
 */
export async function decided(attempt: Attempt, path: Path, choose: () => unknown): Promise<Json> {
  const { run, journal } = attempt.tenure;
  const done = run.completed.get(path);
  if (done !== undefined) return done.output;
  const kept = keep(choose(), `choice of ${path}`, path);
  journal.put(
    { type: "operation-completed", path, kind: "decision", output: kept.entry, took: 0 },
    kept.blob,
  );
  return kept.json;
}
