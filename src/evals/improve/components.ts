import type { Path } from "../../core/paths.ts";
import type { Chance } from "./chance.ts";
import type { Improvable, ImprovablesDocument } from "./document.ts";
import type { Outcome } from "./laboratory.ts";

/** One value of the document that may change. */
export interface Component {
  readonly place: Path;
  readonly field: string;
  readonly improvable: Improvable;
}

/** What may change, in the order of the document. A text that is not given is one only where its place has no other. */
export const componentsOf = ({ places }: ImprovablesDocument): readonly Component[] =>
  Object.entries(places).flatMap(([place, fields]) => {
    const hasText = Object.values(fields).some(({ type, value }) => type === "text" && value !== undefined);
    return Object.entries(fields)
      .filter(
        ([, { mayChange, type, value }]) => mayChange && !(hasText && type === "text" && value === undefined),
      )
      .map(([field, improvable]) => ({ place, field, improvable }));
  });

/** Which component is changed next: each in turn at first, then rather those at which changes have helped. */
export class ComponentChoice {
  readonly #components: readonly Component[];
  readonly #tried = new Map<Component, number>();
  readonly #helped = new Map<Component, number>();

  constructor(components: readonly Component[]) {
    this.#components = components;
  }

  /**
   * @param failures what went wrong under the parent. A place that had no part in any of it has no fault in it: where
   *   traces are there, only places that they name are chosen from.
   */
  next(failures: readonly Outcome[], chance: Chance): Component {
    const involved = new Set(failures.flatMap(({ traces }) => Object.keys(traces)));
    const near = this.#components.filter(({ place }) => involved.has(place));
    const among = near.length > 0 ? near : this.#components;
    const rarest = Math.min(...among.map((one) => this.#tried.get(one) ?? 0));
    const fresh = among.filter((one) => (this.#tried.get(one) ?? 0) === rarest);
    const one = rarest < 1 ? (fresh[0] as Component) : chance.weighted(among.map((c) => [c, this.#worth(c)]));
    this.#tried.set(one, (this.#tried.get(one) ?? 0) + 1);
    return one;
  }

  /** A change of it has made a candidate better. */
  helped(component: Component): void {
    this.#helped.set(component, (this.#helped.get(component) ?? 0) + 1);
  }

  /** How often a change of it helps, as far as is known: what was tried seldom is taken for average. */
  #worth(component: Component): number {
    return ((this.#helped.get(component) ?? 0) + 1) / ((this.#tried.get(component) ?? 0) + 2);
  }
}
