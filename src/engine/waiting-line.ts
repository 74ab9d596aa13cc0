import type { Store } from "../ports/store.ts";

/**
 * Those of one process who wait for the same shared accounts. They stand one behind the other in the accounts' own
 * queue, so only who is nearest to its head need ask often: the others keep their places, and are called when it is
 * their turn to be the nearest. Their numbers tell: how many are ahead of each was heard at different moments.
 */
export class WaitingLine {
  readonly #places = new Set<Place>();
  readonly #onEmpty: () => void;

  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty;
  }

  join(): Place {
    const place = new Place(this);
    this.#places.add(place);
    return place;
  }

  leave(place: Place): void {
    this.#places.delete(place);
    if (this.#places.size === 0) this.#onEmpty();
    else this.call();
  }

  /** Something has changed: the nearest may ask again. */
  call(): void {
    this.nearest?.call();
  }

  /** Who has the lowest number. */
  get nearest(): Place | undefined {
    let nearest: Place | undefined;
    for (const place of this.#places)
      if (nearest === undefined || place.number < nearest.number) nearest = place;
    return nearest;
  }
}

/** One who waits. */
export class Place {
  #number = Number.POSITIVE_INFINITY;
  readonly #line: WaitingLine;
  #listener: (() => void) | undefined;
  #called = false;

  constructor(line: WaitingLine) {
    this.#line = line;
  }

  /** In the accounts' queue, as last heard. */
  get number(): number {
    return this.#number;
  }

  /** A place that was lost meanwhile has a higher one: then another is the nearest, and is called. */
  hear(number: number): void {
    const wasNearest = this.isNearest;
    this.#number = number;
    if (wasNearest && !this.isNearest) this.#line.call();
  }

  get isNearest(): boolean {
    return this.#line.nearest === this;
  }

  /** Calls back when it is time to ask, at once when that was said meanwhile; undefined: not now. */
  onCall(listener: (() => void) | undefined): void {
    this.#listener = listener;
    if (listener === undefined || !this.#called) return;
    this.#called = false;
    listener();
  }

  call(): void {
    if (this.#listener === undefined) this.#called = true;
    else this.#listener();
  }

  /** Gives the place up; who is the nearest then is called. */
  leave(): void {
    this.#line.leave(this);
  }
}

const lines = new WeakMap<Store, Map<string, WaitingLine>>();

/** The one line of a store's accounts in this process. */
export function lineOf(store: Store, accounts: readonly string[]): WaitingLine {
  const ofStore = lines.get(store) ?? new Map<string, WaitingLine>();
  lines.set(store, ofStore);
  const key = JSON.stringify(accounts);
  const line = ofStore.get(key) ?? new WaitingLine(() => ofStore.delete(key));
  ofStore.set(key, line);
  return line;
}

/** Calls the nearest of each line of a store. */
export function callLines(store: Store): void {
  for (const line of [...(lines.get(store)?.values() ?? [])]) line.call();
}
