import type { Cap } from "../core/caps.ts";
import type { Json } from "../core/json.ts";
import { emptyBook, giveSlots, isEmpty, roomIn, type SlotBook, secondOf } from "../core/slots.ts";
import type { Note, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";

/** A place under each limit that a run counts against. */
export interface Slot {
  /** Gives it back. `hasBegun`: false when the run was not begun with it: then it is not counted as one of its minute. */
  free(hasBegun: boolean): void;
}

const keyOf = (scope: string): string => `slots/${scope}`;

/**
 * The slots of this process under limits that hold over all workers on a store. Each limit is a note, changed by compare-and-swap: among
 * all processes there are never more slots than it says. A process says again and again that it lives; what it had is free when it has not
 * for as long as a lease lasts, or is known to be gone.
 */
export class Slots {
  readonly #parts: SlotParts;
  readonly #scopes = new Map<string, Scope>();

  constructor(store: Store, world: World, ttlMs: number) {
    this.#parts = { store, world, ttlMs };
  }

  /** How many more there are under each limit at this moment: to go on with runs, and to begin them. By scope. */
  async room(
    caps: readonly Cap[],
  ): Promise<ReadonlyMap<string, { readonly slots: number; readonly begins: number }>> {
    const distinct = new Map(caps.map((cap) => [cap.scope, cap]));
    const rooms = await Promise.all(
      [...distinct].map(async ([scope, cap]) => [scope, await this.#at(cap).room()] as const),
    );
    return new Map(rooms);
  }

  /**
   * Takes a slot under each of the limits, or none. Undefined: one of them has none left.
   *
   * @param lost is called when it is another process's by now, for this one was not heard of for too long.
   */
  async take(
    caps: readonly Cap[],
    isBeginning: boolean,
    lost: () => void = () => {},
  ): Promise<Slot | undefined> {
    const taken: { readonly scope: Scope; readonly held: Held }[] = [];
    const free = (hasBegun: boolean): void => {
      for (const { scope, held } of taken) scope.free(held, isBeginning && !hasBegun);
    };
    try {
      for (const cap of caps) {
        const scope = this.#at(cap);
        const held = await scope.take(isBeginning, lost);
        if (held === undefined) {
          free(false);
          return undefined;
        }
        taken.push({ scope, held });
      }
      return { free };
    } catch (error) {
      free(false);
      throw error;
    }
  }

  #at(cap: Cap): Scope {
    const scope =
      this.#scopes.get(cap.scope) ?? new Scope(this.#parts, cap, () => this.#scopes.delete(cap.scope));
    this.#scopes.set(cap.scope, scope);
    return scope;
  }
}

interface SlotParts {
  readonly store: Store;
  readonly world: World;
  readonly ttlMs: number;
}

/** A slot of this process: when it was given, in seconds since 1970, and who is told that it is lost. */
interface Held {
  readonly second: number;
  readonly lost: () => void;
}

interface Ask {
  readonly isBeginning: boolean;
  readonly lost: () => void;
  /** Undefined: there is none. */
  readonly answer: (held: Held | undefined) => void;
  readonly fail: (error: unknown) => void;
}

/** This process under one limit. What is asked for while the note is being changed shares the next change. */
class Scope {
  readonly #parts: SlotParts;
  readonly #cap: Cap;
  readonly #done: () => void;
  readonly #held = new Set<Held>();
  #asks: Ask[] = [];
  #unbegun: number[] = [];
  #isDue = false;
  #isChanging = false;
  #off: (() => void) | undefined;

  constructor(parts: SlotParts, cap: Cap, done: () => void) {
    this.#parts = parts;
    this.#cap = cap;
    this.#done = done;
  }

  async room(): Promise<{ readonly slots: number; readonly begins: number }> {
    return roomIn(bookIn(await this.#note()), this.#cap, this.#myself());
  }

  take(isBeginning: boolean, lost: () => void): Promise<Held | undefined> {
    return new Promise((answer, fail) => {
      this.#asks.push({ isBeginning, lost, answer, fail });
      this.#change();
    });
  }

  free(held: Held, isUnbegun: boolean): void {
    this.#held.delete(held);
    if (isUnbegun && this.#cap.perMinute !== undefined) this.#unbegun.push(held.second);
    this.#isDue = true;
    this.#change();
  }

  #change(): void {
    if (this.#isChanging) return;
    this.#isChanging = true;
    void this.#changeAll();
  }

  async #changeAll(): Promise<void> {
    let answers = true;
    while (answers && (this.#asks.length > 0 || this.#isDue)) answers = await this.#changeOnce();
    this.#isChanging = false;
    this.#rest();
  }

  /** Returns whether the store answers. What it was to be told is told with the next sign of life, when it does not. */
  async #changeOnce(): Promise<boolean> {
    const asks = this.#asks.splice(0);
    const unbegun = this.#unbegun.splice(0);
    this.#isDue = false;
    try {
      await this.#write(asks, unbegun);
      return true;
    } catch (error) {
      for (const { fail } of [...asks, ...this.#asks.splice(0)]) fail(error);
      this.#unbegun.push(...unbegun);
      this.#isDue = true;
      return false;
    }
  }

  async #write(asks: readonly Ask[], unbegun: readonly number[]): Promise<void> {
    const { store, ttlMs } = this.#parts;
    const beginning = asks.filter(({ isBeginning }) => isBeginning);
    const continuing = asks.filter(({ isBeginning }) => !isBeginning);
    for (;;) {
      const note = await this.#note();
      const request = {
        ...this.#myself(),
        beginning: beginning.length,
        continuing: continuing.length,
        unbegun,
        ttlMs,
      };
      const given = giveSlots(bookIn(note), this.#cap, request);
      if (!(await replaced(store, keyOf(this.#cap.scope), note, given.book))) continue; // somebody else was first
      for (const { lost } of [...this.#held].slice(0, given.lost)) lost();
      const second = secondOf(request.now);
      this.#hand(beginning, given.beginning, second);
      this.#hand(continuing, given.continuing, second);
      return;
    }
  }

  /** Gives slots to those that asked first. */
  #hand(asks: readonly Ask[], count: number, second: number): void {
    for (const [i, { answer, lost }] of asks.entries()) {
      const held: Held | undefined = i < count ? { second, lost } : undefined;
      if (held !== undefined) this.#held.add(held);
      answer(held);
    }
  }

  /** Says after a while that this process lives, as long as it has slots. */
  #rest(): void {
    this.#off?.();
    if (this.#held.size === 0 && !this.#isDue) {
      this.#done();
      return;
    }
    const { world, ttlMs } = this.#parts;
    this.#off = world.timer(
      ttlMs / 3,
      () => {
        this.#isDue = true;
        this.#change();
      },
      { background: true },
    );
  }

  #myself() {
    const { world } = this.#parts;
    return {
      owner: world.owner,
      has: this.#held.size,
      now: world.now(),
      isGone: (owner: string) => world.isGone(owner),
    };
  }

  async #note(): Promise<Note | undefined> {
    const key = keyOf(this.#cap.scope);
    const [note] = await this.#parts.store.notes({ prefix: key, limit: 1 }); // its own key is the first of those that begin with it
    return note?.key === key ? note : undefined;
  }
}

/** What this process writes it can read. */
const bookIn = (note: Note | undefined): SlotBook =>
  note === undefined ? emptyBook : (note.value as unknown as SlotBook);

/** Whether the note was still as it was seen. */
async function replaced(store: Store, key: string, seen: Note | undefined, book: SlotBook): Promise<boolean> {
  if (!isEmpty(book)) return (await store.putNote(key, book as unknown as Json, seen?.version)) !== undefined;
  return seen === undefined || store.dropNote(key, seen.version);
}
