/** What the shared ledger of every store must hold, as claims: part of `testStore()`. */
import assert from "node:assert/strict";
import {
  type Account,
  balanceOf,
  type HoldRequest,
  type LedgerAnswer,
  noTally,
  type Tally,
  type Terms,
} from "../core/account.ts";
import type { Quote } from "../core/context.ts";
import type { Entry } from "../core/entries.ts";
import type { Limits } from "../core/limits.ts";
import type { Append, Lease, Store } from "../ports/store.ts";
import type { Claims } from "./store-claims/bench.ts";

const start = 1_700_000_000_000;
const patienceMs = 10_000;

export const ledgerClaims: Claims = {
  async "holds money, and posts what was spent of it"({ store }) {
    const holder = await holding(store);
    assert.deepEqual(await holder("a", 60), granted(60));
    assert.deepEqual(await used(store), { posted: 0n, pending: 60n });
    await settle(store, "a", 25);
    assert.deepEqual(await used(store), { posted: 25n, pending: 0n });
    assert.deepEqual((await account(store))?.holds, []);
  },

  async "shows what is held, for which run and call, since when"({ store }) {
    const holder = await holding(store);
    await holder("a", 60);
    const open = { id: "a", runId: "r", path: "/p/a", model: "test:m", at: start };
    assert.deepEqual((await account(store))?.holds, [{ ...open, amount: tally(60, 1) }]);
    assert.deepEqual((await account(store))?.limits, { picoUsd: "100" });
  },

  async "refuses what it can never pay, and holds nothing for it"({ store }) {
    const holder = await holding(store);
    await holder("a", 60);
    await settle(store, "a", 60);
    const answer = await holder("b", 41);
    assert.equal(answer.outcome, "refused");
    assert.equal(answer.outcome === "refused" && answer.scope, "tenant:acme");
    assert.deepEqual(await used(store), { posted: 60n, pending: 0n });
    assert.deepEqual(await holder("c", 40), granted(40));
  },

  async "makes wait what it can pay only when others have settled, and says for whom"({ store }) {
    const holder = await holding(store);
    await holder("a", 60);
    assert.deepEqual(await holder("b", 41), { outcome: "wait", number: 1, behind: ["r"] });
    assert.deepEqual(await used(store), { posted: 0n, pending: 60n });
    await settle(store, "a", 59);
    assert.deepEqual(await holder("b", 41), granted(41));
  },

  async "pays for the least that is worth it, when there is no more"({ store }) {
    const holder = await holding(store);
    await holder("a", 70);
    await settle(store, "a", 70);
    assert.deepEqual(await holder("b", 50, { quote: quoteOf(50, 10) }), granted(30));
    assert.deepEqual(await used(store), { posted: 70n, pending: 30n });
  },

  async "limits tokens, calls and tool calls as well"({ store }) {
    for (const [limits, quote] of [
      [{ tokens: 99 }, { ...quoteOf(50), inputTokens: 50 }],
      [{ calls: 0 }, quoteOf(1)],
      [{ toolCalls: 0 }, toolQuote(1n)],
    ] as const) {
      const scope = JSON.stringify(limits);
      const holder = await holding(store, terms(scope, limits), `r${Object.keys(limits)[0]}`);
      assert.equal((await holder("a", 0, { quote })).outcome, "refused", scope);
    }
    const holder = await holding(store, terms("tools", { toolCalls: 1, calls: 0 }), "t");
    assert.equal((await holder("tool 1", 0, { quote: toolQuote(5n) })).outcome, "granted");
    assert.equal((await holder("tool 2", 0, { quote: toolQuote(5n) })).outcome, "wait");
    await settle(store, "tool 1", 5, "tools", { calls: 0, toolCalls: 1 });
    assert.equal((await holder("tool 2", 0, { quote: toolQuote(5n) })).outcome, "refused");
  },

  async "counts a fixed price, and refuses it before it is paid"({ store }) {
    const holder = await holding(store);
    assert.equal((await holder("a", 0, { quote: toolQuote(101n) })).outcome, "refused");
    assert.equal((await holder("b", 0, { quote: toolQuote(99n) })).outcome, "granted");
    assert.deepEqual(await used(store), { posted: 0n, pending: 99n });
  },

  async "refuses a model without a price under a cost limit, and only counts it without one"({ store }) {
    const { rates: _, ...unpriced } = quoteOf(5);
    const holder = await holding(store);
    const refused = await holder("a", 0, { quote: unpriced });
    assert.equal(refused.outcome === "refused" && refused.why.kind, "unpriced");
    const free = await holding(store, terms("open", {}), "s");
    assert.equal((await free("b", 0, { quote: unpriced })).outcome, "granted");
  },

  async "holds on all accounts or on none"({ store }) {
    const both = [terms("wide", { picoUsd: "1000" }), terms("narrow", { picoUsd: "50" })];
    const holder = await holding(store, both);
    assert.equal((await holder("a", 51)).outcome, "refused");
    assert.deepEqual(await used(store, "wide"), { posted: 0n, pending: 0n });
    assert.deepEqual(await holder("b", 51, { quote: quoteOf(51, 1) }), granted(50));
    assert.equal((await holder("c", 1)).outcome, "wait");
    assert.deepEqual(await used(store, "wide"), { posted: 0n, pending: 50n });
    assert.deepEqual(await used(store, "narrow"), { posted: 0n, pending: 50n });
  },

  async "resolves each hold at most once, whoever comes second"({ store }) {
    const holder = await holding(store);
    await holder("a", 60);
    await settle(store, "a", 10);
    await settle(store, "a", 60);
    await settle(store, "never held", 60);
    assert.deepEqual(await used(store), { posted: 10n, pending: 0n });
    const twice = { scope: "tenant:acme", hold: "b", amount: tally(5, 1) };
    const other = { scope: "tenant:acme", hold: "c", amount: tally(7, 1) };
    await holder("b", 5);
    await holder("c", 7);
    await store.ledger({ kind: "settle", postings: [twice, other, twice] });
    assert.deepEqual(await used(store), { posted: 22n, pending: 0n });
    assert.equal((await account(store))?.posted.calls, 3);
  },

  async "answers as before when a hold is asked for again"({ store }) {
    const holder = await holding(store);
    assert.deepEqual(await holder("a", 60), granted(60));
    assert.deepEqual(await holder("a", 60), granted(60));
    assert.deepEqual(await used(store), { posted: 0n, pending: 60n });
  },

  async "voids a call that was never made: it cost nothing, and was no call"({ store }) {
    const holder = await holding(store);
    await holder("a", 100);
    await store.ledger({
      kind: "settle",
      postings: [{ scope: "tenant:acme", hold: "a", amount: noTally }],
    });
    assert.deepEqual((await account(store))?.posted, noTally);
    assert.deepEqual(await holder("b", 100), granted(100));
  },

  async "records what a provider billed beyond the hold, and grants nothing any more"({ store }) {
    const holder = await holding(store);
    await holder("a", 60);
    await settle(store, "a", 160);
    assert.deepEqual(await used(store), { posted: 160n, pending: 0n });
    assert.equal((await holder("b", 1)).outcome, "refused");
  },

  async "holds what has been spent already, whatever the limit says"({ store }) {
    const holder = await holding(store);
    await holder("a", 60);
    const reported = { ...quoteOf(70), reported: true } as const;
    assert.deepEqual(await holder("b", 0, { quote: reported }), granted(70));
    await settle(store, "b", 70);
    assert.deepEqual(await used(store), { posted: 70n, pending: 60n });
  },

  async "serves those who wait in the order they came"({ store }) {
    const holder = await holding(store);
    await holder("a", 100);
    assert.deepEqual(await holder("first", 80), { outcome: "wait", number: 1, behind: ["r"] });
    assert.deepEqual(await holder("second", 10), { outcome: "wait", number: 2, behind: ["r"] });
    assert.deepEqual(await holder("first", 80), { outcome: "wait", number: 1, behind: ["r"] });
    await settle(store, "a", 20);
    assert.equal((await holder("third", 10)).outcome, "wait");
    assert.equal((await holder("second", 10)).outcome, "wait");
    assert.deepEqual(await holder("first", 80), granted(80));
    await settle(store, "first", 10);
    assert.equal((await holder("third", 10)).outcome, "wait");
    assert.deepEqual(await holder("second", 10), granted(10));
    assert.deepEqual(await holder("third", 10), granted(10));
  },

  async "shows whose a place is, and tells who waits of the runs before it, then of those with money there"({
    store,
  }) {
    await (await holding(store, undefined, "payer"))("a", 100);
    const waiter = await holding(store, undefined, "waiter");
    await waiter("b", 60);
    await waiter("c", 60);
    const last = await holding(store, undefined, "last");
    assert.deepEqual(await last("d", 60), { outcome: "wait", number: 3, behind: ["waiter", "payer"] });
    const expiresAt = start + patienceMs;
    const place = (id: string, runId: string, number: number) => ({ id, runId, fence: 1, number, expiresAt });
    const queue = [place("b", "waiter", 1), place("c", "waiter", 2), place("d", "last", 3)];
    assert.deepEqual((await account(store))?.queue, queue);
  },

  async "names no more than the first eight runs of a queue"({ store }) {
    await (await holding(store, undefined, "payer"))("a", 100);
    const names = Array.from({ length: 10 }, (_, i) => `r${i}`);
    for (const name of names) await (await holding(store, undefined, name))(name, 60);
    const last = await holding(store, undefined, "last");
    const behind = [...names.slice(0, 8), "payer"];
    assert.deepEqual(await last("z", 60), { outcome: "wait", number: 11, behind });
  },

  async "does not let one overtake who waits for another account of the two"({ store }) {
    const [x, y] = [terms("x", { picoUsd: "10" }), terms("y", { picoUsd: "10" })];
    const both = await holding(store, [x, y], "r");
    const onlyX = await holding(store, x, "s");
    const onlyY = await holding(store, y, "t");
    await onlyX("a", 10);
    assert.equal((await both("b", 10)).outcome, "wait");
    assert.equal((await onlyY("c", 10)).outcome, "wait");
    const yAndMore = await holding(store, [terms("z"), y], "u");
    assert.equal((await yAndMore("d", 10)).outcome, "wait");
    await settle(store, "a", 0, "x");
    assert.deepEqual(await both("b", 10), granted(10));
  },

  async "forgets who does not come back for a place, and keeps who does"({ store }) {
    const holder = await holding(store);
    await holder("a", 100);
    await holder("gone", 100);
    await holder("patient", 100, { now: start + 1 });
    await settle(store, "a", 0);
    for (let at = 1_000; at < patienceMs; at += 1_000)
      assert.equal((await holder("patient", 100, { now: start + at })).outcome, "wait");
    assert.deepEqual(await holder("patient", 100, { now: start + patienceMs }), granted(100));
  },

  async "keeps a place as long as somebody comes back for it"({ store }) {
    const holder = await holding(store);
    await holder("a", 100);
    const asks = async (id: string, at: number): Promise<string> =>
      (await holder(id, 80, { now: start + at })).outcome;
    for (let at = 0; at <= 3 * patienceMs; at += 1_000) {
      assert.equal(await asks("patient", at), "wait");
      if (at > 2_000) assert.equal(await asks("rival", at), "wait");
    }
    await settle(store, "a", 20);
    assert.equal(await asks("rival", 3 * patienceMs), "wait");
    assert.equal(await asks("patient", 3 * patienceMs), "granted");
  },

  async "lets who gives up a place be passed"({ store }) {
    const holder = await holding(store);
    await holder("a", 100);
    await holder("first", 100);
    await holder("second", 100);
    await holder("third", 40);
    await settle(store, "a", 50);
    const leave = {
      kind: "leave",
      ids: ["first", "second", "unknown"],
      scopes: ["tenant:acme", "unknown"],
    } as const;
    assert.deepEqual(await store.ledger(leave), { outcome: "done" });
    assert.deepEqual(await store.accounts({ scopes: ["unknown"] }), []);
    assert.deepEqual(await holder("third", 40), granted(40));
    assert.deepEqual((await account(store))?.queue, []);
  },

  async "gives up the place of who is refused in the end"({ store }) {
    const holder = await holding(store);
    await holder("a", 60);
    await holder("b", 50);
    await holder("c", 30);
    await settle(store, "a", 60);
    assert.equal((await holder("b", 50)).outcome, "refused");
    assert.deepEqual(await holder("c", 30), granted(30));
  },

  async "keeps the limits an account has, whatever later runs declare"({ store }) {
    await (await holding(store))("a", 10);
    const generous = await holding(store, terms("tenant:acme", { picoUsd: "999999" }), "s");
    assert.equal((await generous("b", 101)).outcome, "refused");
    assert.deepEqual((await account(store))?.limits, { picoUsd: "100" });
  },

  async "sets and raises limits, whether there is an account or not"({ store }) {
    const amend = { kind: "amend", scope: "day" } as const;
    assert.deepEqual(await store.ledger({ ...amend, set: { picoUsd: "5", calls: 3 } }), { outcome: "done" });
    assert.deepEqual(await store.ledger({ ...amend, raise: { picoUsd: "7" } }), { outcome: "done" });
    assert.deepEqual((await account(store, "day"))?.limits, { picoUsd: "12", calls: 3 });
    assert.deepEqual(await store.ledger({ ...amend, raise: { tokens: 1 } }), { outcome: "unlimited" });
    assert.deepEqual(await store.ledger({ ...amend, set: { calls: null, tokens: 9 } }), { outcome: "done" });
    assert.deepEqual((await account(store, "day"))?.limits, { picoUsd: "12", tokens: 9 });
  },

  async "grants, once its limit is raised, what it had made wait"({ store }) {
    const holder = await holding(store);
    await holder("a", 100);
    assert.equal((await holder("b", 100)).outcome, "wait");
    await store.ledger({ kind: "amend", scope: "tenant:acme", raise: { picoUsd: "100" } });
    assert.deepEqual(await holder("b", 100), granted(100));
  },

  async "notes each alert once, with the run that caused it"({ store }) {
    const alerting = { ...terms("tenant:acme", { picoUsd: "100" }), alertAt: [50, 80] };
    const holder = await holding(store, alerting);
    assert.deepEqual(await holder("a", 60), { ...granted(60), alerting: true });
    assert.deepEqual((await account(store))?.alerts, []);
    await settle(store, "a", 55);
    const first = { percent: 50, of: "cost", runId: "r" };
    assert.deepEqual((await account(store))?.alerts, [first]);
    const other = await holding(store, alerting, "s");
    await other("b", 10);
    await settle(store, "b", 10);
    assert.deepEqual((await account(store))?.alerts, [first]);
    assert.deepEqual(await other("c", 30), { ...granted(30), alerting: true });
    await settle(store, "c", 30);
    assert.deepEqual((await account(store))?.alerts, [first, { percent: 80, of: "cost", runId: "s" }]);
    assert.deepEqual(await other("d", 5), granted(5));
  },

  async "keeps sums beyond 2^53 exactly"({ store }) {
    const limit = (2n ** 70n).toString();
    const holder = await holding(store, terms("tenant:acme", { picoUsd: limit }));
    const quote = { ...quoteOf(1), rates: { input: 0n, output: 2n ** 69n + 1n } };
    await holder("a", 0, { quote });
    await settle(store, "a", 2n ** 69n + 1n);
    assert.deepEqual(await used(store), { posted: 2n ** 69n + 1n, pending: 0n });
    assert.equal((await holder("b", 0, { quote })).outcome, "refused");
  },

  async "posts what a commit settles, together with its entries"({ store }) {
    const lease = await leaseOf(store, "r");
    await store.ledger(request(lease, "a", 60));
    assert.deepEqual(await store.commit([appendOf(lease, 0, "a", 25)]), ["appended"]);
    assert.deepEqual(await used(store), { posted: 25n, pending: 0n });
    assert.equal((await store.read("r", 0, 9))?.length, 1);
    await store.ledger(request(lease, "b", 10));
    await store.commit([{ ...appendOf(lease, 1, "b", 10), entries: [] }]);
    assert.deepEqual(await used(store), { posted: 35n, pending: 0n });
  },

  async "posts nothing of a commit that is refused"({ store }) {
    const lease = await leaseOf(store, "r");
    await store.ledger(request(lease, "a", 60));
    await assert.rejects(store.commit([appendOf(lease, 7, "a", 25)]));
    const newer = await store.acquire({ ...ask("r"), supersede: lease.fence });
    assert.equal(newer.outcome, "granted");
    assert.deepEqual(await store.commit([appendOf(lease, 0, "a", 25)]), ["fenced"]);
    assert.deepEqual(await used(store), { posted: 0n, pending: 60n });
  },

  async "holds nothing for a stale owner, nor for one that gave its lease back"({ store }) {
    const lease = await leaseOf(store, "r");
    const newer = await store.acquire({ ...ask("r"), supersede: lease.fence });
    assert.equal(newer.outcome, "granted");
    assert.deepEqual(await store.ledger(request(lease, "a", 60)), { outcome: "fenced" });
    const next = { ...lease, fence: lease.fence + 1 };
    assert.deepEqual(await store.ledger(request(next, "b", 60)), granted(60));
    await store.release(next);
    assert.deepEqual(await store.ledger(request(next, "c", 10)), { outcome: "fenced" });
    assert.deepEqual(await store.ledger(request({ ...lease, runId: "s" }, "d", 10)), { outcome: "fenced" });
    assert.deepEqual(await used(store), { posted: 0n, pending: 60n });
  },

  async "finds accounts by name, and by the run that has money there"({ store }) {
    const holder = await holding(store, terms("b"), "r");
    const other = await holding(store, terms("a"), "s");
    await holder("1", 10);
    await other("2", 10);
    const names = async (filter: Parameters<Store["accounts"]>[0]): Promise<string[]> =>
      (await store.accounts(filter)).map(({ scope }) => scope);
    assert.deepEqual(await names({}), ["a", "b"]);
    assert.deepEqual(await names({ limit: 1 }), ["a"]);
    assert.deepEqual(await names({ scopes: ["b", "unknown"] }), ["b"]);
    assert.deepEqual(await names({ heldBy: "r" }), ["b"]);
    await settle(store, "1", 10, "b");
    assert.deepEqual(await names({ heldBy: "r" }), []);
  },

  async "takes any name a scope can have"({ store }) {
    const scope = `Größe "x" ${"日本🌊'%_/\\".repeat(10)}`;
    const holder = await holding(store, terms(scope));
    assert.deepEqual(await holder("a", 1), granted(1));
    assert.equal((await account(store, scope))?.scope, scope);
  },

  async "is never over its limit, however many ask at once"({ store, other }) {
    const stores = [store, await other()];
    const lease = await leaseOf(store, "r");
    const ids = Array.from({ length: 40 }, (_, i) => `hold ${i}`);
    const answers = await Promise.all(
      ids.map((id, i) => (stores[i % 2] as Store).ledger(request(lease, id, 7))), // one of two
    );
    assert.equal(answers.filter(({ outcome }) => outcome === "granted").length, 14);
    assert.deepEqual(await used(store), { posted: 0n, pending: 98n });
  },
};

export const sharedLedgerClaims: Claims = {
  async "is one ledger for all processes"({ store, other }) {
    const second = await other();
    const holder = await holding(store);
    const there = await holding(second, terms("tenant:acme"), "s");
    await holder("a", 60);
    assert.deepEqual(await there("b", 50), { outcome: "wait", number: 1, behind: ["r"] });
    await settle(second, "a", 40);
    assert.deepEqual(await there("b", 50), granted(50));
    assert.deepEqual(await account(store), await account(second));
  },

  async "is found again after the store was closed"({ store, other }) {
    const holder = await holding(store);
    await holder("a", 60);
    await settle(store, "a", 30);
    await holder("b", 20);
    const before = await account(store);
    const second = await other();
    if (second !== store) await store.close();
    assert.deepEqual(await account(second), before);
    assert.deepEqual(await used(second), { posted: 30n, pending: 20n });
  },
};

const ask = (runId: string) => ({ runId, owner: "me", now: start, ttlMs: 30_000 });

async function leaseOf(store: Store, runId: string): Promise<Lease> {
  const answer = await store.acquire({ ...ask(runId), create: true });
  assert.equal(answer.outcome, "granted");
  return (answer as Extract<typeof answer, { outcome: "granted" }>).lease; // asserted above
}

const terms = (scope: string, limits: Limits = { picoUsd: "100" }): Terms => ({
  scope,
  limits,
  alertAt: [],
});

/** A call whose output costs one pico-dollar a token, and its input nothing. */
const quoteOf = (wanted: number, least = wanted): Quote => ({
  model: "test:m",
  inputTokens: 0,
  outputTokens: { wanted, least },
  rates: { input: 0n, output: 1n },
});

const toolQuote = (fee: bigint): Quote => ({
  model: "tool",
  kind: "tool-call",
  inputTokens: 0,
  outputTokens: { wanted: 0, least: 0 },
  fee,
});

type Changes = Partial<HoldRequest>;

const request = (lease: Lease, id: string, cost: number, changes: Changes = {}): HoldRequest => ({
  kind: "hold",
  id,
  runId: lease.runId,
  fence: lease.fence,
  path: `/p/${id}`,
  quote: quoteOf(cost),
  accounts: [terms("tenant:acme")],
  now: start,
  patienceMs,
  ...changes,
});

/** A run that holds money on accounts. */
async function holding(
  store: Store,
  accounts: Terms | readonly Terms[] = terms("tenant:acme"),
  runId = "r",
): Promise<(id: string, cost: number, changes?: Changes) => Promise<LedgerAnswer>> {
  const lease = await leaseOf(store, runId);
  const all = "scope" in accounts ? [accounts] : accounts;
  return (id, cost, changes) => store.ledger(request(lease, id, cost, { accounts: all, ...changes }));
}

const tally = (cost: number | bigint, calls: number, tokens = Number(cost)): Tally => ({
  picoUsd: String(cost),
  inputTokens: 0,
  outputTokens: tokens,
  calls,
  toolCalls: 0,
});

const granted = (cost: number): LedgerAnswer => ({
  outcome: "granted",
  outputTokens: cost,
  amount: tally(cost, 1),
  alerting: false,
});

const settle = (
  store: Store,
  hold: string,
  cost: number | bigint,
  scope = "tenant:acme",
  counts: Partial<Tally> = {},
) =>
  store.ledger({
    kind: "settle",
    postings: [{ scope, hold, amount: { ...tally(cost, 1, 0), ...counts } }],
  });

function appendOf(lease: Lease, seq: number, hold: string, cost: number): Append {
  const entry: Entry = {
    type: "budget-settled",
    path: "/p/a",
    of: 0,
    amount: tally(cost, 1),
    seq,
    at: start,
  };
  const postings = [{ scope: "tenant:acme", hold, amount: tally(cost, 1) }];
  return { runId: lease.runId, fence: lease.fence, entries: [entry], blobs: [], postings };
}

const account = async (store: Store, scope = "tenant:acme"): Promise<Account | undefined> =>
  (await store.accounts({ scopes: [scope] }))[0];

async function used(
  store: Store,
  scope = "tenant:acme",
): Promise<{ readonly posted: bigint; readonly pending: bigint }> {
  const found = await account(store, scope);
  assert.ok(found);
  const { posted, pending } = balanceOf(found);
  return { posted: posted.picoUsd, pending: pending.picoUsd };
}
