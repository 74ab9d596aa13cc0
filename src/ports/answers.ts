import { decode } from "../core/codec.ts";
import type { Path } from "../core/paths.ts";
import { check, type Schema } from "../core/schema.ts";
import type { Signal } from "./store.ts";

/**
 * The answer that counts among those sent to a question: the first that fits, and was in time.
 *
 * @param closed from when on none is taken, in milliseconds since 1970.
 */
export async function firstAnswer(
  signals: readonly Signal[],
  to: Path,
  schema: Schema,
  closed?: number,
): Promise<Signal | undefined> {
  for (const signal of signals) {
    if (signal.path !== to || (closed !== undefined && signal.at >= closed)) continue;
    if ((await check(schema, decode(signal.data))).ok) return signal;
  }
  return undefined;
}
