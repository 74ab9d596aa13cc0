/** What a run paid for, call by call: every reservation of its journal, and what became of it. */
import type { Purchase } from "../core/context.ts";
import type { Entry } from "../core/entries.ts";
import type { Json } from "../core/json.ts";
import type { Spent } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import type { RunRecord } from "../core/run-record.ts";
import { spentOf } from "../core/spending.ts";
import { type SpentView, spentView } from "./readable.ts";

/** One thing paid for, or held for: a physical call of a model, a call of a tool, what a step spends. */
export interface Call {
  /** The seq of its reservation. */
  readonly seq: number;
  readonly path: Path;
  /** The model, or a name for what else is bought. */
  readonly model: string;
  readonly kind: Purchase;
  /** Milliseconds since 1970: when it was reserved, and when it was settled. */
  readonly at: number;
  readonly settledAt: number | undefined;
  /** The most it could cost. */
  readonly reserved: Spent;
  /** What counts against the limits: what it cost, or all that is reserved while nobody knows. */
  readonly spent: Spent;
  /** `in-doubt`: nobody knows what it cost, so all of it counts. `released`: it was never made. */
  readonly standing: "held" | "settled" | "in-doubt" | "released";
  /** The shared budgets it is charged to. */
  readonly accounts: readonly string[];
  /** What the model was sent, in stored form. */
  readonly sent: Json | undefined;
}

/** A call as `flujo lens trace --json` prints it. */
export interface CallView {
  readonly seq: number;
  readonly model: string;
  readonly kind: Purchase;
  /** ISO date. */
  readonly at: string;
  /** From its reservation to its settlement. */
  readonly tookMs: number | null;
  readonly standing: Call["standing"];
  readonly reserved: SpentView;
  readonly spent: SpentView;
  readonly accounts?: readonly string[];
}

/** Every call, in the order of the reservations. The sum of what they spent is what the run has spent. */
export function callsOf(entries: readonly Entry[], run: RunRecord): Call[] {
  const ends = new Map<number, Entry>();
  for (const entry of entries)
    if ((entry.type === "budget-settled" || entry.type === "budget-released") && !ends.has(entry.of))
      ends.set(entry.of, entry);
  const calls: Call[] = [];
  for (const entry of entries) {
    if (entry.type !== "budget-reserved") continue;
    const { seq, path, model, at, kind = "model-call", amount, accounts = [], sent } = entry;
    const { settled, doubt } = run.reservations.get(seq) ?? {};
    const end = ends.get(seq);
    calls.push({
      seq,
      path,
      model,
      kind,
      at,
      settledAt: end?.at,
      reserved: spentOf(amount, kind),
      spent: spentOf(settled ?? amount, kind),
      standing: standingOf(end, doubt === true),
      accounts,
      sent,
    });
  }
  return calls;
}

function standingOf(end: Entry | undefined, doubt: boolean): Call["standing"] {
  if (end === undefined) return "held";
  if (end.type === "budget-released") return "released";
  return doubt ? "in-doubt" : "settled";
}

export function callView({
  seq,
  model,
  kind,
  at,
  settledAt,
  standing,
  reserved,
  spent,
  accounts,
}: Call): CallView {
  return {
    seq,
    model,
    kind,
    at: new Date(at).toISOString(),
    tookMs: settledAt === undefined ? null : settledAt - at,
    standing,
    reserved: spentView(reserved),
    spent: spentView(spent),
    ...(accounts.length === 0 ? {} : { accounts }),
  };
}
