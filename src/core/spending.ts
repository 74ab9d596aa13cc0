/** Money and tokens of reservations, and what they come to. */
import { countOf } from "./balance.ts";
import type { Purchase } from "./context.ts";
import type { Amount, Entry } from "./entries.ts";
import { addSpent, lessSpent, type Spent } from "./limits.ts";
import type { RunRecord } from "./run-record.ts";

/** What is spent once these entries are in, too. The record stays as it is. */
export function spentWith(run: RunRecord, entries: readonly Entry[]): Spent {
  const held = new Map<number, Amount>();
  let spent = run.spent;
  for (const entry of entries) {
    if (entry.type === "budget-reserved") {
      held.set(entry.seq, entry.amount);
      spent = addSpent(spent, spentOf(entry.amount, entry.kind ?? "model-call"));
    } else if (entry.type === "budget-settled" || entry.type === "budget-released") {
      const known = run.reservations.get(entry.of);
      const amount = held.get(entry.of) ?? (known?.settled === undefined ? known?.amount : undefined);
      if (amount === undefined) continue;
      const actual = entry.type === "budget-settled" ? entry.amount : zeroAmount;
      spent = addSpent(spent, lessSpent(spentOf(actual), spentOf(amount)));
    }
  }
  return spent;
}

/** A call that was never made. */
export const zeroAmount: Amount = { picoUsd: "0", inputTokens: 0, outputTokens: 0 };

/** An amount as what is spent; with the kind of what was bought, the call counts too. */
export function spentOf(amount: Amount, kind: Purchase = "spend"): Spent {
  const { inputTokens, outputTokens } = amount;
  return { picoUsd: BigInt(amount.picoUsd), inputTokens, outputTokens, ...countOf(kind) };
}
