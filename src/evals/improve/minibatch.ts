import type { Case } from "../dataset/case.ts";
import type { Chance } from "./chance.ts";

/** The cases of the train split, dealt in small batches: each comes once before any comes twice. */
export class Deck {
  readonly #cases: readonly Case[];
  readonly #chance: Chance;
  #left: Case[] = [];

  constructor(cases: readonly Case[], chance: Chance) {
    this.#cases = cases;
    this.#chance = chance;
  }

  /** The next cases, none of them one of `without`: fewer where the split has no more. */
  deal(size: number, without: readonly Case[] = []): Case[] {
    const taken = new Set(without.map(({ id }) => id));
    const dealt: Case[] = [];
    for (let looked = 0; dealt.length < size && looked < 2 * this.#cases.length; looked += 1) {
      if (this.#left.length === 0) this.#left = this.#chance.shuffled(this.#cases);
      const one = this.#left.shift();
      if (one === undefined) break;
      if (!taken.has(one.id)) dealt.push(one);
      taken.add(one.id);
    }
    return dealt;
  }
}
