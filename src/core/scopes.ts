/** How a run names the accounts it shares with others. */
import type { Terms } from "./account.ts";
import { InvalidOptionError } from "./errors.ts";
import { type Budget, limitsOf, type Usd } from "./limits.ts";

/** An account that outlives runs, and the limits it gets when it is first used. Later, `flujo budget set` changes them. */
export interface SharedScope extends Omit<Budget, "time"> {
  /** Its name, the same for all who share it: 1 to 200 characters, as `tenant:acme`. */
  readonly scope: string;
  /** A new account each day or month, by the date a call is made on: `acme:2026-11-25`, `acme:2026-11`. */
  readonly per?: "day" | "month";
  /** Whose days and months: an IANA name, as `Europe/Madrid`. Default `UTC`. */
  readonly timeZone?: string;
  /** Parts of the limits, above 0 and up to 1, at which a `budget-threshold` event comes, once each. */
  readonly alertAt?: readonly number[];
}

/** A shared scope as the journal keeps it, so that a run resumed anywhere is charged to the same accounts. */
export interface ScopeRecord extends Terms {
  readonly per?: "day" | "month";
  readonly timeZone?: string;
}

/**
 * A scope with a new account each day.
 *
 * ```ts
 * const flujo = new Flujo(greet, { scopes: ["tenant:acme", daily("acme", "$20", { timeZone: "Europe/Madrid" })] });
 * ```
 *
 * @param limit of each day, when its account is made. Default: none, so that a day's use is only counted.
 */
export function daily(
  scope: string,
  limit: Usd | Omit<Budget, "time"> = {},
  options: Pick<SharedScope, "timeZone" | "alertAt"> = {},
): SharedScope {
  const budget = typeof limit === "string" ? { cost: limit } : limit;
  return { scope, per: "day", ...budget, ...options };
}

/** @throws InvalidOptionError */
export function scopeRecord(given: string | SharedScope): ScopeRecord {
  const { scope, per, timeZone, alertAt, ...budget } = typeof given === "string" ? { scope: given } : given;
  if ("time" in budget) {
    throw new InvalidOptionError(`the scope ${scope} has a limit of time`, {
      hint: "A shared account has no beginning to measure from. Limit the run's time, or a day's cost.",
    });
  }
  if (timeZone !== undefined) checkTimeZone(timeZone);
  return {
    scope: checkedScope(scope),
    limits: limitsOf(budget),
    alertAt: percents(alertAt),
    ...(per === undefined ? {} : { per }),
    ...(timeZone === undefined ? {} : { timeZone }),
  };
}

/** The account a scope stands for at a moment. */
export function termsAt({ scope, limits, alertAt, per, timeZone }: ScopeRecord, now: number): Terms {
  if (per === undefined) return { scope, limits, alertAt };
  return { scope: `${scope}:${dateAt(now, timeZone ?? "UTC", per)}`, limits, alertAt };
}

function dateAt(now: number, timeZone: string, per: "day" | "month"): string {
  const day = calendarOf(timeZone).format(now);
  return per === "day" ? day : day.slice(0, "2026-11".length);
}

const calendars = new Map<string, Intl.DateTimeFormat>();
const mostCalendars = 100;

/** Kept for the calls that come: to make one takes fifty times as long as to ask it. */
function calendarOf(timeZone: string): Intl.DateTimeFormat {
  const known = calendars.get(timeZone);
  if (known !== undefined) return known;
  const terms = { timeZone, year: "numeric", month: "2-digit", day: "2-digit" } as const;
  const made = new Intl.DateTimeFormat("en-CA", terms); // Canada writes 2026-11-25
  if (calendars.size >= mostCalendars) calendars.clear();
  calendars.set(timeZone, made);
  return made;
}

function checkTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
  } catch {
    throw new InvalidOptionError(`"${timeZone}" is no time zone`, {
      hint: "Write its IANA name: UTC, Europe/Madrid, America/New_York.",
    });
  }
}

const longestScope = 200;

/** @throws InvalidOptionError for a name no account can have. */
export function checkedScope(scope: string): string {
  const isName = typeof scope === "string" && scope.length <= longestScope && /^\S(.*\S)?$/u.test(scope);
  if (isName && scope.isWellFormed() && !/\p{Cc}/u.test(scope)) return scope;
  throw new InvalidOptionError(`${JSON.stringify(scope)} cannot name a shared budget`, {
    hint: "Use 1 to 200 characters without line breaks, and no space at either end: tenant:acme",
  });
}

/**
 * Parts of a limit (0.8) as percent (80), rising, each once.
 *
 * @throws InvalidOptionError for a part that is not above 0 and at most 1.
 */
export function percents(parts: readonly number[] = []): readonly number[] {
  for (const part of parts) {
    if (!(part > 0 && part <= 1)) {
      throw new InvalidOptionError(`alertAt holds ${part}; it takes parts of a limit, above 0 and up to 1`, {
        hint: "alertAt: [0.5, 0.8]",
      });
    }
  }
  const percent = parts.map((part) => Math.max(0.01, Math.round(part * 10_000) / 100));
  return [...new Set(percent)].sort((a, b) => a - b);
}
