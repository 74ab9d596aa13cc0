import type { Case } from "../dataset/case.ts";
import type { Chance } from "./chance.ts";
import type { Contender } from "./contender.ts";
import type { Outcome } from "./laboratory.ts";
import { Deck } from "./minibatch.ts";
import type { Rollouts } from "./rollouts.ts";
import type { SearchOptions } from "./search-terms.ts";

/** A parent, and the cases it is to do better on. */
export interface Slot {
  readonly parent: Contender;
  readonly cases: readonly Case[];
  readonly outcomes: readonly Outcome[];
}

/** So many small batches a parent is tried on until it fails at something. */
const mostDeals = 3;

/** What parents do on a few cases of the train split each. */
export class Slots {
  readonly #train: readonly Case[];
  readonly #size: number;
  readonly #rollouts: Rollouts;
  readonly #chance: Chance;
  readonly #deck: Deck;

  constructor(
    { train, minibatch = 3 }: Pick<SearchOptions, "train" | "minibatch">,
    rollouts: Rollouts,
    chance: Chance,
  ) {
    this.#train = train;
    this.#size = minibatch;
    this.#rollouts = rollouts;
    this.#chance = chance;
    this.#deck = new Deck(train, chance);
  }

  /**
   * A slot for each parent, as far as the limit of rollouts allows: on further cases, where it leaves nothing to be desired on these.
   *
   * @param keep rollouts that are to be left over.
   */
  async of(parents: readonly Contender[], keep: number): Promise<Slot[]> {
    let slots = await this.#tried(parents, keep);
    for (let deal = 1; deal < mostDeals; deal += 1) {
      const easy = slots.filter(({ outcomes }) => isPerfect(outcomes));
      if (easy.length === 0) break;
      const others = await this.#tried(
        easy.map(({ parent }) => parent),
        keep,
      );
      slots = slots.map((slot) => others[easy.indexOf(slot)] ?? slot);
    }
    return slots;
  }

  async #tried(parents: readonly Contender[], keep: number): Promise<Slot[]> {
    const planned = parents.map((parent) => ({ parent, cases: this.#minibatch(parent) }));
    const slots: Promise<Slot>[] = [];
    for (const slot of planned) {
      const { parent, cases } = slot;
      if (!this.#rollouts.allows(parent.candidate, cases, keep)) break;
      slots.push(this.#rollouts.try(parent.candidate, cases).then((outcomes) => ({ ...slot, outcomes })));
    }
    return Promise.all(slots);
  }

  /** Cases the parent is known to fail at, and new ones: what is learned should not rest on the same few. */
  #minibatch({ candidate }: Contender): readonly Case[] {
    const failing = new Set(
      this.#rollouts
        .known(candidate, this.#train)
        .flatMap(({ caseId, score }) => (score < 1 ? [caseId] : [])),
    );
    const known = this.#chance
      .shuffled(this.#train.filter(({ id }) => failing.has(id)))
      .slice(0, this.#size - 1);
    return [...known, ...this.#deck.deal(this.#size - known.length, known)];
  }
}

/** Whether these leave nothing to be desired. */
export const isPerfect = (outcomes: readonly Outcome[]): boolean => outcomes.every(({ score }) => score >= 1);
