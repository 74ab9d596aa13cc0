import type { Entry, EntryOf } from "../core/entries.ts";
import { eventOf } from "../core/events.ts";
import { factsOf } from "../core/facts.ts";
import { decimalUsd } from "../core/limits.ts";
import type { Delivery, LinksFor } from "../ports/sink.ts";
import type { Store } from "../ports/store.ts";
import { deliveryId } from "./delivery-id.ts";

const page = 1_000;

/** What is told with each event of a run: whose it is, and what had been spent by then. Read from its journal, once. */
export class Story {
  readonly #store: Store;
  readonly #runId: string;
  readonly #linksFor: LinksFor | undefined;
  readonly #held = new Map<number, bigint>();
  #created: EntryOf<"run-created"> | undefined;
  #next = 0;
  #spent = 0n;

  constructor(store: Store, runId: string, linksFor: LinksFor | undefined) {
    this.#store = store;
    this.#runId = runId;
    this.#linksFor = linksFor;
  }

  /** The delivery of an entry to a sink. Entries are asked for in order. */
  async delivery(sink: string, entry: Entry, attempt: number): Promise<Delivery> {
    await this.#readTo(entry.seq);
    const event = eventOf(entry);
    const links = await this.#linksFor?.(this.#runId, event);
    return {
      id: deliveryId(sink, this.#runId, this.#created?.at ?? 0, entry),
      runId: this.#runId,
      pipeline: await this.pipeline(),
      facts: factsOf(event),
      event,
      costUsd: decimalUsd(this.#spent),
      ...(links === undefined ? {} : { links }),
      attempt,
    };
  }

  /** The name of the run's pipeline. */
  async pipeline(): Promise<string> {
    await this.#readTo(0);
    return this.#created?.pipeline ?? "";
  }

  async #readTo(seq: number): Promise<void> {
    while (this.#next <= seq) {
      const entries =
        (await this.#store.read(this.#runId, this.#next, Math.min(page, seq + 1 - this.#next))) ?? [];
      if (entries.length === 0) return;
      for (const entry of entries) this.#take(entry);
      this.#next += entries.length;
    }
  }

  #take(entry: Entry): void {
    if (entry.type === "run-created") this.#created = entry;
    else if (entry.type === "budget-reserved") {
      const held = BigInt(entry.amount.picoUsd);
      this.#held.set(entry.seq, held);
      this.#spent += held;
    } else if (entry.type === "budget-settled" || entry.type === "budget-released") {
      const held = this.#held.get(entry.of);
      if (held === undefined) return; // each is resolved at most once
      this.#held.delete(entry.of);
      this.#spent += (entry.type === "budget-settled" ? BigInt(entry.amount.picoUsd) : 0n) - held;
    }
  }
}
