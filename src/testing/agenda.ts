/** What is due, and in which order. */
export interface Due {
  readonly due: number;
  readonly order: number;
}

/** What is due, the earliest first; of what is due together, what has the lower order. */
export class Agenda<T extends Due> implements Iterable<T> {
  readonly #open = new Set<T>();
  /** A heap: each before the two below it. What is struck out stays in it until it comes up, or most of it is such. */
  #heap: T[] = [];

  add(item: T): void {
    this.#open.add(item);
    this.#heap.push(item);
    this.#rise(this.#heap.length - 1);
  }

  /** Returns false when it did not stand here. */
  strike(item: T): boolean {
    const stood = this.#open.delete(item);
    if (this.#heap.length > 2 * this.#open.size + slack) this.#heap = [...this.#open].sort(compare);
    return stood;
  }

  /** The first that is not passed over; it stays. */
  first(isPassedOver: (item: T) => boolean): T | undefined {
    const passed: T[] = [];
    let found: T | undefined;
    while (found === undefined && this.#heap.length > 0) {
      const top = this.#heap[0] as T; // there is one
      if (this.#open.has(top) && !isPassedOver(top)) found = top;
      else if (this.#open.has(this.#takeTop())) passed.push(top);
    }
    for (const item of passed) {
      this.#heap.push(item);
      this.#rise(this.#heap.length - 1);
    }
    return found;
  }

  /** In the order in which they were added. */
  [Symbol.iterator](): Iterator<T> {
    return this.#open.values();
  }

  #takeTop(): T {
    const top = this.#heap[0] as T; // whoever asks has seen it
    const last = this.#heap.pop() as T; // so there is a last one
    if (this.#heap.length > 0) {
      this.#heap[0] = last;
      this.#sink();
    }
    return top;
  }

  #rise(from: number): void {
    for (let at = from; at > 0; ) {
      const above = (at - 1) >> 1;
      if (!this.#swapped(above, at)) return;
      at = above;
    }
  }

  #sink(): void {
    for (let at = 0; ; ) {
      const [left, right] = [this.#heap[2 * at + 1], this.#heap[2 * at + 2]];
      if (left === undefined) return;
      const below = right !== undefined && compare(right, left) < 0 ? 2 * at + 2 : 2 * at + 1;
      if (!this.#swapped(at, below)) return;
      at = below;
    }
  }

  /** Exchanges two places when the lower one is due before the upper one. */
  #swapped(above: number, below: number): boolean {
    const [upper, lower] = [this.#heap[above] as T, this.#heap[below] as T]; // both places are within the heap
    if (compare(upper, lower) <= 0) return false;
    this.#heap[above] = lower;
    this.#heap[below] = upper;
    return true;
  }
}

const slack = 64;

const compare = (a: Due, b: Due): number => a.due - b.due || a.order - b.order;
