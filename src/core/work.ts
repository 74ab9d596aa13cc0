import { InvalidOptionError } from "./errors.ts";
import { codeFact } from "./fingerprint.ts";
import type { WorkNode } from "./node.ts";
import type { Schema } from "./schema.ts";
import { checkedSettings, type SettingsTerms } from "./settings.ts";

/** What a step may declare beside its body. */
export interface StepOptions<S extends SettingsTerms = SettingsTerms> {
  /** Checks the input before the body runs; its output is what the body gets. */
  readonly input?: Schema;
  /** Checks the output before it is recorded; its output is what is recorded. */
  readonly output?: Schema;
  /**
   * Stands for the body's code when versions are compared: while it stays the same, an edited body counts as the
   * same work. Default: the code itself.
   */
  readonly version?: string;
  /**
   * Values the body goes by, which it finds in `ctx.settings`: part of the step's version, and changed by overlays.
   *
   *     step("route", (q: Question, ctx) => (q.score > ctx.settings.least ? "expert" : "clerk"), {
   *       settings: { least: { type: "number", value: 0.5, min: 0, max: 1, mayChange: true } },
   *     })
   */
  readonly settings?: S;
}

/** The node of a function. */
export function workNode(name: string, work: unknown, options: StepOptions = {}): WorkNode {
  if (typeof work !== "function") {
    throw new InvalidOptionError(`step "${name}" has no function to run`, {
      hint: 'step("name", (input, ctx) => …)',
    });
  }
  return Object.freeze({
    kind: "step",
    name: checkedName(name),
    work: work as WorkNode["work"], // the caller's overloads hold its type
    facts: options.version === undefined ? { code: codeFact(work) } : { version: options.version },
    freshAttempts: false,
    ...(options.input ? { input: options.input } : {}),
    ...(options.output ? { output: options.output } : {}),
    ...(options.settings ? { settings: checkedSettings(`step "${name}"`, options.settings) } : {}),
  });
}

/** A name fit for a place: 1 to 200 characters. */
export function checkedName(name: string): string {
  if (typeof name === "string" && name.length >= 1 && name.length <= 200) return name;
  throw new InvalidOptionError(`a step's name is a text of 1 to 200 characters, not ${JSON.stringify(name)}`);
}
