import { describe, expect, it } from "vitest";
import {
  type Account,
  decide,
  type HoldRequest,
  type LedgerAnswer,
  type LedgerRequest,
} from "../../core/account.ts";
import { chance } from "../chance.ts";
import type { Call } from "./call.ts";
import { drawnHistory } from "./drawn.ts";
import { checkLedger } from "./ledger.ts";

const never = Number.POSITIVE_INFINITY;
type Span = readonly [start: number, end: number];
let calls = 0;

/** Books that are kept as they should be, to take true answers from. */
class Books {
  readonly #accounts = new Map<string, Account>();

  answer(request: LedgerRequest): LedgerAnswer {
    const { answer, changed } = decide((scope) => this.#accounts.get(scope), request);
    for (const account of changed) this.#accounts.set(account.scope, account);
    return answer;
  }

  get all(): readonly Account[] {
    return [...this.#accounts.values()];
  }
}

const hold = (id: string, cost: number, fence = 1): HoldRequest => ({
  ...{ kind: "hold", id, runId: "r", fence, path: "/p", now: 0, patienceMs: 1_000 },
  quote: {
    ...{ model: "m", inputTokens: 0, outputTokens: { wanted: cost, least: cost } },
    rates: { input: 0n, output: 1n },
  },
  accounts: [{ scope: "a", limits: { picoUsd: "10" }, alertAt: [] }],
});

const settle = (id: string, cost: number): LedgerRequest => ({
  kind: "settle",
  postings: [
    {
      scope: "a",
      hold: id,
      amount: { picoUsd: String(cost), inputTokens: 0, outputTokens: cost, calls: 1, toolCalls: 0 },
    },
  ],
});

const asks = ([start, end]: Span, asked: LedgerRequest, answer: LedgerAnswer | undefined): Call => ({
  ...{ kind: "ledger", id: `ledger ${calls++}`, start, end, asked },
  answer: end === never ? undefined : answer,
});

const sees = ([start, end]: Span, answer: readonly Account[]): Call => ({
  ...{ kind: "accounts", id: `accounts ${calls++}`, start, end, asked: ["a"], answer },
});

const lease = ([start, end]: Span, fence: number): Call => ({
  ...{ kind: "acquire", id: `lease ${calls++}`, start, end },
  asked: { runId: "r", owner: "me", now: 0, ttlMs: 1 },
  answer: { outcome: "granted", lease: { runId: "r", owner: "me", fence, expiresAt: 1 } },
});

const crash = ([start, end]: Span): Call => ({
  ...{ kind: "crash", id: `crash ${calls++}`, start, end, asked: null, answer: null },
});

/** What honest books answer when these are asked one after the other. */
function answers(...requests: LedgerRequest[]): {
  readonly answers: LedgerAnswer[];
  readonly books: readonly Account[];
} {
  const books = new Books();
  return { answers: requests.map((request) => books.answer(request)), books: books.all };
}

const first = answers(hold("x", 6));
const second = answers(hold("y", 6));
const [, waits] = answers(hold("x", 6), hold("y", 6)).answers;
const [, , refused] = answers(hold("x", 6), settle("x", 6), hold("y", 6)).answers;
const settled = answers(hold("x", 6), settle("x", 5));
const [done] = answers(settle("x", 0)).answers;
const [granted] = first.answers;

describe("a history of the ledger that some order explains", () => {
  it.each<[claim: string, history: Call[]]>([
    [
      "of holds, settlements and looks, one after the other",
      [
        ...[lease([0, 1], 1), asks([2, 3], hold("x", 6), granted), sees([4, 5], first.books)],
        ...[asks([6, 7], settle("x", 5), done), sees([8, 9], settled.books)],
      ],
    ],
    [
      "of two at once, of which the one who came later was first",
      [lease([0, 1], 1), asks([2, 9], hold("y", 6), waits), asks([3, 8], hold("x", 6), granted)],
    ],
    [
      "of a hold without an answer that was done",
      [lease([0, 1], 1), asks([2, never], hold("x", 6), undefined), sees([3, 4], first.books)],
    ],
    [
      "of a hold without an answer that was done late",
      [
        ...[lease([0, 1], 1), asks([2, never], hold("x", 6), undefined)],
        ...[sees([3, 4], []), sees([5, 6], first.books)],
      ],
    ],
    [
      "of a hold without an answer that was not done",
      [
        lease([0, 1], 1),
        asks([2, never], hold("x", 6), undefined),
        asks([3, 4], hold("y", 6), second.answers[0]),
      ],
    ],
    [
      "of a hold that a crash of the server has undone, for nothing had followed it",
      [lease([0, 1], 1), asks([2, 3], hold("x", 6), granted), crash([4, 5]), sees([6, 7], [])],
    ],
    [
      "of a stale owner who was refused",
      [lease([0, 1], 2), asks([2, 3], hold("x", 6), { outcome: "fenced" })],
    ],
  ])("%s, is accepted", (_, history) => {
    expect(checkLedger(history)).toEqual([]);
  });
});

describe("a history of the ledger is rejected", () => {
  it.each<[claim: string, history: Call[]]>([
    [
      "where more is granted than the account may pay",
      [lease([0, 1], 1), asks([2, 9], hold("x", 6), granted), asks([3, 8], hold("y", 6), second.answers[0])],
    ],
    ["where somebody is refused what fits", [lease([0, 1], 1), asks([2, 3], hold("y", 6), refused)]],
    ["where somebody waits for nobody", [lease([0, 1], 1), asks([2, 3], hold("y", 6), waits)]],
    [
      "where a settlement is seen before its hold was asked for",
      [lease([0, 1], 1), sees([2, 3], settled.books), asks([4, 5], hold("x", 6), granted)],
    ],
    [
      "where a hold that was granted is gone",
      [lease([0, 1], 1), asks([2, 3], hold("x", 6), granted), sees([4, 5], [])],
    ],
    [
      "where a look is stale",
      [
        ...[lease([0, 1], 1), asks([2, 3], hold("x", 6), granted), asks([4, 5], settle("x", 5), done)],
        sees([6, 7], first.books),
      ],
    ],
    [
      "where something is posted twice",
      [
        ...[lease([0, 1], 1), asks([2, 3], hold("x", 6), granted), asks([4, 5], settle("x", 5), done)],
        sees(
          [6, 7],
          settled.books.map((account) => ({ ...account, posted: { ...account.posted, picoUsd: "10" } })),
        ),
      ],
    ],
    [
      "where a stale owner is granted something",
      [lease([0, 1], 1), lease([2, 3], 2), asks([4, 5], hold("x", 6), granted)],
    ],
    [
      "where a crash has undone what a commit had followed",
      [
        ...[lease([0, 1], 1), asks([2, 3], hold("x", 6), granted)],
        {
          ...{ kind: "commit", id: "commit", start: 4, end: 5, answer: ["appended"] },
          asked: [
            {
              runId: "r",
              fence: 1,
              from: 0,
              entries: ["e"],
              postings: [{ scope: "b", hold: "z", amount: zero() }],
            },
          ],
        },
        ...[crash([6, 7]), sees([8, 9], [])],
      ],
    ],
  ])("%s", (_, history) => {
    expect(checkLedger(history).join("\n")).toMatch(/none of these can come next/);
  });

  it("or the search says that it knows neither", () => {
    const many = Array.from({ length: 12 }, (_, i) =>
      asks([2, 50 + i], hold(`h${i}`, 1, 9), { outcome: "fenced" }),
    );
    const history = [lease([0, 1], 1), ...many, sees([3, 49], first.books)];
    expect(() => checkLedger(history, { most: 100 })).toThrow(RangeError);
  });
});

describe("a history of a thousand calls, of which dozens have no answer", () => {
  const faults = { killed: 0.002, cut: 0.03 };
  const drawn = (seed: number, forgets: boolean): readonly Call[] => {
    const crashed = forgets ? 0.001 : 0.003;
    return drawnHistory({ chance: chance(seed), processes: 4, turns: 100, ...faults, crashed, forgets });
  };

  it.each([
    { of: "that keeps all it has answered", forgets: false, seeds: [2, 3, 4, 5] },
    { of: "whose ends undo what no commit has followed", forgets: true, seeds: [3, 4, 6] },
  ])("is decided, of a store $of", ({ forgets, seeds }) => {
    let [calls, unanswered] = [0, 0];
    for (const seed of seeds) {
      const history = drawn(seed, forgets);
      expect([seed, checkLedger(history)]).toEqual([seed, []]);
      calls += history.length;
      unanswered += history.filter(({ answer }) => answer === undefined).length;
    }
    expect(calls).toBeGreaterThan(3_000);
    expect(unanswered).toBeGreaterThan(100);
  });

  it("is not explained where a look tells of a cent more or less than was posted", () => {
    const history = drawn(4, false).map((call): Call => {
      if (call.kind !== "accounts" || call.id !== "last look") return call;
      const answer = call.answer?.map((account) => ({
        ...account,
        posted: { ...account.posted, picoUsd: `${BigInt(account.posted.picoUsd) + 1n}` },
      }));
      return { ...call, answer };
    });
    const judged = (): readonly string[] => {
      try {
        return checkLedger(history, { most: 2_000 });
      } catch (error) {
        return [String(error)];
      }
    };
    expect(judged().join("\n")).toMatch(/none of these can come next|none excluded/);
  });
});

function zero() {
  return { picoUsd: "0", inputTokens: 0, outputTokens: 0, calls: 0, toolCalls: 0 };
}
