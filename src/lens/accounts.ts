import { type Account, balanceOf, spentIn } from "../core/account.ts";
import { addSpent, decimalUsd } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import { type SpentView, spentView } from "./readable.ts";

/** A shared budget, as `flujo budget show --json` prints it. */
export interface AccountView {
  readonly scope: string;
  readonly limits: {
    readonly costUsd?: string;
    readonly tokens?: number;
    readonly calls?: number;
    readonly toolCalls?: number;
  };
  /** Spent for good. */
  readonly posted: SpentView;
  /** Held for calls that are not settled yet. */
  readonly pending: SpentView;
  /** Of the cost limit: what is neither spent nor held; null without one. */
  readonly leftUsd: string | null;
  /** What is held, line by line. */
  readonly holds: readonly HoldView[];
  /** Calls that wait. */
  readonly waiting: number;
  /** Parts of the limits at which an alert comes, in percent, and those that have come. */
  readonly alertAt: readonly number[];
  readonly alerts: Account["alerts"];
}

export interface HoldView {
  readonly runId: string;
  readonly path: Path;
  readonly model: string;
  readonly amount: SpentView;
  /** ISO date. */
  readonly heldAt: string;
  readonly ageMs: number;
}

/** @param now milliseconds since 1970. */
export function accountView(account: Account, now: number): AccountView {
  const { scope, limits, holds, queue, alertAt, alerts } = account;
  const { picoUsd, timeMs: _, ...counts } = limits;
  const { posted, pending } = balanceOf(account);
  const used = addSpent(posted, pending).picoUsd;
  return {
    scope,
    limits: picoUsd === undefined ? counts : { costUsd: decimalUsd(BigInt(picoUsd)), ...counts },
    posted: spentView(posted),
    pending: spentView(pending),
    leftUsd: picoUsd === undefined ? null : decimalUsd(BigInt(picoUsd) - used),
    holds: holds.map(({ runId, path, model, amount, at }) => ({
      runId,
      path,
      model,
      amount: spentView(spentIn(amount)),
      heldAt: new Date(at).toISOString(),
      ageMs: Math.max(0, now - at),
    })),
    waiting: queue.filter(({ expiresAt }) => expiresAt > now).length,
    alertAt,
    alerts,
  };
}
