import type { Store } from "../ports/store.ts";

/** The runs of this process that may be sent something. */
export interface Attentive {
  /** Has one of them look for messages. */
  readonly one: (runId: string) => void;
  /** Has all of them look. */
  readonly all: () => void;
}

/** Hears at once that a run of this process was sent something, where the store tells; else runs look by themselves. */
export class Word {
  readonly #store: Store;
  readonly #attentive: Attentive;
  #unwatch: (() => void) | undefined;
  #isTold = false;

  constructor(store: Store, attentive: Attentive) {
    this.#store = store;
    this.#attentive = attentive;
  }

  /** Whether it is told by now; from the first time on that this is asked, it listens. */
  get isTold(): boolean {
    this.#unwatch ??= this.#store.watch?.({
      news: (runId) => this.#attentive.one(runId),
      live: (isLive) => {
        this.#isTold = isLive;
        if (isLive) this.#attentive.all(); // nobody has told what was sent before
      },
    });
    return this.#isTold;
  }

  /** Listens no more, until it is asked again. */
  rest(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
    this.#isTold = false;
  }
}
