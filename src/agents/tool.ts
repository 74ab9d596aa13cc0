import type { JSONSchema7 } from "@ai-sdk/provider";
import type { Approval } from "../core/approval.ts";
import { type AskingOptions, termsOf } from "../core/asking.ts";
import { fixedPrice } from "../core/balance.ts";
import type { ErrandAttempt, ErrandTerms, PaidContext } from "../core/context.ts";
import { type Duration, milliseconds } from "../core/duration.ts";
import { FlujoError, InvalidOptionError, TimeoutError } from "../core/errors.ts";
import type { Awaitable } from "../core/json.ts";
import { picoUsd, type Usd } from "../core/limits.ts";
import { check, type Schema, type SchemaOutput } from "../core/schema.ts";
import { type RetryPolicy, retryTerms } from "../core/step.ts";
import type { Terms, Words } from "../core/waiting.ts";
import { Interruption } from "../engine/interruption.ts";
import { inputJsonSchema } from "./answer-schema.ts";
import { textOf } from "./text.ts";

/** What a tool is handed beside its input. */
export interface ToolContext {
  readonly runId: string;
  /** Where this call stands in the journal: `/q3/ask:tool%3Aweather#0`. */
  readonly path: string;
  /** Counts the tries of this call whose failure is recorded, and this one: from 1. */
  readonly attempt: number;
  /** Fires when the agent is to stop, or the tool's own time is up. */
  readonly signal: AbortSignal;
  /** The run's state as the agent sees it; a tool cannot change it. */
  readonly state: unknown;
  /** Stable for this call of the tool across tries and restarts: hand it to services that deduplicate. */
  readonly idempotencyKey: string;
  /** Says what this try has cost in truth, instead of the tool's `price`. The last word counts. */
  costs(amount: Usd): void;
}

/** What a person is asked before a tool runs, who, and until when. */
export interface ApprovalOptions<S extends Schema> extends AskingOptions<Approval> {
  /** Default: the tool's name and arguments. */
  readonly prompt?: string | ((input: SchemaOutput<S>) => string);
  /** Whether anybody is asked. Default: always. */
  readonly when?: (input: SchemaOutput<S>) => Awaitable<boolean>;
  /** What helps to decide: shown beside the prompt, kept in the journal. */
  readonly context?: (input: SchemaOutput<S>) => unknown;
}

export interface ToolOptions<S extends Schema, R> {
  /** What the tool does and when to use it: the model reads this. */
  readonly description: string;
  /** The arguments. What a model writes is checked against it before the tool runs. */
  readonly input: S;
  readonly execute: (input: SchemaOutput<S>, ctx: ToolContext) => Awaitable<R>;
  /** The most one try costs: reserved before it begins, refused when the budget cannot pay it. Default: nothing. */
  readonly price?: Usd;
  /** The longest one try may take; what takes longer has failed. Default: no limit. */
  readonly timeout?: Duration;
  /** Tries again what has thrown or was too slow, before the model hears of it. Default: one try. */
  readonly retry?: RetryPolicy;
  /**
   * What is done about a call that had begun when its process died, or that was too slow, so that nobody knows whether
   * it happened:
   *
   * - `"retry"` (default): it runs again, with the same idempotency key.
   * - `"ask"`: the run waits until a person has answered, at the call's path: `{ retry: true }`, `{ result: … }` or
   *   `{ failed: "why" }`.
   * - `"fail"`: the agent fails with OutcomeUnknownError.
   */
  readonly onUnknown?: "retry" | "ask" | "fail";
  /**
   * Runs only with a person's leave: the run waits, at the call's path, for `{ approved, note? }`. What is denied is
   * told to the model. A function decides by the arguments; options say who is asked, and what comes when nobody answers in time.
   */
  readonly approval?: boolean | ((input: SchemaOutput<S>) => Awaitable<boolean>) | ApprovalOptions<S>;
  /** Calls with the same arguments are no sign of a loop, as of a tool that polls. Default false. */
  readonly mayRepeat?: boolean;
}

/** Something an agent may call. Made by `tool()`. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly input: Schema;
  /** The arguments as JSON Schema: what the model is told. */
  readonly inputSchema: JSONSchema7;
  readonly execute: (input: never, ctx: ToolContext) => Awaitable<unknown>;
  readonly terms: ErrandTerms;
  /** What a person is asked before it runs; undefined: nobody is. */
  readonly question: (input: never) => Awaitable<Words | undefined>;
  /** Who is asked, and until when. */
  readonly leave: Terms;
  readonly mayRepeat: boolean;
}

/**
 * A function an agent may call. Each call is a durable operation of the agent, `tool:NAME`: recorded, it does not run
 * again. An error it throws goes back to the model as the call's result, for it to try otherwise.
 *
 * ```ts
 * const weather = tool("weather", {
 *   description: "The weather of a city today",
 *   input: z.object({ city: z.string() }),
 *   execute: async ({ city }) => (await fetch(`https://weather.example/${city}`)).text(),
 * });
 * ```
 *
 * @param name letters, digits, `_` and `-`; at most 64.
 * @throws InvalidOptionError for a name, a duration or a retry out of bounds, or an approval whose time can never be up.
 */
export function tool<S extends Schema, R>(name: string, options: ToolOptions<S, R>): Tool {
  if (!/^[\w-]{1,64}$/.test(name)) {
    throw new InvalidOptionError(`a tool cannot be named ${JSON.stringify(name)}`, {
      hint: "Providers take letters, digits, _ and -, at most 64 of them.",
    });
  }
  const {
    description,
    input,
    execute,
    price,
    timeout,
    retry,
    onUnknown = "retry",
    mayRepeat = false,
    approval = false,
  } = options;
  if (!["retry", "ask", "fail"].includes(onUnknown)) {
    throw new InvalidOptionError(`onUnknown of the tool "${name}" is ${JSON.stringify(onUnknown)}`, {
      hint: 'It takes "retry", "ask" or "fail".',
    });
  }
  return Object.freeze({
    name,
    description,
    input,
    execute,
    inputSchema: inputJsonSchema(input) ?? { type: "object" },
    terms: {
      quote: fixedPrice("tool-call", name, price === undefined ? 0n : picoUsd(price)),
      timeoutMs: timeout === undefined ? undefined : milliseconds(timeout),
      retry: retry === undefined ? undefined : retryTerms(retry),
      onUnknown,
    },
    mayRepeat,
    question: approval === false ? async () => undefined : questionOf(name, approvalIn(approval)),
    leave: termsOf(name, approvalIn(approval)),
  });
}

const approvalIn = <S extends Schema>(
  approval: NonNullable<ToolOptions<S, unknown>["approval"]>,
): ApprovalOptions<S> => {
  if (typeof approval === "boolean") return {};
  return typeof approval === "function" ? { when: approval } : approval;
};

function questionOf<S extends Schema>(
  name: string,
  { prompt, when, context }: ApprovalOptions<S>,
): (input: SchemaOutput<S>) => Promise<Words | undefined> {
  const promptFor = (input: SchemaOutput<S>): string => {
    if (prompt === undefined) return `May the agent call ${name} with ${textOf(input)}?`;
    return typeof prompt === "string" ? prompt : prompt(input);
  };
  return async (input) => {
    if (when !== undefined && !(await when(input))) return undefined;
    return { prompt: promptFor(input), context: context?.(input) };
  };
}

/** One call as a model asked for it. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON, or meant to be. */
  readonly input: string;
}

/** What the model gets back. */
export interface ToolResult {
  readonly ok: boolean;
  readonly text: string;
}

/**
 * Runs one call as a durable operation. Wrong names, wrong arguments, a person's no and thrown errors become results;
 * what is about the run and not the tool (a stop, Flujo's own errors) passes through.
 */
export function runTool(call: ToolCall, tools: readonly Tool[], context: PaidContext): Promise<ToolResult> {
  const found = tools.find((tool) => tool.name === call.name);
  if (found === undefined) {
    const names = tools.map((tool) => tool.name).join(", ");
    return Promise.resolve({ ok: false, text: `There is no tool "${call.name}". The tools are: ${names}.` });
  }
  const { runId, state } = context;
  return context.errand(`tool:${found.name}`, found.terms, async (errand): Promise<ToolResult> => {
    const read = await argumentsFor(found, call.input);
    if ("wrong" in read) return { ok: false, text: read.wrong };
    // What the schema returned is what `execute` and `question` take: `tool()` ties them together.
    const input = read.input as never;
    const { path, idempotencyKey } = errand;
    const isLate = (error: unknown): boolean => error instanceof TimeoutError && error.path === path;
    try {
      const leave = await errand.approval(() => found.question(input), found.leave);
      if (leave?.approved === false) return { ok: false, text: denial(found, leave.note) };
    } catch (error) {
      if (!isLate(error)) throw error;
      return { ok: false, text: unanswered(found) };
    }
    const work = ({ number: attempt, ...rest }: ErrandAttempt) =>
      found.execute(input, { runId, path, attempt, state, idempotencyKey, ...rest });
    try {
      return { ok: true, text: textOf(await errand.carryOut(work)) };
    } catch (error) {
      if (error instanceof Interruption || (FlujoError.isInstance(error) && !isLate(error))) throw error;
      const late = `it was not done after ${found.terms.timeoutMs} ms`; // the model knows nothing of paths
      const why = isLate(error) ? late : error instanceof Error ? error.message : String(error);
      return { ok: false, text: `The tool "${found.name}" failed: ${why}` };
    }
  });
}

type Arguments = { readonly input: unknown } | { readonly wrong: string };

async function argumentsFor(tool: Tool, text: string): Promise<Arguments> {
  let raw: unknown;
  try {
    raw = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    return { wrong: `The arguments of "${tool.name}" are not JSON. Call it again with valid JSON.` };
  }
  const checked = await check(tool.input, raw);
  if (checked.ok) return { input: checked.value };
  return { wrong: `The arguments of "${tool.name}" do not fit: ${checked.issues.join("; ")}` };
}

const denial = (tool: Tool, note: string | undefined): string =>
  `The call of "${tool.name}" was not approved, and the tool did not run.${note ? ` The reason: ${note}` : ""}`;

const unanswered = (tool: Tool): string =>
  `Nobody has said in time whether "${tool.name}" may be called, and the tool did not run.`;
