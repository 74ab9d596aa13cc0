/** What the owner of an agent lets `flujo improve` change. */
import { InvalidOptionError } from "../core/errors.ts";
import { type AnyOptions, settle } from "./agent-options.ts";

/** From and to, both within. */
export interface Bounds {
  readonly min: number;
  readonly max: number;
}

/** What may be changed of an agent. Texts, examples and tools' descriptions may, unless you say otherwise; the rest may where you say how far. */
export interface ImproveTerms {
  /** Default true. A system prompt that is a function stays as it is. */
  readonly system?: boolean;
  /** Default: true where one is given as a text. */
  readonly prompt?: boolean;
  /** Default true, at most 16 of them. */
  readonly examples?: boolean | { readonly max: number };
  /** Descriptions of tools: of all (default true), or of those named. */
  readonly tools?: boolean | readonly string[];
  /** The models, or lists of them, that may take the place of `model`. */
  readonly model?: readonly (string | readonly [string, ...string[]])[];
  readonly temperature?: Bounds;
  readonly topP?: Bounds;
  readonly maxOutputTokens?: Bounds;
  readonly maxTurns?: Bounds;
  /** The efforts that may take the place of `reasoning`. */
  readonly reasoning?: readonly NonNullable<AnyOptions["reasoning"]>[];
}

/**
 * Looks whether everything that may come of the terms is an agent, so that no search ends in one that is none.
 *
 * @throws InvalidOptionError
 */
export function checkImprove(name: string, options: AnyOptions): void {
  const { improve } = options;
  if (improve === undefined || improve === false) return;
  const who = `agent "${name}"`;
  for (const field of ["temperature", "topP", "maxOutputTokens", "maxTurns"] as const) {
    const bounds = improve[field];
    if (bounds === undefined) continue;
    const [least, most] = widest[field];
    if (bounds.min >= least && bounds.min <= bounds.max && bounds.max <= most) continue;
    throw new InvalidOptionError(
      `improve.${field} of ${who} is from ${bounds.min} to ${bounds.max}; it takes bounds within ${least} to ${most}`,
    );
  }
  if (improve.model !== undefined && !isNamed(options.model)) {
    throw new InvalidOptionError(`${who} lets its model be improved, and gives none by its name`, {
      hint: 'Name it: { model: "openai:gpt-4o-mini", improve: { model: ["openai:gpt-4o"] } }.',
    });
  }
  const { improve: _, ...rest } = options;
  for (const model of [options.model, ...(improve.model ?? [])]) {
    for (const reasoning of [options.reasoning, ...(improve.reasoning ?? [])]) {
      settle(name, { ...rest, model, ...(reasoning === undefined ? {} : { reasoning }) });
    }
  }
}

const widest = {
  temperature: [0, 2],
  topP: [0, 1],
  maxOutputTokens: [1, 10_000_000],
  maxTurns: [1, 1_000],
} as const;

const isNamed = (model: AnyOptions["model"]): boolean =>
  typeof model === "string" || (Array.isArray(model) && model.every((one) => typeof one === "string"));
