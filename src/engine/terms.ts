/** What is given for one run, over what is given for all of a `Flujo`. */
import { type Budget, type Limits, limitsOf, type Usd } from "../core/limits.ts";
import { type ScopeRecord, type SharedScope, scopeRecord } from "../core/scopes.ts";

/** The run's limits. Undefined: none are given. */
export function limitsOver(all: Usd | Budget | undefined, own: Usd | Budget | undefined): Limits | undefined {
  const budget = own ?? all;
  return budget === undefined ? undefined : limitsOf(budget);
}

/** The shared scopes of a run: everybody's and its own, which come before those of the same name. */
export function scopesWith(
  all: readonly (string | SharedScope)[] = [],
  own: readonly ScopeRecord[] = [],
): readonly ScopeRecord[] {
  const both = [...all.map(scopeRecord), ...own];
  return [...new Map(both.map((scope) => [`${scope.scope} ${scope.per}`, scope])).values()];
}
