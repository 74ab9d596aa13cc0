import type { Case } from "../dataset/case.ts";
import { fieldsAt, withValue } from "./candidate.ts";
import type { Chance } from "./chance.ts";
import type { Component } from "./components.ts";
import type { Contender } from "./contender.ts";
import { type ImprovablesDocument, pointer } from "./document.ts";
import type { Laboratory, Outcome, Proposal } from "./laboratory.ts";
import type { Nursery } from "./nursery.ts";
import { type Suggestion, shorter, suggested } from "./rules.ts";

/** Who proposes, and from what. */
export interface Proposers {
  readonly document: ImprovablesDocument;
  readonly laboratory: Laboratory;
  /** Whether the laboratory has somebody to ask. */
  readonly hasReflector: boolean;
  readonly train: readonly Case[];
  readonly nursery: Nursery;
  readonly chance: Chance;
}

/** What a proposal is to do better at. */
export interface Task {
  readonly parent: Contender;
  readonly component: Component;
  /** A few cases of the train split, and what came of them. */
  readonly cases: readonly Case[];
  readonly outcomes: readonly Outcome[];
  /** All that is known of the parent on the train split. */
  readonly known: readonly Outcome[];
}

/** From so many characters on it is worth trying a text without one of its sentences. */
const longText = 600;
/** Of a hundred requests so many ask for deltas, and of a hundred proposals for a long text so many are shorter ones. */
const deltas = 30;
const shortenings = 15;
/** So often a rule is asked for something that was not tried yet. */
const mostAttempts = 10;

/** Changes of a component: texts by whoever is asked, all else by rules. Chance is drawn before anything is waited for. */
export async function proposalsFor(task: Task, proposers: Proposers): Promise<readonly Proposal[]> {
  const { parent, component, cases, outcomes } = task;
  const { document, laboratory, hasReflector, chance } = proposers;
  const { place, field, improvable } = component;
  const { values, candidate } = parent;
  const value = fieldsAt(values, place)[field];
  if (improvable.type !== "text" || !hasReflector) return byRules(task, proposers);
  const roll = 100 * chance.next();
  const seed = Math.floor(chance.next() * 2 ** 31);
  if (typeof value === "string" && value.length > longText && roll < shortenings)
    return [asProposal(component, shorter(value, chance))];
  const kind = roll >= 100 - deltas && value !== undefined ? "delta" : "rewrite";
  return laboratory.reflect({ document, candidate, values, place, field, cases, outcomes, kind, seed });
}

function byRules({ parent, component, known }: Task, { train, nursery, chance }: Proposers): Proposal[] {
  const { place, field } = component;
  const { values } = parent;
  const value = fieldsAt(values, place)[field];
  for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
    const found = suggested(component, value, { cases: train, outcomes: known }, chance);
    if (found === undefined || nursery.knows(withValue(values, place, field, found.value))) continue;
    return [asProposal(component, found)];
  }
  return [];
}

const asProposal = ({ place, field }: Component, { value, by, note }: Suggestion): Proposal => ({
  patch: [{ op: "add", path: pointer(place, field), value }],
  note,
  by,
});
