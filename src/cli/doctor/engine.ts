import type { Dispatcher } from "../../ports/dispatcher.ts";
import { openEngine } from "../engines.ts";
import { type Finding, findingsOn, looked } from "./finding.ts";

/**
 * Looks at what hands runs to workers, and changes nothing there.
 *
 * @throws InvalidOptionError for a URI that names none.
 */
export async function engine(uri: string | Dispatcher): Promise<Finding[]> {
  if (typeof uri !== "string")
    return [findingsOn("engine").fine(`${uri.name}: one of your own, which it does not know how to look at`)];
  if (/^postgres(ql)?:/.test(uri))
    return looked("pg-boss", async () => (await import("./pg-boss.ts")).pgBoss(uri));
  if (/^rediss?:/.test(uri)) return looked("bullmq", async () => (await import("./bullmq.ts")).bullmq(uri));
  if (/^restates?:/.test(uri))
    return looked("restate", async () => (await import("./restate.ts")).restate(uri));
  await openEngine(uri, "submitter"); // which says what it takes
  return [];
}
