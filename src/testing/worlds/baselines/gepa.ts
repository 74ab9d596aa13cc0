/**
 * GEPA as its paper has it (arXiv 2507.19457, algorithms 1 and 2), without anything added: what `flujo improve` is measured
 * against. A parent is drawn from the Pareto front, one component of it is rewritten from what came of three train cases, and a
 * child that does better on these is tried on the whole validation split.
 */
import type { JsonObject } from "../../../core/json.ts";
import type { Case } from "../../../evals/dataset/case.ts";
import { baseOf, type Candidate, candidateOf } from "../../../evals/improve/candidate.ts";
import { chanceOf } from "../../../evals/improve/chance.ts";
import { type Component, componentsOf } from "../../../evals/improve/components.ts";
import { type ImprovablesDocument, valuesOf } from "../../../evals/improve/document.ts";
import type { Laboratory, Outcome } from "../../../evals/improve/laboratory.ts";
import { Deck } from "../../../evals/improve/minibatch.ts";
import type { Checked } from "../../../evals/improve/nursery.ts";
import { Rollouts } from "../../../evals/improve/rollouts.ts";

export interface BaselineOptions {
  readonly document: ImprovablesDocument;
  readonly train: readonly Case[];
  readonly validation: readonly Case[];
  readonly laboratory: Laboratory;
  readonly check: (document: ImprovablesDocument, patch: unknown) => Promise<Checked>;
  readonly seed: number;
  /** The most trials. The same candidate and case again counts nothing, as `search` counts. */
  readonly rollouts: number;
}

export interface BaselineResult {
  readonly best: Candidate;
  readonly base: Candidate;
  readonly rollouts: number;
  /** Who was the best from so many rollouts on. */
  readonly course: readonly { readonly rollouts: number; readonly best: Candidate }[];
}

/** A candidate that was tried on the whole validation split. */
interface Member {
  readonly candidate: Candidate;
  readonly values: JsonObject;
  readonly scores: readonly number[];
  /** Which component is next. */
  next: number;
}

const minibatch = 3;

/**
 * Searches as plain GEPA does, until its rollouts are used.
 *
 *     const { best } = await plainGepa({ document, train, validation, laboratory, check, seed: 1, rollouts: 500 });
 */
export async function plainGepa(options: BaselineOptions): Promise<BaselineResult> {
  const { document, train, validation, laboratory, check, seed } = options;
  const chance = chanceOf(seed);
  const rollouts = new Rollouts(laboratory, options.rollouts);
  const deck = new Deck(train, chance);
  const components = componentsOf(document);
  const baseValues = valuesOf(document);
  const base = baseOf(baseValues);
  const pool: Member[] = [];
  let front = new Map<Member, number>();
  const course: { rollouts: number; best: Candidate }[] = [];
  const ended = (): BaselineResult => {
    return { best: bestOf(pool)?.candidate ?? base, base, rollouts: rollouts.used, course };
  };
  async function join(candidate: Candidate, values: JsonObject, next: number): Promise<boolean> {
    if (!rollouts.allows(candidate, validation)) return false;
    const scores = (await rollouts.try(candidate, validation)).map(({ score }) => score);
    const before = bestOf(pool)?.candidate;
    pool.push({ candidate, values, scores, next });
    front = paretoOf(pool);
    const best = bestOf(pool)?.candidate ?? base;
    if (best !== before) course.push({ rollouts: rollouts.used, best });
    return true;
  }
  if (components.length === 0 || !(await join(base, baseValues, 0))) return ended();

  // A round that tries nothing new uses up nothing: there is an end to those as well.
  for (let rounds = 0; rounds < options.rollouts; rounds += 1) {
    const parent = chance.weighted([...front]);
    const cases = deck.deal(minibatch);
    if (!rollouts.allows(parent.candidate, cases)) break;
    const outcomes = await rollouts.try(parent.candidate, cases);
    const { place, field } = components[parent.next % components.length] as Component; // there is one
    parent.next += 1;
    if (outcomes.every(({ score }) => score >= 1)) continue;
    const { candidate, values } = parent;
    const drawn = Math.floor(chance.next() * 2 ** 31);
    const [proposal] = await laboratory.reflect({
      ...{ document, candidate, values, place, field, outcomes, cases, kind: "rewrite", seed: drawn },
    });
    const checked = await check(withValues(document, values), proposal?.patch);
    if (!checked.ok) continue;
    const child = candidateOf(baseValues, checked.values, {
      ...{ parents: [candidate.id], by: "reflection", note: proposal?.note ?? "" },
    });
    if (!rollouts.allows(child, cases)) break;
    const after = await rollouts.try(child, cases);
    if (sumOf(after) <= sumOf(outcomes)) continue;
    if (!(await join(child, checked.values, parent.next))) break;
  }
  return ended();
}

/** The document with other values in it: what a candidate's own patches are checked against. */
export function withValues(document: ImprovablesDocument, values: JsonObject): ImprovablesDocument {
  const places = Object.entries(document.places).map(([place, fields]) => {
    const own = values[place] as JsonObject; // the values are of this document
    const now = Object.entries(fields).map(([field, one]) => [field, { ...one, value: own[field] }] as const);
    return [place, Object.fromEntries(now)] as const;
  });
  return { ...document, places: Object.fromEntries(places) } as ImprovablesDocument; // as above
}

const sumOf = (outcomes: readonly Outcome[]): number => outcomes.reduce((sum, { score }) => sum + score, 0);

function bestOf(pool: readonly Member[]): Member | undefined {
  const total = ({ scores }: Member): number => scores.reduce((sum, score) => sum + score, 0);
  return pool.reduce<Member | undefined>(
    (best, one) => (best === undefined || total(one) > total(best) + 1e-9 ? one : best),
    undefined,
  );
}

/** Algorithm 2: who is the best at some case and dominated by nobody, with the number of those cases. */
function paretoOf(pool: readonly Member[]): Map<Member, number> {
  const cases = pool[0]?.scores.length ?? 0;
  const winners = Array.from({ length: cases }, (_, i) => {
    const top = Math.max(...pool.map(({ scores }) => scores[i] ?? 0));
    return new Set(pool.filter(({ scores }) => scores[i] === top));
  });
  const standing = new Set(winners.flatMap((all) => [...all]));
  // Dominated: at each case it wins somebody else who stands wins too. One after the other, until nobody is.
  for (;;) {
    const dominated = [...standing].find((one) =>
      winners.every((all) => !all.has(one) || [...all].some((other) => other !== one && standing.has(other))),
    );
    if (dominated === undefined) break;
    standing.delete(dominated);
  }
  return new Map([...standing].map((one) => [one, winners.filter((all) => all.has(one)).length] as const));
}
