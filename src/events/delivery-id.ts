import { createHash } from "node:crypto";
import type { Entry } from "../core/entries.ts";

/**
 * What an event is known by to the receivers of a sink. The moments are part of it: another store may have a run of the
 * same id, and whoever receives from both shall not take its events for repetitions.
 *
 * @param createdAt when the run was made, in milliseconds since 1970.
 */
export function deliveryId(sink: string, runId: string, createdAt: number, { seq, at }: Entry): string {
  const text = JSON.stringify([sink, runId, createdAt, seq, at]);
  return `evt_${createHash("sha256").update(text).digest("hex").slice(0, 32)}`;
}
