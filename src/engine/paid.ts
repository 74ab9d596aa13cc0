import type { Scope } from "../budget/ledger.ts";
import type { Grant, Quote, Receipt } from "../core/context.ts";
import { BudgetExceededError, FlujoError, ModelCallError, placed } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Path } from "../core/paths.ts";
import { type Attempt, durable } from "./durable.ts";
import { type Stop, untilAborted } from "./stop.ts";
import type { Hold } from "./treasury.ts";

/** How often one call is made before its failure is the step's: the provider was busy, or the line was cut. */
const callAttempts = 3;
const firstBackoffMs = 1_000;

/**
 * A call that costs money: reserve, durably; call; record result and settlement in one append. A body that was stopped
 * (a sibling failed) and is tried again while its call is still under way waits for that call instead of buying another.
 */
export async function paid<T>(
  attempt: Attempt,
  path: Path,
  charged: Charged,
  quote: Quote,
  call: (grant: Grant) => Promise<Receipt<T>>,
): Promise<Json> {
  const { underWay } = attempt.tenure;
  for (let known = underWay.get(path); known !== undefined; known = underWay.get(path)) {
    try {
      return await charged.stop.race(() => known);
    } catch {
      charged.stop.check(); // what stopped or failed it was the other body's affair: this one buys its own
    }
  }
  const buying = buy(attempt, path, charged, quote, call);
  const bought = attempt.tenure.track(buying, charged.stop).finally(() => underWay.delete(path));
  underWay.set(path, bought);
  return bought;
}

/** Who pays, what stops the call, and the key that lets a provider recognise it. */
interface Charged {
  readonly scopes: readonly Scope[];
  readonly stop: Stop;
  readonly key: string;
}

function buy<T>(
  attempt: Attempt,
  path: Path,
  charged: Charged,
  quote: Quote,
  call: (grant: Grant) => Promise<Receipt<T>>,
): Promise<Json> {
  return durable(attempt, path, quote.kind ?? "model-call", async () => {
    for (let tries = 1; ; tries++) {
      const held = await reserve(attempt, path, charged, quote);
      try {
        return await once(attempt, held, charged, call);
      } catch (error) {
        if (tries >= callAttempts || !isWorthRetrying(error)) throw error;
        await attempt.tenure.journal.sync();
        const { world } = attempt.tenure;
        const jittered = firstBackoffMs * 2 ** (tries - 1) * (0.5 + world.random() / 2);
        await attempt.tenure.rest(world.now() + Math.max(jittered, error.retryAfterMs ?? 0), charged.stop);
      }
    }
  });
}

function isWorthRetrying(error: unknown): error is ModelCallError {
  return error instanceof ModelCallError && error.retryable;
}

async function reserve(
  { tenure }: Attempt,
  path: Path,
  { scopes, stop }: Charged,
  quote: Quote,
): Promise<Hold> {
  try {
    return await tenure.treasury.reserve(path, quote, scopes, stop);
  } catch (error) {
    throw error instanceof BudgetExceededError && error.onLimit === "halt" ? tenure.halt(error) : error;
  }
}

async function once<T>(
  { tenure }: Attempt,
  held: Hold,
  { stop, key }: Charged,
  call: (grant: Grant) => Promise<Receipt<T>>,
): Promise<T> {
  if (stop.reason !== undefined) {
    tenure.treasury.release(held); // stopped between the reservation and the call: nothing was sent
    throw stop.reason;
  }
  let receipt: Receipt<T>;
  try {
    const signal = stop.callSignal;
    const idempotencyKey = `${key}:${held.seq}`;
    receipt = await untilAborted(call({ outputTokens: held.outputTokens, idempotencyKey, signal }), signal);
  } catch (error) {
    if (FlujoError.isInstance(error) && "charge" in error && error.charge === "none")
      tenure.treasury.release(held);
    else tenure.treasury.doubt(held);
    throw stop.reason ?? placed(error, held.path);
  }
  tenure.treasury.settle(held, {
    picoUsd: receipt.picoUsd.toString(),
    inputTokens: receipt.inputTokens,
    outputTokens: receipt.outputTokens,
  });
  return receipt.value;
}
