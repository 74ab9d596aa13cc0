import { FlujoError, StoreUnavailableError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";
import { Interruption } from "./interruption.ts";

/** What a walk, or a body in it, asks of a store, beside its journal and its money. */
export type Archive = Pick<
  Store,
  "name" | "read" | "blob" | "signals" | "list" | "accounts" | "cacheGet" | "cachePut"
>;

/**
 * A store as a walk sees it. Where it does not answer, nothing of the run has failed: this process gives the run up, and
 * whoever goes on with it asks again.
 *
 * @param onAway is told why, before the Interruption is thrown. Default: nobody is.
 */
export function archiveOf(store: Archive, onAway: (error: FlujoError) => void = () => {}): Archive {
  const answered = async <T>(answer: Promise<T>): Promise<T> => {
    try {
      return await answer;
    } catch (cause) {
      const error = storeError(cause, "answer");
      onAway(error);
      throw Interruption.lost(error);
    }
  };
  return {
    name: store.name,
    read: (runId, from, limit) => answered(store.read(runId, from, limit)),
    blob: (hash) => answered(store.blob(hash)),
    signals: (runId) => answered(store.signals(runId)),
    list: (filter) => answered(store.list(filter)),
    accounts: (filter) => answered(store.accounts(filter)),
    cacheGet: (key, now) => answered(store.cacheGet(key, now)),
    cachePut: (key, record) => answered(store.cachePut(key, record)),
  };
}

/** What is told of a store that threw something. @param what it did not do. */
export const storeError = (cause: unknown, what: string): FlujoError =>
  FlujoError.isInstance(cause)
    ? cause
    : new StoreUnavailableError(`the store does not ${what}: ${cause}`, { cause, retryable: true });
