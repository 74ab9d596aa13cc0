/** What of a pipeline may be changed without touching its source: each value, its bounds, and its owner's leave. */
import type { Json } from "./json.ts";

export type ImprovableType = "text" | "number" | "integer" | "model" | "examples" | "choice";

/** One value of a place that an overlay can change. */
export interface Improvable {
  readonly type: ImprovableType;
  /** Absent: nothing is given, and the default holds. */
  readonly value?: Json;
  /** Whether its owner lets `flujo improve` change it. */
  readonly mayChange: boolean;
  /** It may be left out: then the default holds. */
  readonly optional?: true;
  /** Bounds of a number, both within. */
  readonly min?: number;
  /** Of examples: how many there may be. */
  readonly max?: number;
  /** The values it may have: of a choice, and of a model where there is a choice. */
  readonly choices?: readonly Json[];
  /** The longest text, in UTF-16 units. */
  readonly maxLength?: number;
  /** What a text fills in, as `{{input.title}}`: all of them have to stay, and none may come. */
  readonly placeholders?: readonly string[];
}

/** The improvables of a place, by field: `{ system: { type: "text", value: "Be brief.", mayChange: true } }`. */
export type ImprovableFields = { readonly [field: string]: Improvable };

/** No text is longer, whatever its owner allows. */
export const longestText = 50_000;
