import type { Case } from "../dataset/case.ts";
import type { Candidate } from "./candidate.ts";
import type { Laboratory, Outcome } from "./laboratory.ts";

/** What a search has tried so far, and how much more it may. Trying the same again counts, and costs, nothing. */
export class Rollouts {
  readonly #laboratory: Laboratory;
  readonly #most: number;
  readonly #outcomes = new Map<string, Map<string, Outcome>>();
  /** Counted when they are set out, so that rollouts under way side by side do not pass the limit together. */
  readonly #begun = new Set<string>();

  constructor(laboratory: Laboratory, most: number) {
    this.#laboratory = laboratory;
    this.#most = most;
  }

  get used(): number {
    return this.#begun.size;
  }

  get left(): number {
    return this.#most - this.used;
  }

  /** How many it takes to try these: as many as were not tried yet. */
  needed(candidate: Candidate, cases: readonly Case[]): number {
    return this.#fresh(candidate, cases).length;
  }

  /** Whether these can be tried within the limit. @param keep so many are to be left over. */
  allows(candidate: Candidate, cases: readonly Case[], keep = 0): boolean {
    return this.needed(candidate, cases) + keep <= this.left;
  }

  /** Tries a candidate on cases: outcomes in their order. */
  async try(candidate: Candidate, cases: readonly Case[]): Promise<readonly Outcome[]> {
    for (const one of this.#fresh(candidate, cases)) this.#begun.add(keyOf(candidate, one));
    const outcomes = await this.#laboratory.try(candidate, cases, 1);
    const known = this.#outcomes.get(candidate.id) ?? new Map<string, Outcome>();
    this.#outcomes.set(candidate.id, known);
    for (const outcome of outcomes) known.set(outcome.caseId, outcome);
    return outcomes;
  }

  /** What is known of a candidate on these cases. */
  known(candidate: Candidate, cases: readonly Case[]): readonly Outcome[] {
    const known = this.#outcomes.get(candidate.id);
    return cases.flatMap(({ id }) => known?.get(id) ?? []);
  }

  #fresh(candidate: Candidate, cases: readonly Case[]): readonly Case[] {
    return cases.filter((one) => !this.#begun.has(keyOf(candidate, one)));
  }
}

const keyOf = ({ id }: Candidate, one: Case): string => `${id} ${one.id}`;
