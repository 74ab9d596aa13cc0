import { setMaxListeners } from "node:events";

/**
 * Tells work to stop, in two phases: bodies first (`fire`), then calls that are already paid for (`cut`), which are
 * given time to come back. A tree: a stop reaches everything below it. Signals are made only when someone looks.
 */
export class Stop {
  #reason: Error | undefined;
  #cutNow = false;
  readonly #children = new Set<Stop>();
  readonly #listeners = new Set<(reason: Error) => void>();
  #bodies: AbortController | undefined;
  #calls: AbortController | undefined;
  readonly #parent: Stop | undefined;

  constructor(parent?: Stop) {
    this.#parent = parent;
    if (parent === undefined) return;
    parent.#children.add(this);
    this.#reason = parent.#reason;
    this.#cutNow = parent.#cutNow;
  }

  /** Why, once it is so. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  /** @throws the reason, once there is one. */
  check(): void {
    if (this.#reason !== undefined) throw this.#reason;
  }

  /** Stops bodies below; only the first reason counts. */
  fire(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#bodies?.abort(reason);
    for (const listener of [...this.#listeners]) listener(reason);
    for (const child of this.#children) child.fire(reason);
  }

  /** Stops calls below, too. */
  cut(): void {
    if (this.#cutNow) return;
    this.#cutNow = true;
    this.#calls?.abort(this.#reason);
    for (const child of this.#children) child.cut();
  }

  /** Calls back when fired, at once if it was; the returned function calls it off. */
  onFire(listener: (reason: Error) => void): () => void {
    if (this.#reason !== undefined) {
      listener(this.#reason);
      return () => {};
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** For bodies. */
  get signal(): AbortSignal {
    this.#bodies ??= controller();
    if (this.#reason !== undefined && !this.#bodies.signal.aborted) this.#bodies.abort(this.#reason);
    return this.#bodies.signal;
  }

  /** For calls that cost money. */
  get callSignal(): AbortSignal {
    this.#calls ??= controller();
    if (this.#cutNow && !this.#calls.signal.aborted) this.#calls.abort(this.#reason);
    return this.#calls.signal;
  }

  /** Forgets this branch of the tree: what it stood for is over. */
  end(): void {
    if (this.#parent !== undefined) this.#parent.#children.delete(this);
  }

  /** The work's result, or the stop's reason, whichever is first. Work that ignores its signal is left behind. */
  async race<T>(work: () => T | Promise<T>): Promise<T> {
    this.check();
    const result = work();
    if (!(result instanceof Promise)) return result;
    return new Promise<T>((resolve, reject) => {
      const off = this.onFire(reject);
      result.then(
        (value) => {
          off();
          resolve(value);
        },
        (error: unknown) => {
          off();
          reject(error);
        },
      );
    });
  }
}

/** A call's outcome, or the signal's reason: a call that ignores its signal is left behind. */
export function untilAborted<T>(call: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const cut = (): void => reject(signal.reason);
    if (signal.aborted) cut();
    signal.addEventListener("abort", cut, { once: true });
    call.then(resolve, reject).finally(() => signal.removeEventListener("abort", cut));
  });
}

/** One signal serves any number of bodies; Node need not suspect a leak. */
function controller(): AbortController {
  const made = new AbortController();
  setMaxListeners(0, made.signal);
  return made;
}
