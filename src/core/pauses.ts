/** The places that wait: for a person, for an event from outside, for a moment. */
import type { Approval } from "./approval.ts";
import { type Duration, milliseconds } from "./duration.ts";
import { InvalidOptionError } from "./errors.ts";
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts";
import { type Step, toStep } from "./step.ts";
import type { Round, WayOut } from "./waiting.ts";
import { checkedName } from "./work.ts";

/** Others, who are asked when nobody before them has answered in time. */
export interface Escalation {
  /** Names of people and teams: `"ana"`, `"team:ops"`. */
  readonly assignees: readonly string[];
  /** How long they have, from the moment they are asked. Only the last ones may be given no end. */
  readonly timeout?: Duration;
}

/** What comes of a question that nobody has answered in time. */
export type OnTimeout<Answer> =
  /** The place fails with TimeoutError, which `.fallback()` and `onFailure: "collect"` take as any failure. */
  | "fail"
  /** This is the answer. It is checked as any other. */
  | { readonly answer: Answer }
  /** Others are asked, one after the other; `finally` is what comes when the last have not answered. Default `fail`. */
  | { readonly escalate: readonly Escalation[]; readonly finally?: "fail" | { readonly answer: Answer } };

/** What a person is asked, and who. */
export interface HumanOptions<In, S extends Schema> {
  /** What is asked, of the step's input. */
  readonly prompt: (input: In) => string;
  /** What an answer must be. Default: an approval, `{ approved, note? }`. */
  readonly answer?: S;
  /** What helps to decide: shown beside the prompt, kept in the journal. */
  readonly context?: (input: In) => unknown;
  /** Names of people and teams, for `flujo inbox --for`: `["ana", "team:ops"]`. Default: anybody. It is no lock. */
  readonly assignees?: readonly string[];
  /** How long they have, from the moment they are asked. Default: without end. */
  readonly timeout?: Duration;
  /** What comes then. Default `fail`. */
  readonly onTimeout?: OnTimeout<SchemaInput<S>>;
}

/**
 * Asks a person. The run waits, holding no process, until an answer is sent to this path; an answer that does not fit
 * the schema is refused and the run stays waiting.
 *
 * ```ts
 * const approve = humanInTheLoop("approve", {
 *   prompt: (amount: number) => `Pay ${amount}?`,
 *   assignees: ["ana"],
 *   timeout: "2d",
 *   onTimeout: { escalate: [{ assignees: ["team:finance"], timeout: "1d" }], finally: { answer: { approved: false } } },
 * });
 * const pay = approve.to("pay", ({ approved }) => (approved ? "paid" : "not paid"));
 * // await flujo.signal(runId, "/pay/approve", { approved: true }, { by: "ana", resume: true });
 * ```
 *
 * @throws InvalidOptionError for times that can never be up; TimeoutError while running, when nobody has answered in time and it is to fail.
 */
export function humanInTheLoop<In, S extends Schema = Schema<Approval>>(
  name: string,
  options: HumanOptions<In, S>,
): Step<In, SchemaOutput<S>> {
  const { prompt, answer, context } = options;
  return toStep({
    kind: "humanInTheLoop",
    name: checkedName(name),
    prompt,
    ...(answer ? { answer } : {}),
    ...(context ? { context } : {}),
    ...termsOf(name, options),
  });
}

/** What is waited for, and how long. */
export interface WaitOptions<S extends Schema> {
  /** What must be sent. Default: anything. */
  readonly schema?: S;
  /** How long it is waited for, from the moment the run comes here. Default: without end. */
  readonly timeout?: Duration;
  /** What comes then: it fails with TimeoutError (default), or this is taken for what was sent. */
  readonly onTimeout?: "fail" | { readonly value: SchemaInput<S> };
}

/**
 * Waits for an event from outside: something sent to this path, before the run comes here or after. The run waits
 * without a process. Each signal is delivered once; `[]` in its path stands for any item or turn, so that a `waitFor`
 * in a loop takes what is sent to `/orders/each[]/paid` one by one, in order.
 *
 * ```ts
 * const paid = waitFor("paid", { schema: z.object({ amount: z.number() }), timeout: "7d" });
 * const ship = paid.to("ship", ({ amount }) => `shipped for ${amount}`);
 * // await flujo.signal(runId, "/order/paid", { amount: 40 }, { resume: true });
 * ```
 *
 * @throws InvalidOptionError for a way out that can never be taken; TimeoutError while running, when nothing came in time and it is to fail.
 */
export function waitFor<S extends Schema = Schema>(
  name: string,
  options: WaitOptions<S> = {},
): Step<unknown, SchemaOutput<S>> {
  const { schema, timeout, onTimeout = "fail" } = options;
  if (onTimeout !== "fail" && timeout === undefined) throw endless(name);
  return toStep({
    kind: "waitFor",
    name: checkedName(name),
    ...(schema ? { schema } : {}),
    ...(timeout === undefined ? {} : { timeoutMs: milliseconds(timeout) }),
    ...(onTimeout === "fail" ? {} : { wayOut: { value: onTimeout.value } }),
  });
}

/**
 * Waits, durably, and hands its input on: a run resumed later waits only for what is left. Up to a minute (`awake` of
 * `FlujoOptions`) is waited out in the process; a run that sleeps longer holds none.
 *
 * ```ts
 * const later = step("order", (id: string) => id).to(sleep("let it settle", "10m")).to("check", (id) => `checked ${id}`);
 * ```
 */
export function sleep<T>(name: string, duration: Duration): Step<T, T> {
  return toStep({ kind: "sleep", name: checkedName(name), ms: milliseconds(duration) });
}

/**
 * Waits until a moment, as `sleep` does; one that has passed is not waited for. The moment is recorded when the run
 * comes here, and stays.
 *
 * ```ts
 * interface Trial { endsAt: Date }
 * const remind = sleepUntil("trial ends", (trial: Trial) => trial.endsAt).to("remind", () => "the trial is over");
 * ```
 *
 * @throws InvalidOptionError while running, for a date that is none.
 */
export function sleepUntil<T>(name: string, moment: Date | ((input: T) => Date)): Step<T, T> {
  const until = (input: T): number => (typeof moment === "function" ? moment(input) : moment).getTime();
  return toStep({ kind: "sleep", name: checkedName(name), ms: { until } });
}

type Terms = Pick<HumanOptions<never, Schema>, "assignees" | "timeout" | "onTimeout">;

/** Who is asked one after the other, and what comes at last. */
function termsOf(
  name: string,
  { assignees, timeout, onTimeout = "fail" }: Terms,
): { rounds: readonly Round[]; wayOut?: WayOut } {
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

const endless = (name: string): InvalidOptionError =>
  new InvalidOptionError(`"${name}" says what comes when time is up, and not when that is`, {
    hint: 'Give it a timeout: { timeout: "2d", onTimeout: … }; of those it escalates to, only the last may have none.',
  });
