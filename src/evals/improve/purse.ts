import type { PaidContext } from "../../core/context.ts";
import { BudgetExceededError } from "../../core/errors.ts";
import { decimalUsd, type PicoUsd } from "../../core/limits.ts";
import { archiveOf } from "../../engine/archive.ts";
import { Interruption } from "../../engine/interruption.ts";
import type { Store } from "../../ports/store.ts";
import { journalOf } from "../experiment/journal.ts";
import type { DurableLaboratory } from "./durable-laboratory.ts";
import type { SearchLimits } from "./improvement.ts";
import { undisturbed } from "./undisturbed.ts";

export interface PurseOptions {
  readonly store: Store;
  readonly laboratory: DurableLaboratory;
  readonly limits: SearchLimits;
  /** Cases of these splits. */
  readonly validation: number;
  readonly test: number;
}

/** The shared budget of a search, by the name of its run. */
export const scopeOf = (name: string): string => `improve:${name}`;

/**
 * What a search has cost so far, as if nothing had disturbed it, and whether its money lasts: so a search that was killed ends
 * where one that was not does. The limit itself is held by the ledger.
 */
export class Purse {
  readonly #ctx: PaidContext;
  readonly #options: PurseOptions;
  #looks = 0;
  /** What the searching run itself had paid at the last look. */
  #paid: PicoUsd = 0n;

  constructor(ctx: PaidContext, options: PurseOptions) {
    this.#ctx = ctx;
    this.#options = options;
  }

  /** What was paid for trials so far, and for all else up to the last look. */
  get seen(): PicoUsd {
    return this.#paid + this.#options.laboratory.trials.bill.picoUsd;
  }

  /** All that was paid so far: for trials, and for judges and reflections, which are calls of the searching run itself. */
  async total(): Promise<PicoUsd> {
    const own = await this.#ctx.run("bill", async () => `${await this.#own()}`);
    return this.#take(BigInt(own));
  }

  /**
   * Whether the money lasts for another round, and for the test split after it.
   *
   * @param hasBetter whether there is something to prove: with nothing in hand the search does not end, it halts.
   * @throws Interruption: the run halts.
   */
  async affords(hasBetter: boolean): Promise<boolean> {
    this.#looks += 1;
    const { own, lasts } = await this.#ctx.run(`affords.${this.#looks}`, async () => {
      const own = await this.#own();
      const limit = await this.#limit();
      const lasts = limit === undefined || this.#take(own) + this.#needed() <= limit;
      // Not recorded as a result: with more money it is asked again.
      if (!lasts && !hasBetter) throw Interruption.halted(tooLittle(limit ?? 0n));
      return { own: `${own}`, lasts };
    });
    this.#take(BigInt(own));
    return lasts;
  }

  #take(own: PicoUsd): PicoUsd {
    this.#paid = own;
    return this.seen;
  }

  async #own(): Promise<PicoUsd> {
    return undisturbed(await journalOf(archiveOf(this.#options.store), this.#ctx.runId)).picoUsd;
  }

  /** As it was begun with, or has been raised to since. */
  async #limit(): Promise<PicoUsd | undefined> {
    const { store, limits } = this.#options;
    if (limits.picoUsd === undefined) return undefined;
    const [account] = await archiveOf(store).accounts({ scopes: [scopeOf(this.#ctx.runId)] });
    return BigInt(account?.limits.picoUsd ?? limits.picoUsd);
  }

  /** By what trials have cost on average, judges and reflections spread over them. */
  #needed(): PicoUsd {
    const { laboratory, limits, validation, test } = this.#options;
    const { count, bill } = laboratory.trials;
    const each = this.seen / BigInt(Math.max(1, count)) + 1n;
    // Races of a round, and whoever leads then on the whole validation split.
    const round = each * BigInt(limits.proposals * 2 * limits.minibatch + 2 * validation);
    const proof = (each * BigInt(2 * test) * 5n) / 4n;
    return round + proof + bill.largestHold;
  }
}

const tooLittle = (limit: PicoUsd): BudgetExceededError =>
  new BudgetExceededError(
    `the budget of $${decimalUsd(limit)} leaves too little to search on and to prove on the test split what is found`,
    { hint: "Nothing better was found so far. Raise the budget to go on." },
  );
