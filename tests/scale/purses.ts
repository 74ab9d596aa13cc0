/** The shared budgets of a series, which of its runs pays from which, and what is left of them in the end. */
import { balanceOf } from "../../src/core/account.ts";
import type { Entry } from "../../src/core/entries.ts";
import { decimalUsd, type Usd } from "../../src/core/limits.ts";
import type { SharedScope } from "../../src/core/scopes.ts";
import type { Store } from "../../src/ports/store.ts";

/**
 * `team` pays for everything, and more than enough. Of two that pay for about half of their runs, `pressed` stays as it is;
 * `raised` gets more once a run has been refused.
 */
export type Purse = "team" | "pressed" | "raised";

/** The second purse of a run, by its number. */
export const purseOf = (run: number): Exclude<Purse, "team"> | undefined =>
  run % 4 === 1 ? "pressed" : run % 4 === 3 ? "raised" : undefined;

const plenty: Usd = "$1";

/** What calls cost when nothing disturbs them, in pico-dollars: by run; and the most that was held for one. */
export interface Costs {
  readonly ofRun: readonly bigint[];
  readonly dearest: bigint;
}

export const costsOf = (journals: readonly (readonly Entry[])[]): Costs => ({
  ofRun: journals.map((journal) => sumOf(journal, "budget-settled")),
  // A run has one call.
  dearest:
    journals.map((journal) => sumOf(journal, "budget-reserved")).toSorted((a, b) => (a < b ? 1 : -1))[0] ??
    0n,
});

const sumOf = (journal: readonly Entry[], type: "budget-reserved" | "budget-settled"): bigint =>
  journal.reduce((sum, entry) => (entry.type === type ? sum + BigInt(entry.amount.picoUsd) : sum), 0n);

/** The budgets a run is submitted with. */
export function scopesOf(run: number, costs: Costs): readonly SharedScope[] {
  const purse = purseOf(run);
  const team = { scope: "team", cost: plenty };
  return purse === undefined ? [team] : [team, { scope: purse, cost: capOf(purse, costs) }];
}

/** One call can always be held for, and then about half of what is to be paid. */
function capOf(purse: Purse, { ofRun, dearest }: Costs): Usd {
  const all = ofRun.reduce((sum, cost, run) => (purseOf(run) === purse ? sum + cost : sum), 0n);
  return `$${decimalUsd(dearest + all / 2n)}` as Usd; // a decimal number
}

/** Said twice, it is as good as said once. */
export async function raise(store: Store): Promise<void> {
  await store.ledger({ kind: "amend", scope: "raised", set: { picoUsd: "1000000000000" } });
}

/** @throws Error when something is still held, more is spent than allowed, or less than was billed; or when `pressed` was not pressed. */
export async function checkPurses(
  store: Store,
  billedTo: (purse: Purse) => bigint,
  { dearest }: Costs,
): Promise<void> {
  const accounts = await store.accounts({ scopes: ["team", "pressed", "raised"] });
  if (accounts.length !== 3) throw new Error(`there are ${accounts.length} shared accounts of 3`);
  for (const account of accounts) {
    const purse = account.scope as Purse; // asked for above
    const { posted, pending } = balanceOf(account);
    const [cap, spent, billed] = [BigInt(account.limits.picoUsd ?? 0), posted.picoUsd, billedTo(purse)];
    if (account.holds.length > 0) throw new Error(`${purse} still holds ${pending.picoUsd}`);
    if (spent > cap) throw new Error(`${purse} is passed: ${spent} of ${cap}`);
    if (spent < billed) throw new Error(`${billed} was billed to ${purse}, and ${spent} is accounted for`);
    if (purse === "pressed" && cap - spent >= dearest)
      throw new Error(`pressed has ${cap - spent} left, and refused a call of ${dearest}`);
    if (billed === 0n) throw new Error(`${purse} paid for nothing`);
  }
}
