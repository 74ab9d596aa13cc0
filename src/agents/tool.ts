import type { JSONSchema7 } from "@ai-sdk/provider";
import type { PaidContext } from "../core/context.ts";
import { FlujoError, InvalidOptionError } from "../core/errors.ts";
import type { Awaitable } from "../core/json.ts";
import { check, type Schema, type SchemaOutput } from "../core/schema.ts";
import { inputJsonSchema } from "./answer-schema.ts";
import { textOf } from "./text.ts";

/** What a tool is handed beside its input. */
export interface ToolContext {
  readonly runId: string;
  /** Fires when the agent is to stop. */
  readonly signal: AbortSignal;
  /** The run's state as the agent sees it; a tool cannot change it. */
  readonly state: unknown;
  /** Stable for this call of the tool across restarts: hand it to services that deduplicate. */
  readonly idempotencyKey: string;
}

export interface ToolOptions<S extends Schema, R> {
  /** What the tool does and when to use it: the model reads this. */
  readonly description: string;
  /** The arguments. What a model writes is checked against it before the tool runs. */
  readonly input: S;
  readonly execute: (input: SchemaOutput<S>, ctx: ToolContext) => Awaitable<R>;
}

/** Something an agent may call. Made by `tool()`. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly input: Schema;
  /** The arguments as JSON Schema: what the model is told. */
  readonly inputSchema: JSONSchema7;
  readonly execute: (input: never, ctx: ToolContext) => Awaitable<unknown>;
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
 */
export function tool<S extends Schema, R>(name: string, options: ToolOptions<S, R>): Tool {
  if (!/^[\w-]{1,64}$/.test(name)) {
    throw new InvalidOptionError(`a tool cannot be named ${JSON.stringify(name)}`, {
      hint: "Providers take letters, digits, _ and -, at most 64 of them.",
    });
  }
  const { description, input, execute } = options;
  return Object.freeze({
    name,
    description,
    input,
    execute,
    inputSchema: inputJsonSchema(input) ?? { type: "object" },
  });
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
 * Runs one call as a durable operation. Wrong names, wrong arguments and thrown errors become results; an aborted
 * signal and Flujo's own errors pass through, for they are about the run, not the tool.
 */
export function runTool(call: ToolCall, tools: readonly Tool[], context: PaidContext): Promise<ToolResult> {
  const found = tools.find((tool) => tool.name === call.name);
  if (found === undefined) {
    const names = tools.map((tool) => tool.name).join(", ");
    return Promise.resolve({ ok: false, text: `There is no tool "${call.name}". The tools are: ${names}.` });
  }
  const idempotencyKey = `${context.idempotencyKey}/${call.id}`;
  return context.run(`tool:${found.name}`, async (signal): Promise<ToolResult> => {
    const { runId, state } = context;
    return execute(found, call.input, { runId, state, signal, idempotencyKey });
  });
}

async function execute(tool: Tool, text: string, ctx: ToolContext): Promise<ToolResult> {
  let raw: unknown;
  try {
    raw = text.trim() === "" ? {} : JSON.parse(text);
  } catch {
    return {
      ok: false,
      text: `The arguments of "${tool.name}" are not JSON. Call it again with valid JSON.`,
    };
  }
  const checked = await check(tool.input, raw);
  if (!checked.ok) {
    return { ok: false, text: `The arguments of "${tool.name}" do not fit: ${checked.issues.join("; ")}` };
  }
  try {
    // What the schema returned is what `execute` takes: `tool()` ties the two together.
    return { ok: true, text: textOf(await tool.execute(checked.value as never, ctx)) };
  } catch (error) {
    if (ctx.signal.aborted || FlujoError.isInstance(error)) throw error;
    return {
      ok: false,
      text: `The tool "${tool.name}" failed: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}
