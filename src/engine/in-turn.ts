import type { Grant, Quote, Receipt } from "../core/context.ts";
import { FlujoError } from "../core/errors.ts";
import type { Outcome, Turn } from "../ports/pace.ts";
import type { Stop } from "./stop.ts";
import type { Tenure } from "./tenure.ts";

type Call<T> = (grant: Grant) => Promise<Receipt<T>>;

/** A call, what stops it, and whether it may be made again. */
interface Errand<T> {
  readonly stop: Stop;
  readonly call: Call<T>;
  readonly mayRepeat?: () => boolean;
}

/** How often one call may be refused with a wait that the provider asks for; such refusals are free, and no failed tries. */
export const refusalsAtMost = 10;

/**
 * Waits for the call's turn, where models may be called only so fast, and then lets `work` reserve and call. In this
 * order nobody holds money while waiting for a turn, and whoever holds money has a turn, and so comes to an end. A
 * call that the provider wants later waits for another turn.
 *
 * @throws the stop's reason, when that comes first.
 */
export async function inTurn<T, R>(
  tenure: Tenure,
  quote: Quote,
  { stop, call, mayRepeat = always }: Errand<T>,
  work: (call: Call<T>) => Promise<R>,
): Promise<R> {
  const pace = quote.kind === undefined || quote.kind === "model-call" ? tenure.models?.pace : undefined;
  if (pace === undefined) return work(call);
  for (let refusals = 0; ; refusals++) {
    stop.check();
    const asked = pace.turn(quote, tenure.world, stop);
    const turn = asked instanceof Promise ? await asked : asked;
    try {
      return await taken(turn, call, work);
    } catch (error) {
      const { tokens, pauseMs } = failure(error);
      const isRefusal = tokens === 0 && pauseMs !== undefined;
      if (!isRefusal || refusals >= refusalsAtMost || !mayRepeat()) throw error;
      await tenure.journal.sync(); // what was held for it is free before more is asked for
    }
  }
}

const always = (): boolean => true;

async function taken<T, R>(turn: Turn, call: Call<T>, work: (call: Call<T>) => Promise<R>): Promise<R> {
  let isSent = false;
  try {
    return await work((grant) => {
      isSent = true;
      turn.sent();
      return told(call(grant), turn);
    });
  } finally {
    if (isSent) turn.ended({});
    else turn.back();
  }
}

/** Tells the pace what became of a call. */
async function told<T>(call: Promise<Receipt<T>>, turn: Turn): Promise<Receipt<T>> {
  try {
    const receipt = await call;
    turn.ended({ ok: true, tokens: receipt.inputTokens + receipt.outputTokens });
    return receipt;
  } catch (error) {
    turn.ended(failure(error));
    throw error;
  }
}

function failure(error: unknown): Outcome {
  if (!FlujoError.isInstance(error)) return {};
  const isFree = "charge" in error && error.charge === "none";
  const pauseMs = "retryAfterMs" in error ? error.retryAfterMs : undefined;
  return {
    ...(isFree ? { tokens: 0 } : {}),
    ...(typeof pauseMs === "number" ? { pauseMs } : {}),
  };
}
