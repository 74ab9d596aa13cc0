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
  /** Which turn was the last one of a tenant, as {@link LastTurns} has it. Default: nobody has had one. */
  readonly lastTurns?: ReadonlyMap<string, number>;
  /** Whether one more may be, which is then counted as one that is. Default: whatever waits. */
  readonly fits?: (one: Waiting<T>) => boolean;
}

/** Runs of nobody in particular take turns with those of tenants, as one more of them. */
const nobody = "";

/** So many are remembered: whoever has had no turn for longer comes first in any case. */
const mostRemembered = 1_000;

/** When tenants had their last turns. */
export class LastTurns {
  readonly #turns = new Map<string, number>();
  #turn = 0;

  /** By tenant: later ones are higher. */
  get byTenant(): ReadonlyMap<string, number> {
    return this.#turns;
  }

  /** This is a tenant's turn, or that of nobody in particular. */
  take(tenant = nobody): void {
    this.#turn += 1;
    this.#turns.delete(tenant);
    this.#turns.set(tenant, this.#turn); // as the last one
    const [longestAgo = nobody] = this.#turns.keys();
    if (this.#turns.size > mostRemembered) this.#turns.delete(longestAgo);
  }
}

/**
 * The next ones, in order: those of the highest priority first; among these, tenants take turns: whoever has least under way comes
 * first, and of those that have as much, whose last turn is longest ago; of one tenant, whoever waits longest.
 *
 * @param waiting those that have waited longest come first.
 * @param room how many there is room for.
 */
export function nextInTurn<T>(
  waiting: readonly Waiting<T>[],
  room: number,
  { byTenant, lastTurns = new Map(), fits = () => true }: Busy<T>,
): T[] {
  const counts = new Map(byTenant);
  const turns = new Map(lastTurns);
  let turn = Math.max(0, ...turns.values());
  const taken: T[] = [];
  const priorities = Map.groupBy(waiting, ({ terms }) => terms.priority ?? 0);
  for (const priority of [...priorities.keys()].sort((a, b) => b - a)) {
    const lines = Map.groupBy(priorities.get(priority) ?? [], ({ terms }) => terms.tenant ?? nobody);
    while (taken.length < room) {
      const tenant = nextTenant([...lines.keys()], counts, turns);
      if (tenant === undefined) break;
      const line = lines.get(tenant) ?? [];
      const next = line.shift();
      if (line.length === 0) lines.delete(tenant);
      if (next === undefined || !fits(next)) continue;
      counts.set(tenant, (counts.get(tenant) ?? 0) + 1);
      turn += 1;
      turns.set(tenant, turn);
      taken.push(next.item);
    }
  }
  return taken;
}

/** The first of those that come before all others. */
function nextTenant(
  tenants: readonly string[],
  counts: ReadonlyMap<string, number>,
  turns: ReadonlyMap<string, number>,
): string | undefined {
  let best: string | undefined;
  let least: readonly [number, number] = [Number.POSITIVE_INFINITY, 0];
  for (const tenant of tenants) {
    const [count, turn] = [counts.get(tenant) ?? 0, turns.get(tenant) ?? 0];
    if (count > least[0] || (count === least[0] && turn >= least[1])) continue;
    best = tenant;
    least = [count, turn];
  }
  return best;
}

/**
 * Those whose turn it is though something else fills all the room there is, as it comes: of the highest priority, and of each tenant as
 * many as it has fewer under way than another one, and fewer than its part of the room.
 *
 * @param capacity how many may be under way at once.
 */
export function passedOver<T>(waiting: readonly Waiting<T>[], capacity: number, busy: Busy<T>): T[] {
  const priorities = Map.groupBy(waiting, ({ terms }) => terms.priority ?? 0);
  const first = priorities.get(Math.max(...priorities.keys())) ?? [];
  const lines = Map.groupBy(first, ({ terms }) => terms.tenant ?? nobody);
  const { byTenant } = busy;
  const part = Math.ceil(capacity / new Set([...lines.keys(), ...byTenant.keys()]).size);
  const due = [...lines].flatMap(([tenant, line]) => {
    const others = [...byTenant].flatMap(([other, count]) => (other === tenant ? [] : [count]));
    const fewer = Math.min(part, Math.max(0, ...others)) - (byTenant.get(tenant) ?? 0);
    return line.slice(0, Math.max(0, fewer));
  });
  return nextInTurn(due, due.length, busy);
}
