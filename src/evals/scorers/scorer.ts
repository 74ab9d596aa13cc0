import type { PaidContext } from "../../core/context.ts";
import { BudgetExceededError, FlujoError } from "../../core/errors.ts";
import { codeFact } from "../../core/fingerprint.ts";
import type { Awaitable, Json } from "../../core/json.ts";
import { Interruption } from "../../engine/interruption.ts";
import type { Case } from "../dataset/case.ts";

/** What a scorer looks at: what came of one case. */
export interface Answered {
  readonly input: Json;
  /** What the pipeline returned, as JSON: dates are texts. */
  readonly output: Json;
  /** What the case says should come; undefined when it says nothing. */
  readonly expected: Json | undefined;
  readonly case: Case;
  /** What the run cost, in US dollars. */
  readonly costUsd: number;
  /** How long it took; undefined of a run that was interrupted in between. */
  readonly durationMs: number | undefined;
}

/** A verdict on an answer. */
export interface Score {
  /** From 0 (wrong) to 1 (right). */
  readonly score: number;
  /** Why, for people, and for models that are to do better. */
  readonly feedback: string;
  /** Scores of its parts, by name. */
  readonly parts?: { readonly [part: string]: number };
}

/** The context of the step that scores: its model calls are inside the budget, and recorded. */
export type ScoringContext = Pick<PaidContext, "generate" | "embed" | "run" | "signal">;

/** Gives scores under a name. */
export interface Scorer {
  readonly name: string;
  /** Stands for what it does: scores recorded under another one are not taken for its own. */
  readonly version: Json;
  readonly score: (answer: Answered, ctx: ScoringContext) => Awaitable<Score>;
}

/**
 * A scorer of your own: any function that says how good an answer is.
 *
 * ```ts
 * const short = scorer("short", ({ output }) => ({
 *   score: String(output).length < 200 ? 1 : 0,
 *   feedback: `${String(output).length} characters`,
 * }));
 * ```
 *
 * Of a function that throws the answer gets 0, and the feedback says so.
 *
 * @param options `version`: stands for its code when an experiment is gone on with. Default: the code itself.
 */
export function scorer(
  name: string,
  score: Scorer["score"],
  { version = codeFact(score) }: { readonly version?: Json } = {},
): Scorer {
  return Object.freeze({ name, version, score });
}

/** What became of a scorer's look at an answer. */
export interface Scoring extends Score {
  /** The scorer itself failed: the score is 0, and the feedback says how. */
  readonly failed?: true;
}

/** Scores an answer. What stops the run is thrown; any other failure of the scorer is a score of 0. */
export async function scored(by: Scorer, answer: Answered, ctx: ScoringContext): Promise<Scoring> {
  try {
    return checked(await by.score(answer, ctx));
  } catch (error) {
    if (error instanceof Interruption || error instanceof BudgetExceededError || ctx.signal.aborted)
      throw error;
    return { score: 0, feedback: `the scorer ${by.name} failed: ${messageOf(error)}`, failed: true };
  }
}

function checked({ score, feedback, parts }: Score): Score {
  if (!(typeof score === "number" && score >= 0 && score <= 1))
    throw new RangeError(`it gave ${score}, and a score is from 0 to 1`);
  return { score, feedback: String(feedback ?? ""), ...(parts === undefined ? {} : { parts }) };
}

const messageOf = (error: unknown): string =>
  FlujoError.isInstance(error) || error instanceof Error ? error.message : String(error);

/** Right or wrong. */
export const verdict = (isRight: boolean, right: string, wrong: string): Score =>
  isRight ? { score: 1, feedback: right } : { score: 0, feedback: wrong };

/** What is expected, of a scorer that cannot do without. @throws Error */
export function expectedOf({ expected, case: { id } }: Answered): Json {
  if (expected === undefined) throw new Error(`the case ${id} says nothing of what is expected`);
  return expected;
}

/** A value as text: texts as they are, anything else as JSON. */
export const textOf = (value: Json): string => (typeof value === "string" ? value : JSON.stringify(value));

/** A value in a sentence. */
export function quoted(value: Json): string {
  const text = JSON.stringify(value);
  return text.length <= longestQuote ? text : `${text.slice(0, longestQuote)}…`;
}
const longestQuote = 200;
