/**
 * Small writes of one kind: those that are asked for while one of them is under way go together in the next. A thousand runs that
 * begin or end at once take or give back a thousand leases, and a statement for each costs more than what it writes.
 */
export class Gathering<Wish, Answer> {
  readonly #grant: (wishes: readonly Wish[]) => Promise<readonly Answer[]>;
  #waiting: { readonly wish: Wish; readonly answer: PromiseWithResolvers<Answer> }[] = [];
  #busy = false;

  /** @param grant answers each wish, in their order. When it throws, all of them are told. */
  constructor(grant: (wishes: readonly Wish[]) => Promise<readonly Answer[]>) {
    this.#grant = grant;
  }

  ask(wish: Wish): Promise<Answer> {
    const answer = Promise.withResolvers<Answer>();
    this.#waiting.push({ wish, answer });
    if (!this.#busy) {
      this.#busy = true;
      queueMicrotask(() => void this.#grantAll());
    }
    return answer.promise;
  }

  async #grantAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, mostAtOnce);
      try {
        const answers = await this.#grant(some.map(({ wish }) => wish));
        for (const [i, { answer }] of some.entries()) answer.resolve(answers[i] as Answer); // one for each
      } catch (error) {
        for (const { answer } of some) answer.reject(error);
      }
    }
    this.#busy = false;
  }
}

const mostAtOnce = 1_000;
