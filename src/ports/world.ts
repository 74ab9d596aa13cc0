/** What the engine asks of the world around it: time, chance, identity. Nothing else in the engine reads these. */
export interface World {
  /** Milliseconds since 1970. */
  now(): number;
  /** From 0 (inclusive) to 1 (exclusive). */
  random(): number;
  /** A fresh id, sortable by time of making, fit for a run id. */
  id(): string;
  /** Calls back once after `ms`; the returned function calls it off. Never keeps a process alive by itself when `background`. */
  timer(ms: number, callback: () => void, options?: { readonly background?: boolean }): () => void;
  /** Calls back when everything that is ready to run has run: where appends gather to share one commit. */
  soon(callback: () => void): void;
  /** Names this process, so that a lease says who holds it. */
  readonly owner: string;
  /** Whether the process with that name is known to be gone, so that its leases need not be waited out. */
  isGone(owner: string): boolean;
}
