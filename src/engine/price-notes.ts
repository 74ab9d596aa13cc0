import type { Quote } from "../core/context.ts";
import type { ModelPriced } from "../core/entries.ts";
import type { Pen } from "./journal.ts";

/**
 * Writes down by which price a model's calls are charged, so that every cost can say so: in the append of its first
 * reservation, and again only when the price has changed. A run of 100,000 calls has one such entry a model.
 */
export class PriceNotes {
  readonly #journal: Pen;
  readonly #noted = new Map<string, string>();

  constructor(journal: Pen) {
    this.#journal = journal;
    for (const [model, prices] of journal.run.prices) {
      const last = prices.at(-1);
      if (last !== undefined) this.#noted.set(model, textOf(last));
    }
  }

  note({ model, rates }: Quote): void {
    if (rates?.source === undefined) return;
    const { input, output, image, source, date } = rates;
    const fact: ModelPriced = {
      type: "model-priced",
      model,
      source,
      ...(date === undefined ? {} : { date }),
      input: input.toString(),
      output: output.toString(),
      ...(image === undefined ? {} : { image: image.toString() }),
    };
    const text = textOf(fact);
    if (this.#noted.get(model) === text) return;
    this.#noted.set(model, text);
    this.#journal.put(fact);
  }
}

const textOf = ({ source, date, input, output, image }: ModelPriced): string =>
  JSON.stringify([source, date, input, output, image]);
