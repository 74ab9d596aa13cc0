import type { Duration } from "../core/duration.ts";
import { InvalidOptionError } from "../core/errors.ts";
import { type Budget, decimalUsd, type Limits, limitsOf, picoUsd, type Usd } from "../core/limits.ts";

/** The limits a command line can name. */
export interface LimitFlags {
  readonly budget?: string;
  readonly maxTokens?: string;
}

/**
 * The limits of the flags, over those that hold without them: who raises the cost keeps the limit of tokens.
 *
 * @returns undefined when no flag says anything.
 * @throws InvalidOptionError
 */
export function budgetOf(flags: LimitFlags, standing: Limits = {}): Budget | undefined {
  if (flags.budget === undefined && flags.maxTokens === undefined) return undefined;
  return {
    ...asBudget(standing),
    ...(flags.budget === undefined ? {} : { cost: cost("--budget", flags.budget) }),
    ...(flags.maxTokens === undefined ? {} : { tokens: number("--max-tokens", flags.maxTokens, "tokens") }),
  };
}

/** The amounts that `flujo budget` can name. */
export interface AmountFlags {
  readonly cost?: string;
  readonly tokens?: string;
  readonly calls?: string;
  readonly toolCalls?: string;
  readonly time?: string;
}

/**
 * The amounts of the flags, as a budget.
 *
 * @param moneyFlag what an amount of money is called in a complaint about it.
 * @throws InvalidOptionError
 */
export function amountsOf(
  { cost: money, tokens, calls, toolCalls, time }: AmountFlags,
  moneyFlag = "the amount",
): Budget {
  return {
    ...(money === undefined ? {} : { cost: cost(moneyFlag, money) }),
    ...(tokens === undefined ? {} : { tokens: number("--tokens", tokens, "tokens") }),
    ...(calls === undefined ? {} : { calls: number("--calls", calls, "calls") }),
    ...(toolCalls === undefined ? {} : { toolCalls: number("--tool-calls", toolCalls, "tool calls") }),
    ...(time === undefined ? {} : { time: time as Duration }), // limitsOf reads it
  };
}

/**
 * The limits the flags set, and those they take away: `none`.
 *
 * @throws InvalidOptionError
 */
export function limitChanges(flags: AmountFlags): { readonly [K in keyof Limits]?: Limits[K] | null } {
  const { cost, tokens, calls, toolCalls } = flags;
  const given = Object.entries({ cost, tokens, calls, toolCalls }).filter(([, text]) => text !== undefined);
  const gone = given
    .filter(([, text]) => text === "none")
    .map(([kind]) => (kind === "cost" ? "picoUsd" : kind));
  const set = Object.fromEntries(given.filter(([, text]) => text !== "none"));
  return { ...limitsOf(amountsOf(set, "--cost")), ...Object.fromEntries(gone.map((kind) => [kind, null])) };
}

function asBudget({ picoUsd: pico, tokens, calls, toolCalls, timeMs }: Limits): Budget {
  return {
    ...(pico === undefined ? {} : { cost: `$${decimalUsd(BigInt(pico))}` as Usd }), // an amount by construction
    ...(tokens === undefined ? {} : { tokens }),
    ...(calls === undefined ? {} : { calls }),
    ...(toolCalls === undefined ? {} : { toolCalls }),
    ...(timeMs === undefined ? {} : { time: `${timeMs}ms` as const }),
  };
}

function cost(flag: string, text: string): Usd {
  try {
    picoUsd(text);
    return text as Usd; // picoUsd has read it
  } catch {
    throw new InvalidOptionError(`${flag} ${text} is not an amount of money`, {
      hint: `Write it in single quotes, or the shell takes the $ for itself: ${flag.startsWith("-") ? `${flag} ` : ""}'$0.50'`,
    });
  }
}

const units: { readonly [unit: string]: number } = { "": 1, k: 1_000, m: 1_000_000 };

/** `2M`, `500k`, `1000`. */
function number(flag: string, text: string, what: string): number {
  const match = /^(\d+(?:\.\d+)?)([km]?)$/i.exec(text);
  const count = match ? Number(match[1]) * (units[(match[2] as string).toLowerCase()] as number) : Number.NaN;
  if (Number.isSafeInteger(count)) return count;
  throw new InvalidOptionError(`${flag} ${text} is not a number of ${what}`, {
    hint: "Write 1000, 500k or 2M.",
  });
}
