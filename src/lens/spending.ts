import type { Entry, EntryOf } from "../core/entries.ts";
import { addSpent, lessSpent, nothingSpent, type Spent } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import { spentOf } from "../core/spending.ts";

/** By how much an entry changes what counts for a path. */
export interface Charge {
  readonly path: Path;
  readonly spent: Spent;
}

/** What a run has spent and holds, kept up entry by entry. */
export class Spending {
  readonly #open = new Map<number, EntryOf<"budget-reserved">>();
  readonly #models = new Map<string, Spent>();
  #held = nothingSpent;

  /** What is held for calls that are not settled yet. */
  get held(): Spent {
    return this.#held;
  }

  /** What each model cost, what is held included, in the order of their first calls. */
  get models(): ReadonlyMap<string, Spent> {
    return this.#models;
  }

  /** Takes the next entry in. */
  take(entry: Entry): Charge | undefined {
    if (entry.type === "budget-reserved") {
      const { seq, path, amount, kind = "model-call" } = entry;
      const reserved = spentOf(amount, kind);
      this.#open.set(seq, entry);
      this.#held = addSpent(this.#held, reserved);
      this.#charge(entry, reserved);
      return { path, spent: reserved };
    }
    if (entry.type !== "budget-settled" && entry.type !== "budget-released") return undefined;
    const reservation = this.#open.get(entry.of);
    if (reservation === undefined) return undefined; // each is resolved at most once
    this.#open.delete(entry.of);
    const { path, amount, kind = "model-call" } = reservation;
    this.#held = lessSpent(this.#held, spentOf(amount, kind));
    const actual = entry.type === "budget-settled" ? spentOf(entry.amount) : nothingSpent;
    const change = lessSpent(actual, spentOf(amount));
    this.#charge(reservation, change);
    return { path, spent: change };
  }

  /** No tool's fee, nor what a step spends, is a model's. */
  #charge({ model, kind }: EntryOf<"budget-reserved">, by: Spent): void {
    if (kind !== undefined) return;
    this.#models.set(model, addSpent(this.#models.get(model) ?? nothingSpent, by));
  }
}

export function spendingOf(entries: readonly Entry[]): Spending {
  const spending = new Spending();
  for (const entry of entries) spending.take(entry);
  return spending;
}
