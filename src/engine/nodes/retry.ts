import { FlujoError, ModelCallError } from "../../core/errors.ts";
import { nameOf, type RetryNode, type RetryTerms } from "../../core/node.ts";
import { childPath } from "../../core/paths.ts";
import type { Frame } from "../frame.ts";
import { Interruption } from "../interruption.ts";
import type { Value } from "../values.ts";

/** Tries again, after a recorded wait. Each try sees the state as it was; finished operations are not repeated. */
export async function advanceRetry(node: RetryNode, input: Value, frame: Frame): Promise<Value> {
  const { tenure, state, stop } = frame;
  const path = childPath(frame.path, nameOf(node.of));
  const before = state.current;
  for (;;) {
    const past = (tenure.run.retries.get(path) ?? []).filter((retry) => retry.seq > frame.freshFrom);
    const last = past.at(-1);
    if (last !== undefined && last.due > tenure.world.now()) await tenure.rest(last.due, stop);
    try {
      return await frame.advance(
        node.of,
        input,
        last === undefined ? frame : { ...frame, freshFrom: last.seq },
      );
    } catch (error) {
      if (error instanceof Interruption) throw error;
      stop.check();
      state.current = before;
      const attempt = past.length + 1;
      if (attempt >= node.attempts || !isWorthTrying(node, error)) throw error;
      const due = tenure.world.now() + waitMs(node, attempt, error, () => tenure.world.random());
      tenure.journal.put({ type: "retry-scheduled", path, attempt, due });
      await tenure.journal.sync();
    }
  }
}

/** Whether an error calls for another try. */
export function isWorthTrying(terms: RetryTerms, error: unknown): boolean {
  if (terms.when !== undefined)
    return terms.when(error instanceof FlujoError && error.cause ? error.cause : error);
  return !FlujoError.isInstance(error) || error.retryable;
}

/** Exponential backoff with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015). */
export function waitMs(terms: RetryTerms, attempt: number, error: unknown, random: () => number): number {
  const longest = Math.min(terms.maxBackoffMs, terms.backoffMs * terms.factor ** (attempt - 1));
  const asked = error instanceof ModelCallError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(asked, Math.round(terms.jitter ? longest * random() : longest));
}
