import { decode } from "./codec.ts";
import { type Amount, type Entry, type Fact, isBlobRef } from "./entries.ts";
import type { Json } from "./json.ts";
import type { PicoUsd } from "./limits.ts";

/** A large value an event does not carry: `flujo lens show` and the run's result do. */
export interface Elsewhere {
  readonly elsewhere: string;
  readonly size: number;
}

type Shown<F> = F extends { readonly type: "step-completed" }
  ? Omit<F, "output" | "attempt" | "took"> & {
      readonly output: unknown;
      readonly attempt: number;
      readonly took: number;
    }
  : F extends { readonly amount: Amount }
    ? Omit<F, "amount"> & { readonly picoUsd: PicoUsd; readonly tokens: number }
    : F extends { readonly output: Json }
      ? Omit<F, "output"> & { readonly output: unknown }
      : F;

/**
 * A journal entry as hooks, lens and dashboard see it: `seq` counts from 0 within the run, `at` is an ISO date,
 * `path` where it happened (`/` for the run itself), outputs as values, money as integers.
 */
export type RunEvent = { readonly seq: number; readonly at: string; readonly path: string } & Shown<Fact>;

/** The event of an entry. */
export function eventOf(entry: Entry): RunEvent {
  const { at, ...fact } = entry;
  const shown: Record<string, unknown> = { path: "/", ...fact, at: new Date(at).toISOString() };
  if (entry.type === "step-completed") Object.assign(shown, { attempt: 1, took: 0, ...shown });
  if ("output" in entry) shown.output = shownValue(entry.output);
  if ("amount" in entry) {
    delete shown.amount;
    shown.picoUsd = BigInt(entry.amount.picoUsd);
    shown.tokens = entry.amount.inputTokens + entry.amount.outputTokens;
  }
  return shown as unknown as RunEvent; // built field by field above, as Shown says
}

function shownValue(json: Json): unknown {
  if (!isBlobRef(json)) return decode(json);
  const elsewhere: Elsewhere = { elsewhere: json.hash, size: json.size };
  return elsewhere;
}
