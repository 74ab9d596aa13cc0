/** Work in batches, each a paid operation of the context: a few side by side, in their order. */
import type { Grant, PaidContext, PaidOptions, Quote, Receipt } from "../core/context.ts";
import { ModelCallError } from "../core/errors.ts";
import { callError } from "./call.ts";

/** Calls that are under way at once for one list, where a model takes several. */
const sideBySide = 8;

/** One batch: what it can cost, and the call. */
export interface Batch<T> {
  readonly quote: Quote;
  /** @throws what the provider throws. */
  readonly call: (options: CallTerms) => Promise<Receipt<T>>;
  /** As of `PaidOptions`. Absent where what is sent would only be kept twice. */
  readonly sent?: NonNullable<PaidOptions["sent"]>;
}

/** What each request bears. */
export interface CallTerms {
  readonly headers: { readonly "idempotency-key": string };
  readonly abortSignal: AbortSignal;
}

/**
 * The results of all batches, in order. Every batch takes its place among the operations of that name at once, so that a
 * body that is run again finds each result where it left it, whatever else it does meanwhile. When one has failed for
 * good, no other begins, and those under way are waited for: what they cost is paid, and the next attempt finds them.
 */
export async function inBatches<T>(
  context: PaidContext,
  name: string,
  batches: readonly Batch<T>[],
  isParallel: boolean,
): Promise<T[]> {
  const width = isParallel ? sideBySide : 1;
  const all: Promise<T>[] = [];
  let failed: Promise<T> | undefined;
  const goOn = async (before: Promise<T>): Promise<void> => {
    await before;
    await failed;
  };
  for (const [i, { quote, call, sent }] of batches.entries()) {
    const before = all[i - width];
    const after = before && goOn(before);
    after?.catch(() => {}); // a batch that is stopped earlier does not listen
    const made = (grant: Grant): Promise<Receipt<T>> => once(quote.model, call, grant);
    const one = context.paid(name, quote, made, { after, ...(sent === undefined ? {} : { sent }) });
    one.catch(() => {
      failed ??= one;
    });
    all.push(one);
  }
  await Promise.allSettled(all);
  await failed; // the first to fail says why
  return Promise.all(all);
}

/** One physical call. @throws ModelCallError */
async function once<T>(model: string, call: Batch<T>["call"], grant: Grant): Promise<Receipt<T>> {
  const { signal, idempotencyKey } = grant;
  if (signal.aborted)
    throw new ModelCallError(`the call of ${model} was stopped before it was made`, { charge: "none" });
  try {
    return await call({ headers: { "idempotency-key": idempotencyKey }, abortSignal: signal });
  } catch (error) {
    throw callError(error, model, signal);
  }
}
