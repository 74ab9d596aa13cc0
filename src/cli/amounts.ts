import { InvalidOptionError } from "../core/errors.ts";
import { type Budget, decimalUsd, type Limits, picoUsd, type Usd } from "../core/limits.ts";

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
    ...(flags.budget === undefined ? {} : { cost: cost(flags.budget) }),
    ...(flags.maxTokens === undefined ? {} : { tokens: tokens(flags.maxTokens) }),
  };
}

function asBudget({ picoUsd: pico, tokens, calls, timeMs }: Limits): Budget {
  return {
    ...(pico === undefined ? {} : { cost: `$${decimalUsd(BigInt(pico))}` as Usd }), // an amount by construction
    ...(tokens === undefined ? {} : { tokens }),
    ...(calls === undefined ? {} : { calls }),
    ...(timeMs === undefined ? {} : { time: `${timeMs}ms` as const }),
  };
}

function cost(text: string): Usd {
  try {
    picoUsd(text);
    return text as Usd; // picoUsd has read it
  } catch {
    throw new InvalidOptionError(`--budget ${text} is not an amount of money`, {
      hint: "Write it in single quotes, or the shell takes the $ for itself: --budget '$0.50'",
    });
  }
}

const units: { readonly [unit: string]: number } = { "": 1, k: 1_000, m: 1_000_000 };

/** `2M`, `500k`, `1000`. */
function tokens(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([km]?)$/i.exec(text);
  const count = match ? Number(match[1]) * (units[(match[2] as string).toLowerCase()] as number) : Number.NaN;
  if (Number.isSafeInteger(count)) return count;
  throw new InvalidOptionError(`--max-tokens ${text} is not a number of tokens`, {
    hint: "Write 1000, 500k or 2M.",
  });
}
