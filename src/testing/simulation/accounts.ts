/**
 * What a journal says about money, worked out a second time and in another way than the engine does: entry by entry,
 * with floating-point numbers well inside their exact range, and with membership taken from the tree.
 */
import type { Amount, Entry, EntryOf } from "../../core/entries.ts";
import type { Limits } from "../../core/limits.ts";
import { isQualifier, type Node, nameOf } from "../../core/node.ts";
import { pathSegment, undoAround } from "../../core/paths.ts";
import { inside, places } from "../../core/tree.ts";

/** A place with a budget: its limits, and the names of the places it covers. Keyed by the name it goes by. */
export type Budgets = ReadonlyMap<string, { readonly limits: Limits; readonly covers: ReadonlySet<string> }>;

/** The budgets inside a tree whose names are unique. */
export function budgetsIn(
  node: Node,
  found = new Map<string, { limits: Limits; covers: Set<string> }>(),
): Budgets {
  if (node.kind === "sequence") {
    budgetsIn(node.before, found);
    budgetsIn(node.next, found);
  } else if (isQualifier(node)) {
    if (node.kind === "budget") {
      const covers = new Set(places(node.of).map((place) => pathSegment(place.name)));
      found.set(pathSegment(nameOf(node.of)), { limits: node.limits, covers });
    }
    budgetsIn(node.of, found);
    if (node.kind === "fallback") budgetsIn(node.other, found);
  } else {
    for (const sub of inside(node, "")) budgetsIn(sub.node, found);
  }
  return found;
}

interface Account {
  picoUsd: number;
  tokens: number;
  /** Of models. */
  calls: number;
  toolCalls: number;
}
interface Held extends Account {
  readonly path: string;
  open: boolean;
}

export class Accounts {
  readonly #held = new Map<number, Held>();
  readonly #opened = new Set<string>();
  /** The run's limits now in force. */
  limits: Limits = {};

  /** Takes an entry in. Returns what is wrong now, as sentences. */
  take(entry: Entry, budgets: Budgets): string[] {
    switch (entry.type) {
      case "run-created":
      case "run-resumed":
        this.limits = { ...this.limits, ...entry.limits };
        return [];
      case "scope-opened":
        this.#opened.add(entry.path);
        return [];
      case "budget-reserved":
        this.#held.set(entry.seq, { path: entry.path, ...accountOf(entry), open: true });
        return this.#over(entry.path, budgets);
      case "budget-settled":
        return this.#settle(entry.of, amountOf(entry.amount), entry.path, budgets);
      case "budget-released":
        return this.#settle(entry.of, { picoUsd: 0, tokens: 0 }, entry.path, budgets);
      case "budget-breached":
        return [`a breach is recorded at ${entry.path}, and the model keeps to its caps`];
      default:
        return [];
    }
  }

  /** The path of a reservation that is still open. */
  openAt(seq: number): (Readonly<Account> & { readonly path: string }) | undefined {
    const held = this.#held.get(seq);
    return held?.open ? held : undefined;
  }

  /** Where the call of a reservation was made. */
  pathOf(seq: number): string | undefined {
    return this.#held.get(seq)?.path;
  }

  #settle(
    seq: number,
    amount: Pick<Account, "picoUsd" | "tokens">,
    path: string,
    budgets: Budgets,
  ): string[] {
    const held = this.#held.get(seq);
    if (held === undefined) return [`entry of ${path} settles ${seq}, which reserved nothing`];
    if (!held.open) return [`the reservation ${seq} of ${path} is settled twice`];
    // What was held already counts: only more than that is news. (Whoever built the tree long ago has lower limits.)
    const isMore = amount.picoUsd > held.picoUsd || amount.tokens > held.tokens;
    Object.assign(held, amount, { open: false });
    return isMore ? this.#over(path, budgets) : [];
  }

  #over(path: string, budgets: Budgets): string[] {
    const wrong = exceeded(
      "the run",
      this.#sum(() => true),
      this.limits,
    );
    for (const scope of this.#opened) {
      const at = scope.lastIndexOf("/");
      const budget = budgets.get(scope.slice(at + 1));
      if (budget === undefined) {
        wrong.push(`${scope} has an account, and the tree has no budget there`);
        continue;
      }
      const covers = (other: string): boolean =>
        undoAround(other) === undefined && // the run pays for it
        [...budget.covers].some((name) => isAtOrBelow(other, `${scope.slice(0, at)}/${name}`));
      if (covers(path)) wrong.push(...exceeded(scope, this.#sum(covers), budget.limits));
    }
    return wrong;
  }

  #sum(counts: (path: string) => boolean): Account {
    const sum = { picoUsd: 0, tokens: 0, calls: 0, toolCalls: 0 };
    for (const held of this.#held.values()) {
      if (!counts(held.path)) continue;
      sum.picoUsd += held.picoUsd;
      sum.tokens += held.tokens;
      sum.calls += held.calls;
      sum.toolCalls += held.toolCalls;
    }
    return sum;
  }
}

const isAtOrBelow = (path: string, place: string): boolean =>
  path === place || (path.startsWith(place) && "/[@:".includes(path.charAt(place.length)));

const amountOf = (amount: Amount): Pick<Account, "picoUsd" | "tokens"> => ({
  picoUsd: Number(amount.picoUsd),
  tokens: amount.inputTokens + amount.outputTokens,
});

const accountOf = ({ amount, kind }: EntryOf<"budget-reserved">): Account => ({
  ...amountOf(amount),
  calls: kind === undefined ? 1 : 0,
  toolCalls: kind === "tool-call" ? 1 : 0,
});

/** Which limits an account is over, as sentences. */
export function exceeded(
  whose: string,
  used: Omit<Account, "toolCalls"> & Partial<Account>,
  { picoUsd, tokens, calls, toolCalls }: Limits,
): string[] {
  const wrong: string[] = [];
  const compare = (what: string, has: number, limit: number | undefined): void => {
    if (limit !== undefined && has > limit) wrong.push(`${whose} has used ${has} ${what} of ${limit}`);
  };
  compare("pico-dollars", used.picoUsd, picoUsd === undefined ? undefined : Number(picoUsd));
  compare("tokens", used.tokens, tokens);
  compare("calls", used.calls, calls);
  compare("tool calls", used.toolCalls ?? 0, toolCalls);
  return wrong;
}
