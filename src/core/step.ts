import type { Context } from "./context.ts";
import { type Duration, milliseconds } from "./duration.ts";
import type { ErrorRecord } from "./error-record.ts";
import type { OnLimit, Problem } from "./errors.ts";
import { InvalidOptionError } from "./errors.ts";
import type { Awaitable } from "./json.ts";
import { type Budget, limitsOf, type Usd } from "./limits.ts";
import type { Node, RetryTerms } from "./node.ts";
import type { Schema, SchemaOutput } from "./schema.ts";
import { percents } from "./scopes.ts";
import { findProblems, unknownModels } from "./validation.ts";
import { workNode } from "./work.ts";

/** A body: a function of the input and the step's context. */
export type Work<In, Out, State, Settings = object> = (
  input: In,
  ctx: Context<State, Settings>,
) => Awaitable<Out>;

declare const io: unique symbol;

/** When and how to try again. */
export interface RetryPolicy {
  /** How often in all, the first try included: from 1 to 1,000. */
  readonly attempts: number;
  /** The wait before the second attempt. Default `"1s"`. */
  readonly backoff?: Duration;
  /** Each further wait is this many times the one before: from 1. Default 2. */
  readonly factor?: number;
  /** No wait is longer. Default `"1m"`. */
  readonly maxBackoff?: Duration;
  /** Draw each wait between 0 and its value ("full jitter"). Default true. */
  readonly jitter?: boolean;
  /** Which errors are worth another try. Default: all but those that say `retryable: false`. */
  readonly when?: (error: unknown) => boolean;
  /** How many attempts `flujo improve` may try, from 1 to 1,000, both within. Default: it leaves them as they are. */
  readonly improve?: { readonly min: number; readonly max: number };
}

/** What `validate()` should know. */
export interface ValidateOptions {
  /** Names of providers you register yourself: `["my"]` for `"my:some-model"`. */
  readonly providers?: readonly string[];
}

/** What comes of a limit that is reached, or nearly so. */
export interface BudgetOptions {
  /**
   * `halt` (default): the run halts, and can be resumed with a raised limit. `fail`: what has the limit fails with
   * BudgetExceededError, which `.fallback()` and `onFailure: "collect"` take as any failure; no retry helps.
   */
  readonly onLimit?: OnLimit;
  /** Parts of the limits, above 0 and up to 1, at which a `budget-threshold` event comes, once each: `[0.5, 0.8]`. */
  readonly alertAt?: readonly number[];
}

/**
 * What a compensation is handed.
 *
 * ```ts
 * const refund = step("refund", ({ output }: Undo<string, { id: string }>) => `took back ${output.id}`);
 * const charge = step("charge", (order: string) => ({ id: order })).compensate(refund.retry({ attempts: 3 }));
 * ```
 */
export interface Undo<In, Out> {
  /** What the place was given. */
  readonly input: In;
  /** What came of it. */
  readonly output: Out;
  /** Why it is to be undone; its code is `cancelled` when somebody has cancelled the run. */
  readonly reason: ErrorRecord;
}

/** How a step's results are kept for other runs. */
export interface CacheOptions<In> {
  /** Results older than this are not used. Default: no limit. */
  readonly ttl?: Duration;
  /** What of the input matters. Default: all of it. */
  readonly key?: (input: In) => string;
}

/**
 * The one noun: a typed, immutable description of work. `node` is plain frozen data; the methods only build new
 * nodes, and nothing runs until a `Flujo` runs it.
 *
 * A qualifier wraps everything to its left: `a.timeout("10s").retry({ attempts: 3 })` gives each attempt 10 seconds,
 * `a.retry({ attempts: 3 }).timeout("10s")` gives all of them together 10 seconds.
 */
export interface Step<in In, out Out, in State = unknown> {
  readonly node: Node;
  /** Carries the types; never there at run time. */
  readonly [io]: (input: In, state: State) => Out;
  /** Then this: the output becomes the next step's input. */
  to<Next, S = unknown>(next: Step<Out, Next, S>): Step<In, Next, State & S>;
  to<Next, S = unknown>(name: string, work: Work<Out, Next, S>): Step<In, Next, State & S>;
  /** Tries again when it fails. A finished operation inside is not repeated; an agent's calls are bought anew. */
  retry(policy: RetryPolicy): Step<In, Out, State>;
  /** Fails with TimeoutError after this long; the timer starts anew with each attempt inside and each resume. */
  timeout(after: Duration): Step<In, Out, State>;
  /** When it fails for good, runs this one on the same input. The first error stays in the journal. */
  fallback<Other, S>(other: Step<In, Other, S>): Step<In, Out | Other, State & S>;
  /** Keeps the result for later runs with the same step, input and state read. A hit costs nothing and says `cached`. */
  cached(options?: CacheOptions<In>): Step<In, Out, State>;
  /** A limit of its own, beside those around it. */
  budget(limit: Usd | Budget, options?: BudgetOptions): Step<In, Out, State>;
  /**
   * Undoes it: when it has completed and the run fails or is cancelled, this one runs, once, on what it was given and what
   * came of it. The last that completed is undone first. Where a failure is taken care of inside the run, by `.fallback()`
   * or `onFailure: "collect"`, what the failed part had completed is undone there.
   */
  compensate<I extends In, S = unknown>(undo: Step<Undo<I, Out>, unknown, S>): Step<I, Out, State & S>;
  compensate<I extends In, S = unknown>(
    name: string,
    work: Work<Undo<I, Out>, unknown, S>,
  ): Step<I, Out, State & S>;
  /** What is wrong with this tree, before it runs; empty when nothing is. */
  validate(options?: ValidateOptions): readonly Problem[];
  /**
   * Checks the output: a schema (whose output replaces it), or a function that returns true, or false, or what is wrong.
   * Around a step or an agent (and its fallbacks) the check is part of each attempt, so that a retry does the work anew
   * and a fallback is taken; what a container has put together is checked when it is whole.
   */
  validate<S extends Schema<Out, unknown>>(schema: S): Step<In, SchemaOutput<S>, State>;
  validate(check: (output: Out) => Awaitable<boolean | string>): Step<In, Out, State>;
}

/** Any step, without offering type arguments for inference, so that inline steps infer from themselves. */
export interface AnyStep {
  readonly node: Node;
}
export type InputOf<T> = T extends Step<infer I, unknown, never> ? I : never;
export type OutputOf<T> = T extends Step<never, infer O, never> ? O : never;
export type StateOf<T> = T extends Step<never, unknown, infer S> ? S : never;

/**
 * The node of what must be a step.
 *
 * @throws InvalidOptionError when it is none: pipelines are loaded without asking the compiler.
 */
export function nodeOf(step: AnyStep, what: string): Node {
  const { node } = (step ?? {}) as Partial<AnyStep>;
  if (node?.kind !== undefined) return node;
  throw new InvalidOptionError(`${what} is no step`, { hint: 'Make it one: step("name", (input) => …)' });
}

/** The fluent form of a node. */
export function toStep<In, Out, State>(node: Node): Step<In, Out, State> {
  // The one cast of the builders: types live in the interface, `Described` holds only the node.
  return new Described(Object.freeze(node)) as unknown as Step<In, Out, State>;
}

class Described {
  readonly node: Node;
  constructor(node: Node) {
    this.node = node;
    Object.freeze(this);
  }

  to(next: AnyStep | string, work?: Work<never, unknown, never>): unknown {
    const node = typeof next === "string" ? workNode(next, work) : nodeOf(next, "what .to() was given");
    return toStep({ kind: "sequence", before: this.node, next: node });
  }
  retry(policy: RetryPolicy): unknown {
    return toStep({ kind: "retry", of: this.node, ...retryTerms(policy) });
  }
  timeout(after: Duration): unknown {
    return toStep({ kind: "timeout", of: this.node, ms: milliseconds(after) });
  }
  fallback(other: AnyStep): unknown {
    return toStep({ kind: "fallback", of: this.node, other: nodeOf(other, "what .fallback() was given") });
  }
  cached(options: CacheOptions<never> = {}): unknown {
    const ttl = options.ttl === undefined ? {} : { ttlMs: milliseconds(options.ttl) };
    return toStep({ kind: "cached", of: this.node, ...ttl, ...(options.key ? { key: options.key } : {}) });
  }
  budget(limit: Usd | Budget, { onLimit, alertAt }: BudgetOptions = {}): unknown {
    return toStep({
      kind: "budget",
      of: this.node,
      limits: limitsOf(limit),
      ...(onLimit === undefined ? {} : { onLimit }),
      ...(alertAt === undefined ? {} : { alertAt: percents(alertAt) }),
    });
  }
  compensate(undo: AnyStep | string, work?: Work<never, unknown, never>): unknown {
    const node =
      typeof undo === "string" ? workNode(undo, work) : nodeOf(undo, "what .compensate() was given");
    return toStep({ kind: "compensate", of: this.node, undo: node });
  }
  validate(check: Schema | ((output: never) => Awaitable<boolean | string>) | ValidateOptions = {}): unknown {
    if (typeof check !== "function" && !("~standard" in check)) {
      return [...findProblems(this.node), ...unknownModels(this.node, check.providers ?? [])];
    }
    return toStep({ kind: "validate", of: this.node, check });
  }
}

/**
 * A policy with its defaults in place.
 *
 * @throws InvalidOptionError for attempts or a factor out of bounds.
 */
export function retryTerms(policy: RetryPolicy): RetryTerms {
  const { attempts, factor = 2, improve } = policy;
  for (const count of [attempts, ...(improve === undefined ? [] : [improve.min, improve.max])]) {
    if (!isAttempts(count)) throw new InvalidOptionError(`retry takes 1 to 1,000 attempts, not ${count}`);
  }
  if (!(factor >= 1 && factor <= 100))
    throw new InvalidOptionError(`retry takes a factor of 1 to 100, not ${factor}`);
  return {
    attempts,
    backoffMs: milliseconds(policy.backoff ?? "1s"),
    factor,
    maxBackoffMs: milliseconds(policy.maxBackoff ?? "1m"),
    jitter: policy.jitter ?? true,
    ...(policy.when ? { when: policy.when } : {}),
    ...(improve === undefined ? {} : { improve: { min: improve.min, max: improve.max } }),
  };
}

/** Whether something may be tried so often. */
export const isAttempts = (count: unknown): count is number =>
  Number.isInteger(count) && (count as number) >= 1 && (count as number) <= 1_000; // the first part says so
