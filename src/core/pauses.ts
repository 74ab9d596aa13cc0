/** The places that wait: for a person, for an event from outside, for a moment. */
import type { Approval } from "./approval.ts";
import { type AskingOptions, endless, termsOf } from "./asking.ts";
import { type Duration, milliseconds } from "./duration.ts";
import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts";
import { type Step, toStep } from "./step.ts";
import { checkedName } from "./work.ts";

/** What a person is asked, and who. */
export interface HumanOptions<In, S extends Schema> extends AskingOptions<SchemaInput<S>> {
  /** What is asked, of the step's input. */
  readonly prompt: (input: In) => string;
  /** What an answer must be. Default: an approval, `{ approved, note? }`. */
  readonly answer?: S;
  /** What helps to decide: shown beside the prompt, kept in the journal. */
  readonly context?: (input: In) => unknown;
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
