import type { Json, JsonObject } from "../../core/json.ts";
import { equal } from "../../core/state.ts";
import { fieldsAt, withValue } from "./candidate.ts";
import type { Component } from "./components.ts";
import { type Contender, meanScore } from "./contender.ts";
import { mergedText } from "./items.ts";

/** Two contenders that learned apart from each other, and whom both come from. */
export interface Couple {
  readonly one: Contender;
  readonly other: Contender;
  readonly ancestor: Contender;
}

/**
 * The couples among contenders: neither comes from the other. The better one of each stands first; the best couple on average
 * stands first.
 */
export function couplesOf(front: readonly Contender[], all: readonly Contender[]): Couple[] {
  const byId = new Map(all.map((one) => [one.candidate.id, one]));
  const lines = new Map(front.map((one) => [one, lineageOf(one, byId)]));
  const couples: Couple[] = [];
  for (const [i, a] of front.entries()) {
    for (const b of front.slice(i + 1)) {
      const [lineA, lineB] = [lines.get(a) ?? new Set(), lines.get(b) ?? new Set()];
      if (lineA.has(b) || lineB.has(a)) continue;
      const ancestor = all.findLast((one) => lineA.has(one) && lineB.has(one));
      if (ancestor === undefined) continue;
      const [one, other] = meanScore(b) > meanScore(a) ? [b, a] : [a, b];
      couples.push({ one, other, ancestor });
    }
  }
  const worth = ({ one, other }: Couple): number => meanScore(one) + meanScore(other);
  return couples.sort((x, y) => worth(y) - worth(x));
}

/** All it comes from. */
function lineageOf(one: Contender, byId: ReadonlyMap<string, Contender>): Set<Contender> {
  const line = new Set<Contender>();
  const next = [...one.candidate.parents];
  for (let id = next.pop(); id !== undefined; id = next.pop()) {
    const parent = byId.get(id);
    if (parent === undefined || line.has(parent)) continue;
    line.add(parent);
    next.push(...parent.candidate.parents);
  }
  return line;
}

/** What a couple's values are together. */
export interface Merged {
  readonly values: JsonObject;
  /** Texts that both have changed at the same place: here they are as the better one has them. */
  readonly clashes: readonly Component[];
}

/**
 * Component by component: who alone has changed it since the ancestor has its way; texts that both have changed are merged
 * sentence by sentence; of anything else the better one's holds.
 */
export function merged({ one, other, ancestor }: Couple, components: readonly Component[]): Merged {
  let { values } = one;
  const clashes: Component[] = [];
  for (const component of components) {
    const { place, field } = component;
    const [was, ours, theirs] = [ancestor, one, other].map((c) => fieldsAt(c.values, place)[field]);
    if (same(ours, theirs) || same(was, theirs)) continue;
    if (theirs === undefined) continue; // a field that is left out has its default: no reason to prefer that
    if (same(was, ours)) values = withValue(values, place, field, theirs);
    else if (typeof was === "string" && typeof ours === "string" && typeof theirs === "string") {
      const text = mergedText(was, ours, theirs);
      if (text === undefined) clashes.push(component);
      else values = withValue(values, place, field, text);
    }
  }
  return { values, clashes };
}

const same = (a: Json | undefined, b: Json | undefined): boolean =>
  a === undefined || b === undefined ? a === b : equal(a, b);
