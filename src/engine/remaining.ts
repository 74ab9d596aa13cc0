import type { Scope } from "../budget/ledger.ts";
import type { Remaining } from "../core/context.ts";
import { addSpent } from "../core/limits.ts";

/** What the tightest of these accounts leave, money held for calls under way counted as spent. */
export function remainingIn(scopes: readonly Scope[]): Remaining {
  let left: Remaining = {};
  for (const { limits, posted, pending } of scopes) {
    const used = addSpent(posted, pending);
    if (limits.picoUsd !== undefined) {
      const limit = BigInt(limits.picoUsd);
      const picoUsd = atLeast(limit - used.picoUsd, 0n);
      const share = limit === 0n ? 0 : Number((picoUsd * 1_000n) / limit) / 1_000;
      left = { ...left, picoUsd: lower(left.picoUsd, picoUsd), share: lower(left.share, share) };
    }
    if (limits.tokens !== undefined) {
      const tokens = Math.max(0, limits.tokens - used.inputTokens - used.outputTokens);
      left = { ...left, tokens: lower(left.tokens, tokens) };
    }
    if (limits.calls !== undefined)
      left = { ...left, calls: lower(left.calls, Math.max(0, limits.calls - used.calls)) };
  }
  return left;
}

const atLeast = (amount: bigint, least: bigint): bigint => (amount < least ? least : amount);
const lower = <T extends bigint | number>(known: T | undefined, other: T): T =>
  known === undefined || other < known ? other : known;
