/** Whom a simulated run is told to: a receiver that fails in every way, and knows in the end whether it was told all. */
import type { Entry } from "../../core/entries.ts";
import { Outbox } from "../../events/outbox.ts";
import type { Delivery } from "../../ports/sink.ts";
import type { Store } from "../../ports/store.ts";
import type { Chance } from "../chance.ts";
import type { VirtualProcess } from "../virtual-world.ts";

export class Receiver {
  readonly #chance: Chance;
  readonly #say: (violation: string) => void;
  /** What was told first of each entry, in the order it came. */
  readonly #first = new Map<number, { readonly id: string; readonly type: string }>();
  /** Events that came more than once. */
  repeats = 0;
  #isCalm = false;

  /** @param say is told what should not be. */
  constructor(chance: Chance, say: (violation: string) => void) {
    this.#chance = chance;
    this.#say = say;
  }

  /** An outbox of a process: nothing is ever given up. */
  outboxOf(process: VirtualProcess, store: Store): Outbox {
    return new Outbox({
      store,
      world: process,
      sinks: {
        all: {
          to: { name: "receiver", deliver: (delivery) => this.#receive(process, delivery) },
          events: "all",
          timeout: "2s",
          attempts: 1_000_000,
          giveUpAfter: "3650d",
        },
      },
      onError: () => {}, // a store that fails, as it is meant to
    });
  }

  /** From now on everything is taken. */
  calmDown(): void {
    this.#isCalm = true;
  }

  /** What came is the journal: all of it, in order, and nothing else. */
  compare(journal: readonly Entry[]): void {
    const told = [...this.#first.keys()];
    const missing = journal.find(({ seq }) => !this.#first.has(seq));
    if (missing !== undefined) this.#say(`entry ${missing.seq} (${missing.type}) was never told`);
    else if (told.some((seq, i) => seq !== i))
      this.#say(`entries were told in another order: ${told.join(", ")}`);
    for (const [seq, { type }] of this.#first) {
      if (journal[seq]?.type !== type)
        this.#say(`entry ${seq} was told as ${type}, and is ${journal[seq]?.type}`);
    }
  }

  async #receive(process: VirtualProcess, delivery: Delivery): Promise<void> {
    const luck = this.#isCalm ? 1 : this.#chance.next();
    if (luck < 0.1) throw new Error("not now");
    if (luck < 0.2)
      await new Promise<void>((resolve) => void process.timer(this.#chance.whole(1, 4_000), resolve));
    this.#take(delivery);
    if (luck < 0.3) throw new Error("the answer was lost");
  }

  #take({ id, event: { seq, type } }: Delivery): void {
    const known = this.#first.get(seq);
    if (known === undefined) this.#first.set(seq, { id, type });
    else {
      this.repeats++;
      if (known.id !== id) this.#say(`entry ${seq} was told under two ids`);
    }
  }
}
