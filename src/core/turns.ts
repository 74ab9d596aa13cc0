/** Whose turn it is, where more wants to be done than there is room for. */
import type { DispatchTerms } from "./dispatch.ts";

/** Something that waits for its turn. */
export interface Waiting<T> {
  readonly item: T;
  readonly terms: DispatchTerms;
}

/** What is under way, and how much of it there may be. */
export interface Busy {
  /** Runs under way, by tenant. */
  readonly byTenant: ReadonlyMap<string, number>;
  /** Runs of a tenant that may be under way at once. */
  readonly mostOf: (tenant: string) => number;
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
export function nextInTurn<T>(waiting: readonly Waiting<T>[], room: number, busy: Busy): T[] {
  const counts = new Map(busy.byTenant);
  const taken: T[] = [];
  const priorities = Map.groupBy(waiting, ({ terms }) => terms.priority ?? 0);
  for (const priority of [...priorities.keys()].sort((a, b) => b - a)) {
    const lines = Map.groupBy(priorities.get(priority) ?? [], ({ terms }) => terms.tenant ?? nobody);
    while (taken.length < room) {
      const tenant = leastBusy([...lines.keys()], counts, busy);
      if (tenant === undefined) break;
      const line = lines.get(tenant) ?? [];
      const next = line.shift();
      if (line.length === 0) lines.delete(tenant);
      if (next === undefined) continue;
      counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
      taken.push(next.item);
    }
  }
  return taken;
}

function leastBusy(
  tenants: readonly string[],
  counts: ReadonlyMap<string, number>,
  { mostOf }: Busy,
): string | undefined {
  let best: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const tenant of tenants) {
    const count = counts.get(tenant) ?? 0;
    if (count >= least || (tenant !== nobody && count >= mostOf(tenant))) continue;
    best = tenant;
    least = count;
  }
  return best;
}
