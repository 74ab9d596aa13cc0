/** How runs go: how many end well, how long they and their steps take, what they cost. */
import type { Entry } from "../core/entries.ts";
import { fold } from "../core/fold.ts";
import { addSpent, nothingSpent, type Spent } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import type { RunStatus } from "../core/run-record.ts";
import type { Store } from "../ports/store.ts";
import { callsOf } from "./calls.ts";
import { dayIn } from "./day.ts";
import { everyJournal, type Selection } from "./every-run.ts";
import { Places } from "./places.ts";
import { Quantiles } from "./quantiles.ts";
import { type SpentView, spentView } from "./readable.ts";

/** Figures of runs, as `flujo lens stats --json` prints them. */
export interface Stats {
  readonly runs: number;
  readonly pipelines: readonly PipelineStats[];
  /** Places of the trees that did work or spent something, the dearest first, then the slowest. */
  readonly steps: readonly StepStats[];
  /** The dearest first. */
  readonly models: readonly ModelStats[];
  /** By the day runs were made on, the first one first. */
  readonly days: readonly DayStats[];
  readonly timeZone: string;
}

export type StatusCounts = { readonly [status in RunStatus]: number };

export interface PipelineStats {
  readonly pipeline: string;
  readonly runs: number;
  readonly statuses: StatusCounts;
  /** Of the runs that completed, failed, halted or were cancelled: the share that completed, from 0 to 1; null of none. */
  readonly completedShare: number | null;
  /** Of completed runs, from the first entry to the last: pauses and waits for people included. */
  readonly durationMs: LatencyView;
  readonly spent: SpentView;
}

export interface StepStats {
  readonly pipeline: string;
  readonly step: Path;
  readonly kind: string;
  /** Results recorded, those from the cache among them. */
  readonly completed: number;
  readonly cached: number;
  /** Attempts that failed. */
  readonly failed: number;
  /** Of attempts that succeeded, without those from the cache. */
  readonly durationMs: LatencyView;
  readonly spent: SpentView;
}

export interface ModelStats {
  readonly model: string;
  /** Physical calls: tries, not operations. */
  readonly calls: number;
  /** Of them: never made, or nobody knows what they cost (the line broke, the process died). */
  readonly released: number;
  readonly inDoubt: number;
  /** Of settled calls, from reservation to settlement. */
  readonly durationMs: LatencyView;
  readonly spent: SpentView;
}

export interface DayStats {
  readonly day: string;
  readonly runs: number;
  readonly statuses: StatusCounts;
  /** What the runs that were made that day have spent, whenever they did. */
  readonly spent: SpentView;
}

/** Milliseconds; null of none. Exact below 256 ms, at most 0.8 % too high above; `max` is exact. */
export interface LatencyView {
  readonly p50: number | null;
  readonly p95: number | null;
  readonly max: number | null;
}

export interface StatsOptions extends Selection {
  /** Whose days: an IANA name. Default `UTC`. */
  readonly timeZone?: string;
}

/** Reads the selected runs, one at a time: memory grows with steps, models and days, not with runs. */
export async function stats(store: Store, options: StatsOptions = {}): Promise<Stats> {
  const { timeZone = "UTC", ...selection } = options;
  const survey = new Survey(dayIn(timeZone), new Places(store));
  for await (const { entries } of everyJournal(store, selection)) await survey.take(entries);
  return { ...survey.view(), timeZone };
}

interface Runs {
  readonly statuses: Record<RunStatus, number>;
  readonly durations: Quantiles;
  spent: Spent;
}

interface Step {
  readonly pipeline: string;
  readonly step: Path;
  kind: string;
  completed: number;
  cached: number;
  failed: number;
  readonly durations: Quantiles;
  spent: Spent;
}

interface Model {
  calls: number;
  released: number;
  inDoubt: number;
  readonly durations: Quantiles;
  spent: Spent;
}

class Survey {
  readonly #dayOf: (ms: number) => string;
  readonly #places: Places;
  readonly #pipelines = new Map<string, Runs>();
  readonly #days = new Map<string, Runs>();
  readonly #steps = new Map<string, Step>();
  readonly #models = new Map<string, Model>();

  constructor(dayOf: (ms: number) => string, places: Places) {
    this.#dayOf = dayOf;
    this.#places = places;
  }

  async take(entries: readonly Entry[]): Promise<void> {
    const run = fold(entries);
    const pipeline = run.created?.pipeline ?? "";
    const began = run.created?.at ?? run.updatedAt;
    for (const runs of [
      got(this.#pipelines, pipeline, noRuns),
      got(this.#days, this.#dayOf(began), noRuns),
    ]) {
      runs.statuses[run.status] += 1;
      runs.spent = addSpent(runs.spent, run.spent);
      if (run.status === "completed") runs.durations.add(run.updatedAt - began);
    }
    const placeOf = await this.#places.of(run.manifest);
    const stepAt = (path: Path): Step => {
      const step = placeOf(path);
      return got(this.#steps, `${pipeline}\n${step}`, () => noStep(pipeline, step));
    };
    for (const entry of entries) count(entry, stepAt);
    for (const { path, model, kind, at, settledAt, spent, standing } of callsOf(entries, run)) {
      const step = stepAt(path);
      step.spent = addSpent(step.spent, spent);
      if (kind !== "model-call") continue;
      const calls = got(this.#models, model, noModel);
      calls.calls += 1;
      calls.spent = addSpent(calls.spent, spent);
      if (standing === "released") calls.released += 1;
      if (standing === "in-doubt") calls.inDoubt += 1;
      if (standing === "settled" && settledAt !== undefined) calls.durations.add(settledAt - at);
    }
  }

  view(): Omit<Stats, "timeZone"> {
    const pipelines = [...this.#pipelines].sort(([a], [b]) => (a < b ? -1 : 1));
    const days = [...this.#days].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      runs: pipelines.reduce((sum, [, { statuses }]) => sum + total(statuses), 0),
      pipelines: pipelines.map(([pipeline, { statuses, durations, spent }]) => ({
        pipeline,
        runs: total(statuses),
        statuses,
        completedShare: completedShare(statuses),
        durationMs: latency(durations),
        spent: spentView(spent),
      })),
      steps: [...this.#steps.values()]
        .sort(
          (a, b) =>
            dearer(a, b) || (b.durations.max ?? 0) - (a.durations.max ?? 0) || (a.step < b.step ? -1 : 1),
        )
        .map(({ durations, spent, ...counts }) => ({
          ...counts,
          durationMs: latency(durations),
          spent: spentView(spent),
        })),
      models: [...this.#models]
        .sort(([a, x], [b, y]) => dearer(x, y) || (a < b ? -1 : 1))
        .map(([model, { durations, spent, ...counts }]) => ({
          model,
          ...counts,
          durationMs: latency(durations),
          spent: spentView(spent),
        })),
      days: days.map(([day, { statuses, spent }]) => ({
        day,
        runs: total(statuses),
        statuses,
        spent: spentView(spent),
      })),
    };
  }
}

/** Work of places: an operation inside a body counts for the body's own time, not beside it. */
function count(entry: Entry, stepAt: (path: Path) => Step): void {
  switch (entry.type) {
    case "step-completed": {
      const step = stepAt(entry.path);
      step.kind = entry.kind;
      step.completed += 1;
      if (entry.cached) step.cached += 1;
      else step.durations.add(entry.took ?? 0);
      return;
    }
    case "container-completed": {
      const step = stepAt(entry.path);
      step.kind = entry.kind;
      step.completed += 1;
      step.durations.add(entry.took);
      return;
    }
    case "step-failed": {
      const step = stepAt(entry.path);
      step.kind = entry.kind;
      step.failed += 1;
      return;
    }
    default:
      return;
  }
}

function got<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

const noRuns = (): Runs => ({
  statuses: { running: 0, completed: 0, failed: 0, halted: 0, waiting: 0, cancelled: 0 },
  durations: new Quantiles(),
  spent: nothingSpent,
});

const noStep = (pipeline: string, step: Path): Step => ({
  ...{ pipeline, step, kind: "", completed: 0, cached: 0, failed: 0 },
  ...{ durations: new Quantiles(), spent: nothingSpent },
});

const noModel = (): Model => ({
  ...{ calls: 0, released: 0, inDoubt: 0 },
  ...{ durations: new Quantiles(), spent: nothingSpent },
});

const total = (statuses: StatusCounts): number => Object.values(statuses).reduce((a, b) => a + b, 0);

function completedShare({ completed, failed, halted, cancelled }: StatusCounts): number | null {
  const ended = completed + failed + halted + cancelled;
  return ended === 0 ? null : completed / ended;
}

const dearer = (a: { readonly spent: Spent }, b: { readonly spent: Spent }): number =>
  a.spent.picoUsd === b.spent.picoUsd ? 0 : a.spent.picoUsd < b.spent.picoUsd ? 1 : -1;

const latency = (durations: Quantiles): LatencyView => ({
  p50: durations.at(0.5) ?? null,
  p95: durations.at(0.95) ?? null,
  max: durations.max ?? null,
});
