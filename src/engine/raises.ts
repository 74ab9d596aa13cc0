/** Limits of a run that are raised while it runs, or between its owners: sent as a message, recorded once. */
import { InvalidOptionError } from "../core/errors.ts";
import { isJsonObject, type Json } from "../core/json.ts";
import { type Limits, raised } from "../core/limits.ts";
import { isEnded, type RunRecord } from "../core/run-record.ts";
import { checkedScope } from "../core/scopes.ts";
import type { Signal, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { ended, runItself } from "./cancel.ts";
import type { Journal } from "./journal.ts";
import { load } from "./load.ts";
import { whileOwning } from "./while-owning.ts";

/** A message that raises limits by so much each. */
export interface Raise {
  readonly id: string;
  readonly by: Limits;
}

/** The raises among a run's messages, recorded ones included. */
export function raisesIn(signals: readonly Signal[]): Raise[] {
  return signals.flatMap(({ id, path, data }) => {
    const by = path === runItself && isJsonObject(data) ? data.raise : undefined;
    return isJsonObject(by) ? [{ id, by: by as Limits }] : []; // as topUpRun sent it
  });
}

/** Records, with the next commit, the raises that are not recorded yet. Returns the limits then. */
export async function applyRaises(journal: Journal, store: Store, runId: string): Promise<Limits> {
  let { limits } = journal.run;
  for (const { id, by } of raisesIn(await store.signals(runId))) {
    if (journal.run.raises.has(id)) continue;
    limits = raised(limits, by) ?? limits;
    journal.put({ type: "budget-raised", by: id, limits });
  }
  return limits;
}

/**
 * Raises the limits of a run, whoever advances it. An owner in another process notices within a second; of a run that
 * nobody advances it is recorded at once, and whoever resumes it goes on with the new limits.
 *
 * @returns whether it is recorded, or its owner was told.
 * @throws UnknownRunError, RunEndedError; InvalidOptionError when the run has no such limit.
 */
export async function topUpRun(
  store: Store,
  world: World,
  runId: string,
  by: Limits,
): Promise<"recorded" | "told"> {
  const run = await load(store, runId);
  if (isEnded(run)) throw ended(runId, run.status);
  refuseUnlimited(run, by, runId);
  const data = { raise: by as unknown as Json }; // limits are JSON
  await store.send(runId, { id: `raise-${world.id()}`, path: runItself, data, at: world.now() });
  const { outcome } = await whileOwning(store, world, runId, async (journal) => {
    if (isEnded(journal.run)) throw ended(runId, journal.run.status);
    await applyRaises(journal, store, runId);
  });
  return outcome === "granted" ? "recorded" : "told";
}

function refuseUnlimited({ limits }: RunRecord, by: Limits, runId: string): void {
  if (raised(limits, by) !== undefined) return;
  const standing = Object.keys(limits).map((kind) => (kind === "picoUsd" ? "cost" : kind));
  throw new InvalidOptionError(
    `run ${runId} has no such limit: ${standing.length > 0 ? `it limits ${standing.join(", ")}` : "it has none"}`,
    { runId, hint: "What is not limited needs no raising. A limit of a place is raised in the pipeline." },
  );
}

/**
 * Raises the limits of a shared budget by so much each.
 *
 * @throws InvalidOptionError when it has no such limit.
 */
export async function topUpScope(store: Store, scope: string, by: Limits): Promise<void> {
  const answer = await store.ledger({ kind: "amend", scope: checkedScope(scope), raise: by });
  if (answer.outcome !== "unlimited") return;
  throw new InvalidOptionError(`the shared budget ${scope} has no such limit to raise`, {
    hint: `flujo budget show '${scope}' shows its limits; flujo budget set '${scope}' makes new ones.`,
  });
}
