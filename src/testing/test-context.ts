import type { Errand, Grant, PaidContext, Quote, Receipt, Remaining, Spending } from "../core/context.ts";
import { operationPath } from "../core/paths.ts";
import type { Piece } from "../core/streamed.ts";

export interface TestContextOptions<State> {
  readonly state?: State;
  /** What `settings` holds. Default: nothing. */
  readonly settings?: object;
  /** What `models()` returns. */
  readonly models?: object;
  /** What an earlier context recorded: its operations are returned, not repeated. */
  readonly recorded?: Map<string, unknown>;
  /** The output cap granted to a call. Default: what it wants. */
  readonly grant?: (quote: Quote) => number;
  readonly signal?: AbortSignal;
  /** What is left of the budget. Default: nothing is limited. */
  readonly remaining?: () => Remaining;
  /** What cut tries have said already. Default: nothing. */
  readonly said?: string;
}

/** A context that records in a Map, with what passed through it. */
export interface TestContext<State> extends PaidContext<State> {
  /** Results by path, in the order they were recorded, each as the JSON a journal would hold. */
  readonly recorded: Map<string, unknown>;
  readonly quotes: readonly Quote[];
  readonly receipts: readonly Receipt<unknown>[];
  /** What was heard of streamed answers. */
  readonly pieces: readonly Piece[];
}

/** A context without an engine behind it, for unit tests of bodies and agents: no budget, no store, no retries. */
export function testContext<State>(options: TestContextOptions<State> = {}): TestContext<State> {
  const { recorded = new Map(), signal = new AbortController().signal } = options;
  const path = "/test/body";
  const uses = new Map<string, number>();
  const quotes: Quote[] = [];
  const receipts: Receipt<unknown>[] = [];
  const pieces: Piece[] = [];
  let state = (options.state ?? {}) as State; // a test that reads state hands one in

  async function once<T>(name: string, work: (at: string) => Promise<T>): Promise<T> {
    const use = uses.get(name) ?? 0;
    uses.set(name, use + 1);
    const at = operationPath(path, name, use);
    if (!recorded.has(at)) {
      const text = JSON.stringify({ value: await work(at) });
      recorded.set(at, JSON.parse(text).value);
    }
    return recorded.get(at) as T; // what was recorded is what `work` returned
  }

  return {
    runId: "test",
    path,
    attempt: 1,
    signal,
    settings: options.settings ?? {},
    idempotencyKey: "test-key",
    models: options.models,
    recorded,
    quotes,
    receipts,
    pieces,
    get state() {
      return state;
    },
    set(patch) {
      state = { ...state, ...patch };
    },
    update(field, change) {
      state = { ...state, [field]: change(state[field]) };
    },
    run: (name, work) => once(name, async () => work(signal)),
    spend: (async (name: string, _: string, work?: (spending: Spending) => unknown) =>
      once(name, async (idempotencyKey) => work?.({ signal, idempotencyKey, costs() {} }))) as never, // overloads hold the type
    errand: (name, _terms, body) =>
      once(name, async (at) => {
        const errand: Errand = {
          path: at,
          idempotencyKey: at,
          approval: async (words) => {
            if ((await words()) !== undefined) throw new Error("nobody answers in a test context");
            return undefined;
          },
          carryOut: async (work) => work({ number: 1, signal, costs() {} }),
        };
        return body(errand);
      }),
    decide: (name, choose) => once(name, async () => choose()),
    remaining: () => options.remaining?.() ?? {},
    affords: () => true,
    unlessFailed: (_name, _other, work) =>
      work().then(
        (value) => ({ value }),
        () => undefined,
      ),
    sleep: (name) => once(name, async () => undefined),
    sleepUntil: (name) => once(name, async () => undefined),
    generate: () => Promise.reject(new Error("a test context does not generate")),
    embed: () => {
      throw new Error("a test context does not embed");
    },
    generateImage: () => {
      throw new Error("a test context makes no images");
    },
    model: () => {
      throw new Error("a test context has no models of its own: call models().model(context, …)");
    },
    paid: (name, asked, call, { after } = {}) =>
      once(name, async (at) => {
        await after;
        const { said = "" } = options;
        const quote = "request" in asked ? asked.quote(said) : asked;
        const grant: Grant = {
          outputTokens: options.grant?.(quote) ?? quote.outputTokens.wanted,
          idempotencyKey: at,
          signal,
          said,
          hear: (piece) => void pieces.push(piece),
        };
        quotes.push(quote);
        const receipt = await call(grant);
        receipts.push(receipt);
        return receipt.value;
      }),
  };
}
