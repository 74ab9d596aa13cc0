/** Entries as log records: what happened, where, and in which span. */
import type { Context } from "@opentelemetry/api";
import { type Logger, SeverityNumber } from "@opentelemetry/api-logs";
import type { Entry } from "../core/entries.ts";
import { momentOf } from "./attributes.ts";
import { own } from "./conventions.ts";

const errors: ReadonlySet<string> = new Set(["run-failed", "run-halted", "compensation-failed"]);
const warnings: ReadonlySet<string> = new Set([
  "step-failed",
  "operation-failed",
  "retry-scheduled",
  "fallback-taken",
  "failure-collected",
  "budget-breached",
  "budget-threshold",
]);

/** Writes one; the pieces of a streamed answer are none. */
export function writeRecord(logger: Logger, entry: Entry, runId: string, context: Context): void {
  const { type, seq, at } = entry;
  if (type === "text-streamed") return;
  const [severityNumber, severityText] = errors.has(type)
    ? [SeverityNumber.ERROR, "ERROR"]
    : warnings.has(type)
      ? [SeverityNumber.WARN, "WARN"]
      : [SeverityNumber.INFO, "INFO"];
  const path = "path" in entry ? ` ${entry.path}` : "";
  logger.emit({
    eventName: `flujo.${type}`,
    timestamp: at,
    observedTimestamp: at,
    severityNumber,
    severityText,
    body: `${type}${path}`,
    attributes: { ...momentOf(entry), [own.run]: runId, [own.event]: type, [own.seq]: seq },
    context,
  });
}
