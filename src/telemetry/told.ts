import type { Json } from "../core/json.ts";

/** What is said of a span, in the values OpenTelemetry knows. */
export type Attributes = Record<string, string | number | boolean | string[]>;

/** A span as it is to be told: plain data, made from entries. Times are milliseconds since 1970. */
export interface ToldSpan {
  readonly id: string;
  /** Absent: the root of the trace. */
  readonly parent: string | undefined;
  readonly name: string;
  /** A call that leaves the process, or work inside of it. */
  readonly kind: "client" | "internal";
  readonly start: number;
  readonly end: number;
  readonly attributes: Attributes;
  /** The code of what went wrong. */
  readonly error?: string | undefined;
  /** The same in the words of whoever failed: told only when asked for. */
  readonly message?: string | undefined;
  readonly events: readonly ToldEvent[];
  /** The recorded answer of a call: what it says about the call is told, the answer itself only when asked for. */
  readonly answer?: Json | undefined;
  /** What is told only when asked for, by the attribute it becomes. */
  readonly content?: { readonly [attribute: string]: Json | undefined };
}

/** A moment within a span. */
export interface ToldEvent {
  readonly name: string;
  readonly at: number;
  readonly attributes: Attributes;
}
