/**
 * The accounts of one run: its own, and those of places with a budget of their own. They live in the memory of the
 * run's owner, and its journal is what they are made of. The accounts that runs share are in `core/account.ts`; how
 * both reckon is in `core/balance.ts`.
 */

import { type Shortage, type Weighed, weigh } from "../core/balance.ts";
import type { Quote } from "../core/context.ts";
import { BudgetExceededError, type ExceededLimit, type OnLimit } from "../core/errors.ts";
import { addSpent, type Limits, lessSpent, nothingSpent, type Spent } from "../core/limits.ts";
import { enclosing, type Path } from "../core/paths.ts";

/** One account: the run's, or that of a place with a budget of its own. */
export interface Scope {
  readonly path: Path;
  limits: Limits;
  /** When its time began, in milliseconds since 1970. */
  readonly since: number;
  /** What becomes of a call it cannot pay: the run halts, or the place fails. */
  readonly onLimit: OnLimit;
  /** Parts of the limits, in percent, at which an alert is due. */
  readonly alertAt: readonly number[];
  posted: Spent;
  pending: Spent;
  /** Reservations that are pending. */
  open: number;
}

/** What a place may say about its budget beside the limits. */
export interface ScopeOptions {
  readonly onLimit?: OnLimit | undefined;
  readonly alertAt?: readonly number[] | undefined;
}

export function openScope(
  path: Path,
  limits: Limits,
  since: number,
  posted: Spent = nothingSpent,
  { onLimit = "halt", alertAt = [] }: ScopeOptions = {},
): Scope {
  return { path, limits, since, onLimit, alertAt, posted, pending: nothingSpent, open: 0 };
}

/** What scopes say to a quote. */
export type Answer =
  | Exclude<Weighed, { verdict: "refused" }>
  | { readonly verdict: "refused"; readonly error: BudgetExceededError };

/** Whether all scopes can pay for a call now, later, or never; granted, the output cap is what they can all pay. */
export function ask(scopes: readonly Scope[], quote: Quote, now: number): Answer {
  const weighed = weigh(scopes, quote, now);
  if (weighed.verdict !== "refused") return weighed;
  const scope = scopes[weighed.at] as Scope; // one of those that were weighed
  return { verdict: "refused", error: refusal(scope, quote, weighed.why) };
}

/** Moves money: `pending` up at a reservation; down, and `posted` up by the true amount, at its settlement. */
export function hold(scopes: readonly Scope[], worst: Spent): void {
  for (const scope of scopes) {
    scope.pending = addSpent(scope.pending, worst);
    scope.open++;
  }
}
export function post(scopes: readonly Scope[], worst: Spent, actual: Spent): void {
  for (const scope of scopes) {
    scope.pending = lessSpent(scope.pending, worst);
    scope.open--;
    scope.posted = addSpent(scope.posted, actual);
  }
}
/** Gives back what of a reservation is not needed after all. */
export function shrink(scopes: readonly Scope[], from: Spent, to: Spent): void {
  for (const scope of scopes) scope.pending = addSpent(lessSpent(scope.pending, from), to);
}

function refusal(scope: Scope, quote: Quote, why: Shortage): BudgetExceededError {
  const { path, onLimit } = scope;
  if (why.kind === "unpriced") {
    return new BudgetExceededError(
      `${quote.model} has no known price, and the budget of ${path} has a cost limit`,
      { path, onLimit, hint: priceHint(quote) },
    );
  }
  const exceeded = exceededBy(scope, why);
  return new BudgetExceededError(
    `the budget of ${path} does not allow a call to ${quote.model}: it ${why.text}`,
    { path, onLimit, exceeded, hint: `Nothing was sent. ${raiseHint(exceeded)}` },
  );
}

/** Only the path of the run has a single part. */
export function exceededBy({ path }: Scope, why: Omit<ExceededLimit, "of" | "scope">): ExceededLimit {
  const { limit, allowed, used, needed } = why;
  const of = enclosing(path).length === 1 ? "run" : "place";
  return { of, scope: path, limit, allowed, used, needed };
}

/** What to do about a limit of a run or a place. */
export function raiseHint({ of, scope, limit }: ExceededLimit): string {
  return of === "place"
    ? `Raise the limit of ${scope} in the pipeline, and resume the run.`
    : `Raise the limit and resume: ${raises[limit]}.`;
}

const raises: { readonly [limit in ExceededLimit["limit"]]: string } = {
  cost: "flujo resume RUN --budget '$…'",
  tokens: "flujo resume RUN --max-tokens …",
  calls: "flujo budget top-up RUN --calls …",
  toolCalls: "flujo budget top-up RUN --tool-calls …",
  time: "flujo budget top-up RUN --time …",
};

/** What to do about a model that nobody knows the price of. */
export const priceHint = ({ model, per }: Quote): string =>
  `Give it a price: prices: { "${model}": ${per === "image" ? '{ image: "$…" }' : '{ input: "$…", output: "$…" }'} }.`;
