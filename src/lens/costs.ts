/** What runs cost, by pipeline, step, model and day, and what of it their shared budgets were charged. */
import { balanceOf } from "../core/account.ts";
import type { Entry } from "../core/entries.ts";
import { fold } from "../core/fold.ts";
import { addSpent, nothingSpent, type Spent } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import type { Store } from "../ports/store.ts";
import { callsOf } from "./calls.ts";
import { dayIn } from "./day.ts";
import { everyJournal, type Selection } from "./every-run.ts";
import { Places } from "./places.ts";
import { type SpentView, spentView } from "./readable.ts";
import { Totals } from "./totals.ts";

/**
 * Sums of runs, as `flujo lens costs --json` prints them. What is held counts, as it does against limits. Each of the lists
 * sums to `total`, to the last pico-dollar; that of `accounts` does not: not all is charged to shared budgets, and some
 * is to several.
 */
export interface Costs {
  readonly runs: number;
  readonly total: SpentView;
  /** Of the total: what is held for calls that are not settled yet, or counts because nobody knows what they cost. */
  readonly held: SpentView;
  readonly inDoubt: SpentView;
  /** The dearest first. */
  readonly pipelines: readonly {
    readonly pipeline: string;
    readonly runs: number;
    readonly spent: SpentView;
  }[];
  /** By place of the tree, all items and turns together. A container has only what is its own. */
  readonly steps: readonly { readonly pipeline: string; readonly step: Path; readonly spent: SpentView }[];
  /** Models, and by their names the tools and other things that money was spent on. */
  readonly models: readonly { readonly model: string; readonly spent: SpentView }[];
  /** By the day a call was reserved on, the first one first. */
  readonly days: readonly { readonly day: string; readonly spent: SpentView }[];
  readonly timeZone: string;
  readonly accounts: readonly AccountCosts[];
}

export interface AccountCosts {
  readonly scope: string;
  /** What these runs were charged to it. */
  readonly spent: SpentView;
  /** All that is posted and held on it, by these and other runs; null when there is no such account any more. */
  readonly all: SpentView | null;
}

export interface CostsOptions extends Selection {
  /** Whose days: an IANA name. Default `UTC`. */
  readonly timeZone?: string;
}

/** Reads the selected runs, one at a time: memory grows with steps, models and days, not with runs. */
export async function costs(store: Store, options: CostsOptions = {}): Promise<Costs> {
  const { timeZone = "UTC", ...selection } = options;
  const tally = new CostTally(dayIn(timeZone));
  const places = new Places(store);
  for await (const { entries } of everyJournal(store, selection)) await tally.take(entries, places);
  return { ...tally.view(), timeZone, accounts: await accountsOf(store, tally.accounts) };
}

/** What one run cost. */
export async function costsOfRun(store: Store, entries: readonly Entry[], timeZone = "UTC"): Promise<Costs> {
  const tally = new CostTally(dayIn(timeZone));
  await tally.take(entries, new Places(store));
  return { ...tally.view(), timeZone, accounts: await accountsOf(store, tally.accounts) };
}

/** Between a pipeline's name and a place in it: no name has it. */
const gap = "\n";

class CostTally {
  readonly accounts = new Totals();
  readonly #dayOf: (ms: number) => string;
  readonly #runs = new Map<string, number>();
  readonly #pipelines = new Totals();
  readonly #steps = new Totals();
  readonly #models = new Totals();
  readonly #days = new Totals();
  #total: Spent = nothingSpent;
  #held: Spent = nothingSpent;
  #inDoubt: Spent = nothingSpent;

  constructor(dayOf: (ms: number) => string) {
    this.#dayOf = dayOf;
  }

  async take(entries: readonly Entry[], places: Places): Promise<void> {
    const run = fold(entries);
    const pipeline = run.created?.pipeline ?? "";
    this.#runs.set(pipeline, (this.#runs.get(pipeline) ?? 0) + 1);
    this.#pipelines.add(pipeline, nothingSpent);
    const placeOf = await places.of(run.manifest);
    for (const { path, model, at, spent, standing, accounts } of callsOf(entries, run)) {
      this.#total = addSpent(this.#total, spent);
      if (standing === "held") this.#held = addSpent(this.#held, spent);
      if (standing === "in-doubt") this.#inDoubt = addSpent(this.#inDoubt, spent);
      this.#pipelines.add(pipeline, spent);
      this.#steps.add(pipeline + gap + placeOf(path), spent);
      this.#models.add(model, spent);
      this.#days.add(this.#dayOf(at), spent);
      for (const scope of accounts) this.accounts.add(scope, spent);
    }
  }

  view(): Omit<Costs, "timeZone" | "accounts"> {
    return {
      runs: [...this.#runs.values()].reduce((a, b) => a + b, 0),
      total: spentView(this.#total),
      held: spentView(this.#held),
      inDoubt: spentView(this.#inDoubt),
      pipelines: this.#pipelines.dearest.map(([pipeline, spent]) => ({
        pipeline,
        runs: this.#runs.get(pipeline) ?? 0,
        spent: spentView(spent),
      })),
      steps: this.#steps.dearest.map(([key, spent]) => {
        const [pipeline = "", step = ""] = key.split(gap);
        return { pipeline, step, spent: spentView(spent) };
      }),
      models: this.#models.dearest.map(([model, spent]) => ({ model, spent: spentView(spent) })),
      days: this.#days.byKey.map(([day, spent]) => ({ day, spent: spentView(spent) })),
    };
  }
}

async function accountsOf(store: Store, charged: Totals): Promise<AccountCosts[]> {
  const found: AccountCosts[] = [];
  for (const [scope, spent] of charged.byKey) {
    const [account] = await store.accounts({ scopes: [scope] });
    const balance = account && balanceOf(account);
    const all = balance === undefined ? null : spentView(addSpent(balance.posted, balance.pending));
    found.push({ scope, spent: spentView(spent), all });
  }
  return found;
}
