import type { Scope } from "../budget/ledger.ts";
import type { CallSampling, Continuable, Grant, PaidOptions, Quote, Receipt } from "../core/context.ts";
import type { SentMessage } from "../core/entries.ts";
import { placed } from "../core/error-record.ts";
import { BudgetExceededError, FlujoError, ModelCallError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Path } from "../core/paths.ts";
import type { KnownText } from "../core/streamed.ts";
import { type Attempt, durable } from "./durable.ts";
import { inTurn } from "./in-turn.ts";
import { Incoming } from "./incoming.ts";
import { instrumented } from "./instrumented.ts";
import { type Said, saidBefore } from "./said.ts";
import { type Stop, untilAborted } from "./stop.ts";
import type { Tenure } from "./tenure.ts";
import type { Hold } from "./treasury.ts";
import { keep } from "./values.ts";

/** How often one call is made before its failure is the step's: the provider was busy, or the line was cut. */
export const callAttempts = 3;
const firstBackoffMs = 1_000;

/** One paid operation as the body asks for it. */
export interface Order<T> extends PaidOptions {
  readonly path: Path;
  readonly quote: Quote | Continuable;
  readonly call: (grant: Grant) => Promise<Receipt<T>>;
  readonly scopes: readonly Scope[];
  readonly stop: Stop;
  /** Lets a provider recognise the call. */
  readonly key: string;
  /** The same operation in earlier attempts of the step, newest first. */
  readonly earlier: readonly Path[];
}

/**
 * A call that costs money: reserve, durably; call; record result and settlement in one append. A body that was stopped
 * (a sibling failed) and is tried again while its call is still under way waits for that call instead of buying another.
 */
export async function paid<T>(attempt: Attempt, order: Order<T>): Promise<Json> {
  const { path, stop } = order;
  const { underWay } = attempt.tenure;
  for (let known = underWay.get(path); known !== undefined; known = underWay.get(path)) {
    try {
      return await stop.race(() => known);
    } catch {
      stop.check(); // what stopped or failed it was the other body's affair: this one buys its own
    }
  }
  const bought = attempt.tenure.track(buy(attempt, order), stop).finally(() => underWay.delete(path));
  underWay.set(path, bought);
  return bought;
}

function buy<T>(attempt: Attempt, order: Order<T>): Promise<Json> {
  const { tenure } = attempt;
  const { path, mayRepeat = always } = order;
  let texts: readonly KnownText[] = [];
  const work = async (): Promise<T> => {
    for (let tries = 1; ; tries++) {
      const said = await cutShort(tenure, order);
      const quote = "request" in order.quote ? order.quote.quote(said?.text ?? "") : order.quote;
      try {
        const done = await inTurn(tenure, quote, order, async (call) => {
          const held = await reserve(attempt, order, quote, tries === 1 ? order.sent?.() : undefined);
          return once(attempt, held, { ...order, call }, said, quote.sampling);
        });
        texts = done.texts;
        return done.value;
      } catch (error) {
        if (tries >= callAttempts || !isWorthRetrying(error) || !mayRepeat()) throw error;
        await tenure.journal.sync();
        const { world } = tenure;
        const jittered = firstBackoffMs * 2 ** (tries - 1) * (0.5 + world.random() / 2);
        await tenure.rest(world.now() + Math.max(jittered, error.retryAfterMs ?? 0), order.stop);
      }
    }
  };
  const kind = "kind" in order.quote ? order.quote.kind : undefined;
  return durable(attempt, path, kind ?? "model-call", work, () => texts);
}

const always = (): boolean => true;

function isWorthRetrying(error: unknown): error is ModelCallError {
  return error instanceof ModelCallError && error.retryable;
}

/** What there is to go on with, for a call that wants to. */
async function cutShort<T>(tenure: Tenure, { quote, path, earlier }: Order<T>): Promise<Said | undefined> {
  return "request" in quote ? saidBefore(quote.request, [path, ...earlier], tenure) : undefined;
}

async function reserve<T>(
  { tenure }: Attempt,
  { path, scopes, stop }: Order<T>,
  quote: Quote,
  sent: readonly SentMessage[] = [],
): Promise<Hold> {
  try {
    const kept = sent.length === 0 ? undefined : keep(sent, `messages of ${path}`, path);
    return await tenure.treasury.reserve(path, quote, scopes, stop, kept);
  } catch (error) {
    throw error instanceof BudgetExceededError && error.onLimit === "halt" ? tenure.halt(error) : error;
  }
}

/** One physical call. Whatever becomes of it, the pieces that came are recorded. */
async function once<T>(
  { tenure }: Attempt,
  held: Hold,
  { stop, key, quote, call }: Order<T>,
  said: Said | undefined,
  sampling: CallSampling | undefined,
): Promise<{ readonly value: T; readonly texts: readonly KnownText[] }> {
  try {
    stop.check();
    tenure.checkFitting(held.path);
  } catch (left) {
    tenure.treasury.release(held); // stopped, or late, between the reservation and the call: nothing was sent
    throw left;
  }
  const incoming = new Incoming(tenure, {
    path: held.path,
    of: held.seq,
    ...("request" in quote ? { request: quote.request } : {}),
    ...(said === undefined ? {} : { follows: said.of }),
  });
  let receipt: Receipt<T>;
  try {
    const signal = stop.callSignal;
    const grant: Grant = {
      outputTokens: held.outputTokens,
      idempotencyKey: `${key}:${held.seq}`,
      signal,
      said: said?.text ?? "",
      hear: (piece) => incoming.hear(piece),
    };
    const { seq } = held;
    receipt = await untilAborted(
      instrumented(tenure, held.path, () => call(grant), { seq, sampling }),
      signal,
    );
  } catch (error) {
    incoming.end();
    if (FlujoError.isInstance(error) && "charge" in error && error.charge === "none")
      tenure.treasury.release(held);
    else tenure.treasury.doubt(held);
    throw stop.reason ?? placed(error, held.path);
  }
  incoming.end();
  tenure.treasury.settle(held, {
    picoUsd: receipt.picoUsd.toString(),
    inputTokens: receipt.inputTokens,
    outputTokens: receipt.outputTokens,
  });
  return { value: receipt.value, texts: [...joined(said, incoming.known()), ...incoming.known()] };
}

/** The texts of an answer that goes on with what was said before. */
function joined(said: Said | undefined, own: readonly KnownText[]): KnownText[] {
  if (said === undefined) return [];
  return [
    { text: said.text, from: said.from },
    ...own.map(({ text, from }) => ({ text: said.text + text, from: [...said.from, ...from] })),
  ];
}
