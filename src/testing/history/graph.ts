/** What must have come before what: a history fits some order of its calls when that goes in no circle. */

/** An edge: `to` came after `from`, and how one knows. */
interface Edge {
  readonly to: number;
  readonly why: string;
}

export class Graph {
  readonly #edges: Edge[][];

  constructor(size: number) {
    this.#edges = Array.from({ length: size }, () => []);
  }

  /** `from` came before `to`. Of one call that says nothing. */
  add(from: number, to: number, why: string): void {
    if (from !== to) this.#edges[from]?.push({ to, why });
  }

  /** A circle, as short as any through its first call; undefined where there is none. */
  circle(): readonly { readonly from: number; readonly why: string }[] | undefined {
    const knot = this.#knot();
    return knot === undefined ? undefined : this.#shortest(knot);
  }

  /** Calls each of which comes before each other; the first such set that Tarjan's algorithm closes. */
  #knot(): ReadonlySet<number> | undefined {
    const order = new Map<number, number>();
    const lowest = new Map<number, number>();
    const open: number[] = [];
    const isOpen = new Set<number>();
    for (let root = 0; root < this.#edges.length; root++) {
      if (order.has(root)) continue;
      const path: { readonly at: number; next: number }[] = [];
      const enter = (at: number): void => {
        order.set(at, order.size);
        lowest.set(at, order.get(at) as number); // just set
        open.push(at);
        isOpen.add(at);
        path.push({ at, next: 0 });
      };
      const lower = (at: number, to: number): void =>
        void lowest.set(at, Math.min(lowest.get(at) as number, to)); // both have been entered
      enter(root);
      for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
        const { at } = top;
        const edge = this.#edges[at]?.[top.next++];
        if (edge !== undefined) {
          if (!order.has(edge.to)) enter(edge.to);
          else if (isOpen.has(edge.to)) lower(at, order.get(edge.to) as number); // as above
          continue;
        }
        path.pop();
        const above = path.at(-1);
        if (above !== undefined) lower(above.at, lowest.get(at) as number);
        if (lowest.get(at) !== order.get(at)) continue;
        const knot = open.splice(open.indexOf(at));
        for (const one of knot) isOpen.delete(one);
        if (knot.length > 1) return new Set(knot);
      }
    }
    return undefined;
  }

  /** The shortest way from the first of a knot back to itself. */
  #shortest(knot: ReadonlySet<number>): { from: number; why: string }[] {
    const [first = 0] = knot;
    const reached = new Map<number, { readonly from: number; readonly why: string }>();
    const queue = [first];
    for (const at of queue) {
      for (const { to, why } of this.#edges[at] ?? []) {
        if (!knot.has(to) || reached.has(to)) continue;
        reached.set(to, { from: at, why });
        queue.push(to);
      }
    }
    const way: { from: number; why: string }[] = [];
    for (let at = first; way.length === 0 || at !== first; ) {
      const step = reached.get(at) as { from: number; why: string }; // all of a knot are reached
      way.unshift(step);
      at = step.from;
    }
    return way;
  }
}
