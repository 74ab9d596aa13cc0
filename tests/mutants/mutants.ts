/**
 * The guards of the ledger and of the outbox, each with what removes it. A guard that nobody misses is either not needed or not tested.
 * A text stands exactly once in its file, so that an edit which moves a guard is noticed here.
 */
export interface Mutant {
  /** What is no longer so. */
  readonly guard: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Found by the claims every store's ledger must meet. */
export const ofAccounts: readonly Mutant[] = [
  ...inFile("core/balance.ts", {
    "cost is limited": [
      "picoUsd !== undefined && used.picoUsd + worst.picoUsd",
      "false && used.picoUsd + worst.picoUsd",
    ],
    "tokens are limited": ["tokens !== undefined && asked > 0", "false && asked > 0"],
    "model calls are limited": ["calls !== undefined && worst.calls > 0", "false && worst.calls > 0"],
    "tool calls are limited": [
      "toolCalls !== undefined && worst.toolCalls > 0",
      "false && worst.toolCalls > 0",
    ],
    "only tool calls count as such": ['toolCalls: kind === "tool-call" ? 1 : 0', "toolCalls: 0"],
    "a model call counts as one": ['calls: kind === "model-call" ? 1 : 0', "calls: 0"],
    "a fee is part of the worst case": ["tokens + (quote.fee ?? 0n)", "tokens"],
    "what is pending counts": [
      "const used = addSpent(balance.posted, balance.pending);",
      "const used = balance.posted;",
    ],
    "who may be served later waits": ["if (balance.open > 0 &&", "if (false &&"],
    "the output cap shrinks to what can be paid": [
      "cap = Math.min(cap, affordableOutput(balance, used, quote));",
      "",
    ],
    "a model without a price is refused under a cost limit": [
      "balance.limits.picoUsd !== undefined && !isPriced(quote)",
      "false",
    ],
    "what is refused is refused by what is spent, not by what is held": [
      "shortOf(balance, balance.posted, worstCase(quote, smallest), now)",
      "shortOf(balance, addSpent(balance.posted, balance.pending), worstCase(quote, smallest), now)",
    ],
    "what has been spent already is recorded": ["if (quote.reported) return", "if (false) return"],
    "an alert is due when its part is reached": [
      "spent * 10_000n >= limit * share",
      "spent * 10_000n >= limit * 10_000n",
    ],
  }),
  ...inFile("core/account.ts", {
    "a hold is written down": ["holds: [...account.holds, open],", "holds: account.holds,"],
    "a hold asked for again is the same one": ["if (standing !== undefined) return", "if (false) return"],
    "nobody overtakes who waits": [
      'if (weighed.verdict === "wait" || !(isFirst || quote.reported)) {',
      'if (weighed.verdict === "wait") {',
    ],
    "every account's queue is heeded": ["accounts.every(({ queue })", "accounts.some(({ queue })"],
    "a place is kept in the queue": ["queue: [...account.queue, ticket] };", "queue: account.queue };"],
    "a place expires when nobody comes back for it": ["expiresAt > now);", "true);"],
    "who stands first is named": ["...first, ...accounts", "...accounts"],
    "a place is kept longer for who comes back": [
      "account.queue.map((other) => (other === known ? ticket : other))",
      "account.queue",
    ],
    "who is served gives the place up": ["...without(account, [id]),\n    holds", "...account,\n    holds"],
    "who is refused gives the place up": [
      "const left = accounts.map((account) => without(account, [id]));\n",
      "const left = accounts;\n",
    ],
    "who leaves gives the place up": ["known.map((account) => without(account, request.ids))", "known"],
    "an account keeps the limits it has": [
      "stored[i] ?? opened(terms)",
      "({ ...(stored[i] ?? opened(terms)), limits: terms.limits })",
    ],
    "what is posted is added to what was": [
      "addSpent(spentIn(account.posted), spentIn(amount))",
      "spentIn(amount)",
    ],
    "what is resolved is held no longer": ["account.holds.filter((held) => held !== open)", "account.holds"],
    "a hold is resolved once": ["|| open === undefined) continue;", ") continue;"],
    "several postings of one account add up": ["changed.get(scope) ?? find(scope)", "find(scope)"],
    "an alert comes once": ["alerts.every((alert) => alert.percent !== percent)", "true"],
    "what is not limited cannot be raised": [
      'if (limits === undefined) return { answer: { outcome: "unlimited" }, changed: [] };',
      "if (limits === undefined) throw new Error();",
    ],
    "a limit that is taken away is gone": ["limit != null", "limit !== undefined"],
    "pending is the sum of what is held": [
      "map(({ amount }) => spentIn(amount)).reduce(addSpent, nothingSpent)",
      "map(({ amount }) => spentIn(amount)).reduce((_, last) => last, nothingSpent)",
    ],
  }),
  ...inFile("core/limits.ts", {
    "a raise adds to the limit": ["(BigInt(limits.picoUsd) + BigInt(by.picoUsd))", "BigInt(by.picoUsd)"],
  }),
  ...inFile("stores/memory.ts", {
    "a stale owner holds nothing": [
      'request.kind === "hold" && owned(request.runId, request.fence) === undefined',
      "false",
    ],
    "a commit posts what it settles": ["if (append.postings !== undefined) change(", "if (false) change("],
  }),
];

/** Found by the simulations. */
export const ofTheEngine: readonly Mutant[] = [
  ...inFile("budget/ledger.ts", {
    "what is held on a run's accounts is pending": ["scope.pending = addSpent(scope.pending, worst);", ""],
    "what is settled is posted there": ["scope.posted = addSpent(scope.posted, actual);", ""],
    "what is settled is pending no longer": ["scope.pending = lessSpent(scope.pending, worst);", ""],
    "what shared accounts do not pay for is given back": [
      "scope.pending = addSpent(lessSpent(scope.pending, from), to)",
      "void [addSpent, lessSpent, from, to]",
    ],
  }),
  ...inFile("engine/treasury.ts", {
    "a reservation is safe before its call": [
      "if (shared !== undefined || !isFree(worst, scopes)) await this.#journal.sync();",
      "",
    ],
    "what earlier owners spent counts on a place": ["before.reduce(addSpent, nothingSpent)", "nothingSpent"],
    "a settlement is posted on shared accounts": [
      "if (held.shared !== undefined) this.#journal.post(",
      "if (false) this.#journal.post(",
    ],
    "shared accounts are asked": [
      "if (this.#commons === undefined) return undefined;",
      "if (true) return undefined;",
    ],
    "what is refused by shared accounts is given back to the run's": [
      "post(scopes, worst, nothingSpent);\n      this.#serve();\n      throw error;",
      "throw error;",
    ],
    "who waits is looked at after each settlement": [
      "    this.#alert(held.scopes);\n    this.#serve();",
      "    this.#alert(held.scopes);",
    ],
  }),
  ...inFile("engine/reconcile.ts", {
    "a call in doubt is settled by the next owner": [
      "if (settled === undefined) journal.put(",
      "if (false) journal.put(",
    ],
    "what it was in doubt about is posted in full": [
      "fates.set(hold, tallyOf(spentOf(settled ?? amount, kind)))",
      "fates.set(hold, noTally)",
    ],
    "what was held and never used is voided": ["  journal.post(postings);", "  journal.post([]);"],
    "only the run's own holds are resolved": ["hold.runId === runId", "true"],
    "the places of a dead process are given up": ["if (left.length > 0) await", "if (left.length < 0) await"],
    "only the run's own places are given up": ["place.runId === runId &&", ""],
  }),
  ...inFile("engine/paid.ts", {
    "a call that broke off is spent in full": [
      "else tenure.treasury.doubt(held);",
      "else tenure.treasury.release(held);",
    ],
  }),
  ...inFile("engine/commons.ts", {
    "a run is given up when the store does not answer for a hold": ["    this.#onLost(error);\n", ""],
    "what a dead run holds is settled by who waits behind it": [
      "await estatesOf(this.#store).settle(this.#world, others);",
      "",
    ],
  }),
];

/** Found by scenes, and by the simulation with a receiver that fails in every way. */
export const ofTheOutbox: readonly Mutant[] = [
  ...inFile("events/outbox.ts", {
    "a cursor is there before anything of the run is recorded": [
      "await Promise.all(this.#routes.map((route) => this.#open(route, runId)));",
      "",
    ],
    "a cursor that could not be made is made later": ["this.#unopened.add(keyOf(route, runId));", ""],
    "what is recorded while a courier is under way is told, too": [
      "lane.again = true;",
      "lane.again = lane.under === undefined;",
    ],
    "a sweep delivers what others have left": [
      "(await store.read(runId, cursor.next, 1))?.length !== 0",
      "(await store.read(runId, cursor.next, 1)) === undefined",
    ],
    "a try that failed is repeated": ["lane.off = world.timer(", "void (() => () => {})("],
  }),
  ...inFile("events/courier.ts", {
    "an event that failed is not passed over": [
      'if (outcome?.outcome === "failed") return this.#wait(at, entry, outcome);',
      "",
    ],
    "a cursor moves by one event": [
      "this.#move(at, entry.seq + 1, undefined)",
      "this.#move(at, entry.seq + 2, undefined)",
    ],
    "only the end of a run closes its cursor": [
      'entry.type === "run-completed" || (entry.type === "run-cancelled" && entry.left === undefined)',
      'entry.type.startsWith("run-") && entry.type !== "run-created"',
    ],
    "what waits keeps its place": [
      "      next: entry.seq,\n      failing:",
      "      next: entry.seq + 1,\n      failing:",
    ],
  }),
  ...inFile("events/attempt.ts", {
    "a sink that fails has not taken the event": [
      'if (!FlujoError.isInstance(error)) return { outcome: "failed", why };',
      'if (!FlujoError.isInstance(error)) return { outcome: "delivered" };',
    ],
  }),
  ...inFile("events/delivery-id.ts", {
    "an event has one id, however often it is sent": [
      "JSON.stringify([sink, runId, createdAt, seq, at])",
      "JSON.stringify([sink, runId, createdAt, seq, at, Math.random()])",
    ],
  }),
];

function inFile(
  file: string,
  guards: { readonly [guard: string]: readonly [from: string, to: string] },
): Mutant[] {
  return Object.entries(guards).map(([guard, [from, to]]) => ({ guard, file, from, to }));
}
