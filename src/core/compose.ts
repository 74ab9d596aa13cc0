/** The places of the tree: each function describes one, and runs nothing. */
import type { Context } from "./context.ts";
import type { ErrorRecord } from "./error-record.ts";
import type { Awaitable } from "./json.ts";
import type { BranchNode, LoopNode, Node, OnFailure } from "./node.ts";
import type { Schema } from "./schema.ts";
import { checkedSettings, type SettingsTerms, type SettingValues } from "./settings.ts";
import type { Reducers } from "./state.ts";
import {
  type AnyStep,
  type InputOf,
  nodeOf,
  type OutputOf,
  type StateOf,
  type Step,
  toStep,
  type Work,
} from "./step.ts";
import { checkedName, type StepOptions, workNode } from "./work.ts";

/** The intersection of a union: an input every branch accepts. */
type All<U> = (U extends unknown ? (x: U) => void : never) extends (x: infer I) => void ? I : never;

/** One result where failures are collected: its value, or its error. */
export type Settled<Out> =
  | { readonly ok: true; readonly value: Out }
  | { readonly ok: false; readonly error: ErrorRecord };

/**
 * A step: a name and a function of the input and a context.
 *
 * ```ts
 * const greet = step("greet", (name: string) => `Hello, ${name}!`);
 * ```
 *
 * The function runs at least once; its result is recorded exactly once, and from then on the function is not called
 * for this run again.
 */
export function step<In, Out, State = unknown, const S extends SettingsTerms = Record<never, never>>(
  name: string,
  work: Work<In, Out, State, SettingValues<S>>,
  options?: StepOptions<S>,
): Step<In, Out, State> {
  return toStep(workNode(name, work, options));
}

/** What a pipeline declares beside its body. */
export interface PipelineOptions<In, State> {
  /** A label of yours, part of the fingerprint: a new one makes recorded runs refuse to resume. */
  readonly version?: string;
  /** Checks the input before the run starts; its output is what the body gets. */
  readonly input?: Schema<unknown, In>;
  /** The state a run begins with. */
  readonly state?: () => NoInfer<State>;
  /** How concurrent changes of one state field become one value. */
  readonly reducers?: Reducers;
}

/**
 * A named, versioned tree: what a run executes, or, inside another, a part with a path of its own.
 *
 * ```ts
 * interface Notes { notes: string[] }
 * const note = step("note", (text: string, ctx: StepContext<Notes>) => {
 *   ctx.update("notes", (notes) => [...notes, text]);
 *   return text;
 * });
 * export default pipeline("diary", note, { input: z.string(), state: () => ({ notes: [] }), reducers: { notes: concat } });
 * ```
 */
export function pipeline<In, Out, State>(
  name: string,
  body: Step<In, Out, State>,
  options: PipelineOptions<In, State> = {},
): Step<In, Out, State> {
  const { state, ...rest } = options;
  const initial = state === undefined ? {} : { state: state as () => object }; // a state is always an object
  return toStep({
    kind: "pipeline",
    name: checkedName(name),
    body: nodeOf(body, `the body of "${name}"`),
    ...rest,
    ...initial,
  });
}

/** How a map goes about its items. */
export interface MapOptions<Item> {
  /** How many items at once. Default 8. */
  readonly concurrency?: number;
  /** Names an item in paths, so that it is recognised when the list changes. Default: its index. No two may be equal. */
  readonly key?: (item: Item) => string;
  /** `halt` (default): the first failure fails the map. `collect`: each result says whether it is one. */
  readonly onFailure?: OnFailure;
}

/**
 * One step for each item; the outputs keep the items' order. Items see the state as it was when the map began, and
 * their changes are merged in order at its end.
 *
 * ```ts
 * const lengths = mapOver("lengths", step("length", (word: string) => word.length), { concurrency: 4, key: (word) => word });
 * const fromState = mapOver("each", step("double", (n: number) => n * 2), { over: (input: { numbers: number[] }) => input.numbers });
 * ```
 *
 * @throws DuplicateKeyError while running, when two items have one key; InvalidInputError when the input is no list.
 */
export function mapOver<Item, Out, State>(
  name: string,
  each: Step<Item, Out, State>,
  options: MapOptions<Item> & { readonly onFailure: "collect" },
): Step<readonly Item[], Settled<Out>[], State>;
export function mapOver<Item, Out, State>(
  name: string,
  each: Step<Item, Out, State>,
  options?: MapOptions<Item>,
): Step<readonly Item[], Out[], State>;
export function mapOver<In, Item, Out, State>(
  name: string,
  each: Step<Item, Out, State>,
  options: MapOptions<Item> & { readonly over: (input: In, state: NoInfer<State>) => Iterable<Item> },
): Step<In, Out[], State>;
export function mapOver(
  name: string,
  each: AnyStep,
  options: MapOptions<never> & { over?: unknown } = {},
): unknown {
  return toStep({
    kind: "mapOver",
    name: checkedName(name),
    each: nodeOf(each, `what "${name}" does with each item`),
    concurrency: options.concurrency ?? 8,
    onFailure: options.onFailure ?? "halt",
    ...(options.key ? { key: options.key } : {}),
    ...(typeof options.over === "function"
      ? { over: options.over as (input: never, state: never) => Iterable<unknown> }
      : {}),
  });
}

/**
 * All branches at once, each on the same input and its own copy of the state; changes are merged in the order the
 * branches are declared.
 *
 * ```ts
 * const both = parallel("both", {
 *   length: step("length", (text: string) => text.length),
 *   words: step("words", (text: string) => text.split(" ")),
 * }); // { length: number, words: string[] }
 * ```
 *
 * @throws StateConflictError while running, when two branches set one state field to different values.
 */
export function parallel<const B extends Record<string, AnyStep>>(
  name: string,
  branches: B,
  options: { readonly onFailure: "collect" },
): Step<
  All<InputOf<B[keyof B]>>,
  { -readonly [K in keyof B]: Settled<OutputOf<B[K]>> },
  All<StateOf<B[keyof B]>>
>;
export function parallel<const B extends Record<string, AnyStep>>(
  name: string,
  branches: B,
  options?: { readonly onFailure?: "halt" },
): Step<All<InputOf<B[keyof B]>>, { -readonly [K in keyof B]: OutputOf<B[K]> }, All<StateOf<B[keyof B]>>>;
export function parallel(
  name: string,
  branches: Record<string, AnyStep>,
  options: { onFailure?: OnFailure } = {},
): unknown {
  const onFailure = options.onFailure ?? "halt";
  return toStep({ kind: "parallel", name: checkedName(name), branches: nodesOf(name, branches), onFailure });
}

/**
 * One branch of several, by the key that `choose` returns; the choice is recorded.
 *
 * ```ts
 * const answer = branchOn("size", (n: number) => (n > 9 ? "big" : "small"), {
 *   big: step("many", (n: number) => `${n} is a lot`),
 *   small: step("few", (n: number) => `${n} will do`),
 * });
 * ```
 *
 * With `{ settings: { least: { type: "number", value: 9 } } }` as the last argument, `choose` finds `settings.least` in its
 * second one. The compiler knows its type inside a chain; where `branchOn` stands alone, write it:
 * `(n: number, { settings }: { settings: { least: number } }) => …`.
 *
 * @throws UnknownBranchError while running, for a key that has no branch when there is no `otherwise`.
 */
export function branchOn<
  In,
  const B extends Record<string, AnyStep>,
  Other extends AnyStep,
  const S extends SettingsTerms = Record<never, never>,
>(
  name: string,
  choose: (
    input: In,
    context: Pick<Context<unknown, SettingValues<S>>, "state" | "settings">,
  ) => Awaitable<string>,
  branches: B & { [K in keyof B]: Step<In, unknown, never> },
  options: { readonly otherwise: Other & Step<NoInfer<In>, unknown, never>; readonly settings?: S },
): Step<In, OutputOf<B[keyof B]> | OutputOf<Other>, All<StateOf<B[keyof B]> | StateOf<Other>>>;
export function branchOn<
  In,
  const B extends Record<string, AnyStep>,
  const S extends SettingsTerms = Record<never, never>,
>(
  name: string,
  choose: (
    input: In,
    context: Pick<Context<unknown, SettingValues<S>>, "state" | "settings">,
  ) => Awaitable<keyof B & string>,
  branches: B & { [K in keyof B]: Step<In, unknown, never> },
  options?: { readonly settings?: S },
): Step<In, OutputOf<B[keyof B]>, All<StateOf<B[keyof B]>>>;
export function branchOn(
  name: string,
  choose: (input: never, context: Pick<Context<never, never>, "state" | "settings">) => Awaitable<string>,
  branches: Record<string, AnyStep>,
  options: { otherwise?: AnyStep; settings?: SettingsTerms } = {},
): unknown {
  const otherwise = options.otherwise
    ? { otherwise: nodeOf(options.otherwise, `the default of "${name}"`) }
    : {};
  return toStep({
    kind: "branchOn",
    name: checkedName(name),
    choose: choose as BranchNode["choose"], // erased, as all bodies
    branches: nodesOf(name, branches),
    ...otherwise,
    ...settingsIn(`branchOn "${name}"`, options),
  });
}

const settingsIn = (who: string, { settings }: { settings?: SettingsTerms }): { settings?: SettingsTerms } =>
  settings === undefined ? {} : { settings: checkedSettings(who, settings) };

/** When a loop ends. */
export interface LoopOptions<T, State, S extends SettingsTerms = SettingsTerms> {
  /** Values that `until` goes by and finds in its second argument: part of the loop's version, and changed by overlays. */
  readonly settings?: S;
  /** Looked at after each turn, `count` from 1; the verdict is recorded. */
  readonly until: (
    value: T,
    loop: { readonly count: number; readonly state: NoInfer<State>; readonly settings: SettingValues<S> },
  ) => Awaitable<boolean>;
  /** The most turns: a whole number from 1. */
  readonly maxLoops: number;
  /** What reaching it means: `fail` (default) with LoopLimitError, or `last`: go on with the last value. */
  readonly onMaxLoops?: "fail" | "last";
}

/**
 * The same step again and again, each turn on the output of the one before, until a condition holds.
 *
 * ```ts
 * const polish = loopUntil("polish", step("trim", (text: string) => text.trim()), {
 *   until: (text, { count }) => !text.startsWith(" ") || count > 2,
 *   maxLoops: 5,
 *   onMaxLoops: "last",
 * });
 * ```
 *
 * @throws LoopLimitError while running, after `maxLoops` turns, unless `onMaxLoops` is `last`.
 */
export function loopUntil<T, State, const S extends SettingsTerms = Record<never, never>>(
  name: string,
  body: Step<T, T, State>,
  options: LoopOptions<T, State, S>,
): Step<T, T, State> {
  return toStep({
    kind: "loopUntil",
    name: checkedName(name),
    body: nodeOf(body, `the body of "${name}"`),
    until: options.until as LoopNode["until"], // erased, as all bodies
    maxLoops: options.maxLoops,
    onMaxLoops: options.onMaxLoops ?? "fail",
    ...settingsIn(`loopUntil "${name}"`, options),
  });
}

function nodesOf(name: string, branches: Record<string, AnyStep>): Record<string, Node> {
  return Object.freeze(
    Object.fromEntries(
      Object.entries(branches).map(([key, branch]) => [key, nodeOf(branch, `branch "${key}" of "${name}"`)]),
    ),
  );
}
