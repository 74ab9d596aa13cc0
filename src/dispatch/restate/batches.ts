/** What is to be sent while something is under way goes together in the next message. */
export class Batches<Item> {
  readonly #most: number;
  readonly #send: (items: readonly Item[]) => Promise<unknown>;
  #next: { readonly items: Item[]; readonly sent: Promise<void> } | undefined;
  #underWay: Promise<void> = Promise.resolve();

  /** @param most so many at once. */
  constructor(most: number, send: (items: readonly Item[]) => Promise<unknown>) {
    this.#most = most;
    this.#send = send;
  }

  /** Resolves once it is sent, and rejects where what it went with could not be. */
  add(item: Item): Promise<void> {
    if (this.#next === undefined || this.#next.items.length === this.#most) this.#next = this.#open();
    this.#next.items.push(item);
    return this.#next.sent;
  }

  #open(): { readonly items: Item[]; readonly sent: Promise<void> } {
    const items: Item[] = [];
    const sent = this.#underWay.then(async () => {
      if (this.#next?.items === items) this.#next = undefined;
      await this.#send(items);
    });
    this.#underWay = sent.catch(() => {}); // whoever has added is told
    return { items, sent };
  }
}
