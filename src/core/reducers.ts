/** Ready-made reducers: how concurrent changes of one state field become one value. */

/**
 * Lists: what each branch added behind the common beginning, in declared order.
 *
 * ```ts
 * pipeline("p", step("s", (n: number) => n), { reducers: { log: concat } });
 * ```
 */
export function concat<T>(
  current: readonly T[] = [],
  incoming: readonly T[] = [],
  base: readonly T[] = [],
): T[] {
  return [...current, ...incoming.slice(base.length)];
}

/**
 * Numbers: what each branch added, together. A field that is not there counts as 0.
 *
 * ```ts
 * pipeline("p", step("s", (n: number) => n), { reducers: { total: sum } });
 * ```
 */
export function sum(current = 0, incoming = 0, base = 0): number {
  return current + incoming - base;
}

/**
 * Lists and sets as sets: everything any branch has.
 *
 * ```ts
 * pipeline("p", step("s", (n: number) => n), { reducers: { tags: union } });
 * ```
 */
export function union<T, C extends readonly T[] | ReadonlySet<T>>(current: C, incoming: C): C {
  const all = new Set<T>([...((current as Iterable<T>) ?? []), ...((incoming as Iterable<T>) ?? [])]);
  return (Array.isArray(incoming) ? [...all] : all) as unknown as C; // the same kind of collection it was given
}

/**
 * The last branch in declared order that changed the field.
 *
 * ```ts
 * pipeline("p", step("s", (n: number) => n), { reducers: { verdict: lastWins } });
 * ```
 */
export function lastWins<T>(_current: T, incoming: T): T {
  return incoming;
}
