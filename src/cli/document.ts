import { FlujoError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import { nothingSpent } from "../core/limits.ts";
import type { RunResult, Undone } from "../engine/options.ts";
import { readable, type SpentView, spentView } from "../lens/readable.ts";
import { redact, result } from "./terminal.ts";

/** What `flujo run --json` prints: one document, whatever became of the run. */
export interface RunDocument {
  /** Null when there is no run: it was refused before it began. */
  readonly runId: string | null;
  readonly pipeline: string | null;
  readonly fingerprint: string | null;
  /** As the run stands; `refused` when this command could not advance it, `interrupted` when it was stopped. */
  readonly status: "completed" | "failed" | "cancelled" | "halted" | "waiting" | "refused" | "interrupted";
  readonly output: Json;
  readonly error: ErrorPart | null;
  readonly waitingFor: readonly string[];
  /** An ISO date: when a waiting run goes on by itself. Null: it needs an answer, or does not wait. */
  readonly until: string | null;
  /** Of a run that has begun to undo what it did: the places that are undone, and those that are left. */
  readonly undone?: Undone;
  readonly spent: SpentView;
  /** By which prices: source and ISO day (null when the source does not tell), by model. */
  readonly prices: readonly PriceLine[];
  /** How long this command took over it, in milliseconds. */
  readonly durationMs: number;
}

export interface ErrorPart {
  readonly code: string;
  readonly message: string;
  readonly path: string | null;
  /** Figures, as the journal keeps them: of a limit, in pico-dollars, tokens, calls or milliseconds. */
  readonly details?: Json;
}

export interface PriceLine {
  readonly model: string;
  readonly source: string;
  readonly date: string | null;
}

/** What is known of a run beside its result, so far. */
export interface Known {
  runId: string | null;
  pipeline: string | null;
  fingerprint: string | null;
  spent: SpentView;
  prices: readonly PriceLine[];
  readonly startedAt: number;
}

export const nothingKnown = (): Known => ({
  runId: null,
  pipeline: null,
  fingerprint: null,
  spent: spentView(nothingSpent),
  prices: [],
  startedAt: Date.now(),
});

export function resultDocument(known: Known, run: RunResult<unknown>): RunDocument {
  return {
    ...identity(known),
    status: run.status,
    output: run.status === "completed" ? readable(run.output) : null,
    error: "error" in run ? errorPart(run.error) : null,
    waitingFor: run.status === "waiting" ? run.signals : [],
    until: run.status === "waiting" ? (run.until?.toISOString() ?? null) : null,
    ...("undone" in run && run.undone !== undefined ? { undone: run.undone } : {}),
    spent: spentView(run.spent),
    prices: known.prices,
    durationMs: Date.now() - known.startedAt,
  };
}

/** Codes of errors that stop a run on its way. */
const stoppings: ReadonlySet<string> = new Set(["interrupted", "stalled", "uncaught"]);

/** The document of a run that this command could not begin or go on with. */
export function refusalDocument(known: Known, error: unknown): RunDocument {
  const part = errorPart(error);
  return {
    ...identity(known),
    status: stoppings.has(part.code) ? "interrupted" : "refused",
    output: null,
    error: part,
    waitingFor: [],
    until: null,
    spent: known.spent,
    prices: known.prices,
    durationMs: Date.now() - known.startedAt,
  };
}

const identity = ({ runId, pipeline, fingerprint }: Known) => ({ runId, pipeline, fingerprint });

/**
 * The work of a command that prints a document under `--json`: also when it is refused, and then the error for people
 * comes on stderr as ever.
 *
 * @throws what the work throws, when no document is asked for.
 */
export async function answering(
  flags: { readonly json?: boolean },
  work: (known: Known) => Promise<number>,
): Promise<number> {
  const known = nothingKnown();
  try {
    return await work(known);
  } catch (error) {
    if (flags.json) await printJson(refusalDocument(known, error));
    if (error instanceof Error) answered.add(error);
    throw error;
  }
}

/** Errors of which a document has been printed, if one was asked for. */
const answered = new WeakSet<Error>();

/** Prints what kept a look from what it was to show: `{ error }`, unless a document tells it already. */
export async function printFault(error: unknown): Promise<void> {
  if (!(error instanceof Error && answered.has(error))) await printJson({ error: errorPart(error) });
}

function errorPart(error: unknown): ErrorPart {
  if (!FlujoError.isInstance(error))
    return { code: "unexpected", message: redact(String(error)), path: null };
  const { code, message, path = null, details } = error;
  return { code, message: redact(message), path, ...(details === undefined ? {} : { details }) };
}

/** Any document, on stdout. */
export const printJson = (document: object): Promise<void> =>
  result(`${JSON.stringify(document, null, 2)}\n`);
