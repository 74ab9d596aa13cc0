import { isBlobRef } from "../core/entries.ts";
import type { RunEvent } from "../core/events.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { decimalUsd } from "../core/limits.ts";
import { readable, readableJson } from "./readable.ts";

/** An event as plain JSON, for whoever follows a run from outside this process. */
export interface EventView extends JsonObject {
  readonly type: RunEvent["type"];
  /** From 0 within the run. */
  readonly seq: number;
  /** ISO date. */
  readonly at: string;
  /** `/` for the run itself. */
  readonly path: string;
}

/** Values become readable, and money says what it is in dollars, exactly: `costUsd` beside `picoUsd`. */
export function eventView(event: RunEvent): EventView {
  const fields: Record<string, Json> = {};
  for (const [name, value] of Object.entries(event)) if (value !== undefined) fields[name] = readable(value);
  if (event.type === "run-created") {
    fields.input = isBlobRef(event.input)
      ? { elsewhere: event.input.hash, size: event.input.size }
      : readableJson(event.input);
  }
  if ("picoUsd" in event) fields.costUsd = decimalUsd(event.picoUsd);
  return fields as EventView; // an event has these four
}
