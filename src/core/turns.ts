/** Whose turn it is, where more wants to be done than there is room for. */
import type { DispatchTerms } from "./dispatch.ts";

/** Something that waits for its turn. */
export interface Waiting<T> {
  readonly item: T;
  readonly terms: DispatchTerms;
}

/** What is under way, and what may be beside it. */
export interface Busy<T> {
  /** Runs under way, by tenant. */
  readonly byTenant: ReadonlyMap<string, number>;
  /** Whether one more may be, which is then counted as one that is. Default: whatever waits. */
  readonly fits?: (one: Waiting<T>) => boolean;
}

/** Runs of nobody in particular take turns with those of tenants, as one more of them. */
const nobody = "";

/**
 * The next ones, in order: those of the highest priority first; among these, tenants take turns, and whoever has least under
 * way comes first; of one tenant, whoever waits longest.
 *
 * @param waiting those that have waited longest come first.
 * @param room how many there is room for.
 */
export function nextInTurn<T>(
  waiting: readonly Waiting<T>[],
  room: number,
  { byTenant, fits = () => true }: Busy<T>,
): T[] {
  const counts = new Map(byTenant);
  const taken: T[] = [];
  const priorities = Map.groupBy(waiting, ({ terms }) => terms.priority ?? 0);
  for (const priority of [...priorities.keys()].sort((a, b) => b - a)) {
    const lines = Map.groupBy(priorities.get(priority) ?? [], ({ terms }) => terms.tenant ?? nobody);
    while (taken.length < room) {
      const tenant = leastBusy([...lines.keys()], counts);
      if (tenant === undefined) break;
      const line = lines.get(tenant) ?? [];
      const next = line.shift();
      if (line.length === 0) lines.delete(tenant);
      if (next === undefined || !fits(next)) continue;
      counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
      taken.push(next.item);
    }
  }
  return taken;
}

function leastBusy(tenants: readonly string[], counts: ReadonlyMap<string, number>): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const tenant of tenants) {
    const count = counts.get(tenant) ?? 0;
    if (count >= least) continue;
    best = tenant;
    least = count;
  }
  return best;
}
