import { FlujoError } from "../../core/errors.ts";
import type { Database } from "./open.ts";

/** What one caller wants written. */
interface Wish {
  readonly work: (db: Database) => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Small writes that are asked for at one moment, in one transaction, unsynced: a thousand runs that begin or end together
 * take or give back a thousand leases, and a transaction for each costs more than what is written in it.
 */
export class Gathering {
  readonly #use: <T>(work: (db: Database) => T) => T;
  #wishes: Wish[] = [];

  constructor(use: <T>(work: (db: Database) => T) => T) {
    this.#use = use;
  }

  /** @param work refuses what it refuses, by a FlujoError, before it has written anything. */
  write<T>(work: (db: Database) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#wishes.length === 0) queueMicrotask(this.#grant);
      this.#wishes.push({ work, resolve, reject });
    });
  }

  readonly #grant = (): void => {
    const wishes = this.#wishes;
    this.#wishes = [];
    try {
      const tells = this.#use((db) =>
        db.unsynced(() => db.write(() => wishes.map((wish) => granted(wish, db)))),
      );
      for (const tell of tells) tell();
    } catch (error) {
      for (const { reject } of wishes) reject(error);
    }
  };
}

/** Does one thing; returns how to tell of it, once the transaction is over. */
function granted({ work, resolve, reject }: Wish, db: Database): () => void {
  try {
    const value = work(db) as never; // `write` has paired them
    return () => resolve(value);
  } catch (error) {
    if (!FlujoError.isInstance(error)) throw error;
    return () => reject(error);
  }
}
