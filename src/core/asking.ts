/** Who is asked, for how long, and what comes when nobody has answered: the same at a place and before a tool's call. */
import { type Duration, milliseconds } from "./duration.ts";
import { InvalidOptionError } from "./errors.ts";
import type { Round, Terms } from "./waiting.ts";

/** Others, who are asked when nobody before them has answered in time. */
export interface Escalation {
  /** Names of people and teams: `"ana"`, `"team:ops"`. */
  readonly assignees: readonly string[];
  /** How long they have, from the moment they are asked. Only the last ones may be given no end. */
  readonly timeout?: Duration;
}

/** What comes of a question that nobody has answered in time. */
export type OnTimeout<Answer> =
  /** A place fails with TimeoutError, which `.fallback()` and `onFailure: "collect"` take as any failure; a tool's call fails, and the model reads it. */
  | "fail"
  /** This is the answer. It is checked as any other. */
  | { readonly answer: Answer }
  /** Others are asked, one after the other; `finally` is what comes when the last have not answered. Default `fail`. */
  | { readonly escalate: readonly Escalation[]; readonly finally?: "fail" | { readonly answer: Answer } };

/** Who is asked, and until when. */
export interface AskingOptions<Answer> {
  /** Names of people and teams, for `flujo inbox --for`: `["ana", "team:ops"]`. Default: anybody. It is no lock. */
  readonly assignees?: readonly string[];
  /** How long they have, from the moment they are asked. Default: without end. */
  readonly timeout?: Duration;
  /** What comes then. Default `fail`. */
  readonly onTimeout?: OnTimeout<Answer>;
}

/**
 * Who is asked one after the other, and what comes at last.
 *
 * @param name whose question it is, for errors.
 * @throws InvalidOptionError for times that can never be up.
 */
export function termsOf(
  name: string,
  { assignees, timeout, onTimeout = "fail" }: AskingOptions<unknown>,
): Terms {
  const isChain = onTimeout !== "fail" && "escalate" in onTimeout;
  const next = isChain ? onTimeout.escalate.map((next) => roundOf(next.assignees, next.timeout)) : [];
  const last = isChain ? (onTimeout.finally ?? "fail") : onTimeout;
  const rounds = [roundOf(assignees, timeout), ...next];
  const isTimed = rounds.slice(0, -1).every(({ ms }) => ms !== undefined);
  if (!isTimed || (last !== "fail" && rounds.at(-1)?.ms === undefined)) throw endless(name);
  return { rounds, ...(last === "fail" ? {} : { wayOut: { value: last.answer } }) };
}

function roundOf(assignees: readonly string[] | undefined, timeout: Duration | undefined): Round {
  return {
    ...(assignees === undefined ? {} : { assignees: [...assignees] }),
    ...(timeout === undefined ? {} : { ms: milliseconds(timeout) }),
  };
}

/** A way out that can never be taken. */
export const endless = (name: string): InvalidOptionError =>
  new InvalidOptionError(`"${name}" says what comes when time is up, and not when that is`, {
    hint: 'Give it a timeout: { timeout: "2d", onTimeout: … }; of those it escalates to, only the last may have none.',
  });
