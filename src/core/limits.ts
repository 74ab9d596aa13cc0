import { type Duration, milliseconds } from "./duration.ts";
import { InvalidOptionError } from "./errors.ts";

/** Integer money: 1e-12 US dollars, exact for every published price per token. */
export type PicoUsd = bigint;

/** An amount with its unit: `"$0.15"`, `"$20"`. */
export type Usd = `$${number}`;

/** Limits of one scope. Absent means unlimited. */
export interface Budget {
  /** US dollars: `"$0.50"`. */
  readonly cost?: Usd;
  /** Input and output tokens together. */
  readonly tokens?: number;
  /** Model calls, failed ones included. */
  readonly calls?: number;
  /** Tool calls of agents, failed ones included. */
  readonly toolCalls?: number;
  /** Wall clock since the run (or the scope) first started. Resuming does not reset it. */
  readonly time?: Duration;
}

/** A budget as the journal keeps it. `picoUsd` is a decimal string: JSON has no integers that large. */
export interface Limits {
  readonly picoUsd?: string;
  readonly tokens?: number;
  readonly calls?: number;
  readonly toolCalls?: number;
  readonly timeMs?: number;
}

/** What has been used. `picoUsd`: integer, 1e-12 US dollars. */
export interface Spent {
  readonly picoUsd: PicoUsd;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Model calls. */
  readonly calls: number;
  readonly toolCalls: number;
}

export const nothingSpent: Spent = {
  picoUsd: 0n,
  inputTokens: 0,
  outputTokens: 0,
  calls: 0,
  toolCalls: 0,
};

export function addSpent(a: Spent, b: Spent): Spent {
  return {
    picoUsd: a.picoUsd + b.picoUsd,
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    calls: a.calls + b.calls,
    toolCalls: a.toolCalls + b.toolCalls,
  };
}

export function lessSpent(a: Spent, b: Spent): Spent {
  return {
    picoUsd: a.picoUsd - b.picoUsd,
    inputTokens: a.inputTokens - b.inputTokens,
    outputTokens: a.outputTokens - b.outputTokens,
    calls: a.calls - b.calls,
    toolCalls: a.toolCalls - b.toolCalls,
  };
}

const picoDigits = 12;

/**
 * `"$0.15"` as integer pico-dollars. No float is involved.
 *
 * @throws InvalidOptionError for anything but `$`, digits and at most twelve decimals.
 */
export function picoUsd(amount: string): PicoUsd {
  const match = /^\$(\d{1,12})(?:\.(\d{1,12}))?$/.exec(amount);
  if (!match) {
    throw new InvalidOptionError(`"${amount}" is not an amount of money`, {
      hint: 'Write dollars with their sign: "$0.15", "$20".',
    });
  }
  return BigInt((match[1] as string) + (match[2] ?? "").padEnd(picoDigits, "0"));
}

/**
 * Pico-dollars as an exact decimal, without the sign.
 *
 * ```ts
 * decimalUsd(150_000_000_000n); // "0.15"
 * ```
 */
export function decimalUsd(amount: PicoUsd): string {
  const sign = amount < 0n ? "-" : "";
  const digits = (amount < 0n ? -amount : amount).toString().padStart(picoDigits + 1, "0");
  const fraction = digits.slice(-picoDigits).replace(/0+$/, "");
  return `${sign}${digits.slice(0, -picoDigits)}${fraction === "" ? "" : `.${fraction}`}`;
}

/**
 * A budget as limits.
 *
 * @throws InvalidOptionError for a limit that is not a positive whole number, amount or duration.
 */
export function limitsOf(budget: Usd | Budget): Limits {
  if (typeof budget === "string") return { picoUsd: picoUsd(budget).toString() };
  return {
    ...(budget.cost === undefined ? {} : { picoUsd: picoUsd(budget.cost).toString() }),
    ...(budget.tokens === undefined ? {} : { tokens: whole("tokens", budget.tokens) }),
    ...(budget.calls === undefined ? {} : { calls: whole("calls", budget.calls) }),
    ...(budget.toolCalls === undefined ? {} : { toolCalls: whole("toolCalls", budget.toolCalls) }),
    ...(budget.time === undefined ? {} : { timeMs: milliseconds(budget.time) }),
  };
}

/** Both limits at once. */
export function tightest(a: Limits, b: Limits): Limits {
  const picoUsd = lower(a.picoUsd, b.picoUsd, BigInt);
  const tokens = lower(a.tokens, b.tokens, Number);
  const calls = lower(a.calls, b.calls, Number);
  const toolCalls = lower(a.toolCalls, b.toolCalls, Number);
  const timeMs = lower(a.timeMs, b.timeMs, Number);
  return {
    ...(picoUsd === undefined ? {} : { picoUsd }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(calls === undefined ? {} : { calls }),
    ...(toolCalls === undefined ? {} : { toolCalls }),
    ...(timeMs === undefined ? {} : { timeMs }),
  };
}

/**
 * Limits raised by so much each.
 *
 * @returns undefined when there is nothing to raise: a limit to be raised does not stand.
 */
export function raised(standing: Limits, by: Limits): Limits | undefined {
  const limits: { -readonly [K in keyof Limits]: Limits[K] } = { ...standing };
  if (by.picoUsd !== undefined) {
    if (limits.picoUsd === undefined) return undefined;
    limits.picoUsd = (BigInt(limits.picoUsd) + BigInt(by.picoUsd)).toString();
  }
  for (const kind of ["tokens", "calls", "toolCalls", "timeMs"] as const) {
    const more = by[kind];
    if (more === undefined) continue;
    const limit = limits[kind];
    if (limit === undefined) return undefined;
    limits[kind] = Math.min(limit + more, Number.MAX_SAFE_INTEGER);
  }
  return limits;
}

/** The lower of two limits, where there is any. */
function lower<T>(a: T | undefined, b: T | undefined, size: (limit: T) => bigint | number): T | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return size(a) <= size(b) ? a : b;
}

function whole(field: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new InvalidOptionError(`budget.${field} is ${value}; it takes a whole number from 0`);
}
