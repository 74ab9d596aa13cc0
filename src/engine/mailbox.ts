import { isAddressOf, type Path, placeOf } from "../core/paths.ts";
import type { RunRecord } from "../core/run-record.ts";
import { addressed, type Wait } from "../core/waiting.ts";
import type { Signal, Store } from "../ports/store.ts";

/** What is sent to a run while one process owns it: which place takes it, and how much of it has been seen. */
export class Mailbox {
  readonly #runId: string;
  readonly #store: Pick<Store, "signals">;
  readonly #run: RunRecord;
  #reading: Promise<Sent> | undefined;
  /** Signals that a place of this tenure is taking, or has taken. */
  readonly #claimed = new Set<string>();
  /** How many signals there were when places began to look; undefined while none has. */
  #heard: number | undefined;
  /** How many there were when the run itself last looked for messages. */
  #noted = 0;

  constructor(runId: string, store: Pick<Store, "signals">, run: RunRecord) {
    this.#runId = runId;
    this.#store = store;
    this.#run = run;
  }

  /**
   * What has been sent to a place by now, or to any item or turn of it. Those that ask at the same moment share one look
   * into the store.
   */
  async at(path: Path): Promise<readonly Signal[]> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    const { all, byAddress, open } = await this.#reading;
    const isOpen = open.some((address) => isAddressOf(address, path));
    return isOpen ? all.filter((signal) => isAddressOf(signal.path, path)) : (byAddress.get(path) ?? []);
  }

  async #read(): Promise<Sent> {
    const all = await this.#store.signals(this.#runId);
    this.#heard ??= all.length;
    const byAddress = Map.groupBy(all, ({ path }) => path);
    return { all, byAddress, open: [...byAddress.keys()].filter((address) => address.includes("[]")) };
  }

  /** Takes a signal for one place. False when another has it. */
  claim(id: string): boolean {
    if (this.#run.taken.has(id) || this.#claimed.has(id)) return false;
    this.#claimed.add(id);
    return true;
  }

  /** Gives a signal back that was not for the place. */
  disclaim(id: string): void {
    this.#claimed.delete(id);
  }

  /** Begins to look anew: from here on `hasWord` tells of what comes. */
  listen(): void {
    this.#heard = undefined;
  }

  /** The run itself has looked through so many signals. */
  note(signals: number): void {
    this.#noted = signals;
  }

  /** How many signals nobody here has to look at again: those that its places and the run itself have seen. */
  get heard(): number {
    return Math.min(this.#heard ?? this.#noted, this.#noted);
  }

  /** Whether something has been sent, for one of these, since places began to look. */
  async hasWord(waits: readonly Wait[]): Promise<boolean> {
    const heard = this.#heard;
    const paths = addressed(waits);
    if (heard === undefined || paths.length === 0) return false;
    const fresh = (await this.#store.signals(this.#runId)).slice(heard);
    return fresh.some(({ path }) => paths.some((waiting) => isAddressOf(placeOf(path), waiting)));
  }
}

/** The signals of a run, in order. */
interface Sent {
  readonly all: readonly Signal[];
  readonly byAddress: ReadonlyMap<Path, readonly Signal[]>;
  /** Addresses that leave open which item or turn is meant. */
  readonly open: readonly Path[];
}
