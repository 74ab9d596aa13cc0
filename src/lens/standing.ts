/** How operations stand in their run, once all its entries are in. */

import { addSpent, decimalUsd } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import type { RunRecord } from "../core/run-record.ts";
import { spentOf } from "../core/spending.ts";
import { parentPath } from "./nesting.ts";
import type { Operation } from "./operations.ts";

/** Charges each reservation to its call and to everything around it. */
export function spend(run: RunRecord, found: ReadonlyMap<Path, Operation>): void {
  for (const { path, amount, kind, settled, doubt } of run.reservations.values()) {
    const charged = spentOf(settled ?? amount, kind);
    for (let at = path; at !== ""; at = parentPath(at)) {
      const operation = found.get(at);
      if (operation !== undefined) operation.spent = addSpent(operation.spent, charged);
    }
    const notes = found.get(path)?.notes;
    if (settled === undefined) {
      notes?.push(`${usd(amount.picoUsd)} is held for it: the most it can cost, until the call is settled.`);
    } else if (doubt) {
      notes?.push(
        `In doubt: nobody knows what the call cost, so all that was held for it counts (${usd(amount.picoUsd)}).`,
      );
    }
  }
}

/** How an operation stands in its run, with what is to be said of that. */
export function close(operation: Operation, run: RunRecord, found: ReadonlyMap<Path, Operation>): void {
  const { forkedFrom } = run.created ?? {};
  if (forkedFrom !== undefined && operation.kind === "model-call" && operation.model === undefined)
    operation.notes.push(
      `It is shared with run ${forkedFrom.runId}: what its model was sent, and what it cost, is recorded there.`,
    );
  const wasRunning = operation.status === "running";
  operation.status = statusIn(operation, run, found);
  const due = run.timers.get(operation.path);
  if (wasRunning && due !== undefined && (operation.status === "running" || operation.status === "waiting"))
    operation.notes.push(`It sleeps until ${new Date(due).toISOString()}.`);
}

/** What has no result yet is under way, or was stopped with the run. */
export function statusIn(
  { path, status }: Operation,
  run: RunRecord,
  found: ReadonlyMap<Path, Operation>,
): Operation["status"] {
  if (status === "waiting") return run.status === "waiting" || run.status === "running" ? status : "stopped";
  if (status !== "running") return status;
  const due = run.timers.get(path);
  const owner = found.get(parentPath(path));
  if (due !== undefined && (due <= run.updatedAt || owner?.status === "completed")) return "completed";
  if (run.status === "waiting" && due !== undefined) return "waiting";
  return run.status === "running" ? status : "stopped";
}

const usd = (pico: string): string => `$${decimalUsd(BigInt(pico))}`;
