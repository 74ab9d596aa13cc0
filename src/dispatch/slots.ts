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

  /** Takes a slot under each of the limits, or none. Undefined: one of them has none left. */
  async take(caps: readonly Cap[], isBeginning: boolean): Promise<Slot | undefined> {
    const taken: { readonly scope: Scope; readonly at: number }[] = [];
    const free = (hasBegun: boolean): void => {
      for (const { scope, at } of taken) scope.free(isBeginning && !hasBegun ? at : undefined);
    };
    try {
      for (const cap of caps) {
        const scope = this.#at(cap);
        const at = await scope.take(isBeginning);
        if (at === undefined) {
          free(false);
          return undefined;
        }
        taken.push({ scope, at });
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

interface Ask {
  readonly isBeginning: boolean;
  /** Undefined: there is none. Else the second in which it was given. */
  readonly answer: (second: number | undefined) => void;
  readonly fail: (error: unknown) => void;
}

/** This process under one limit. What is asked for while the note is being changed shares the next change. */
class Scope {
  readonly #parts: SlotParts;
  readonly #cap: Cap;
  readonly #done: () => void;
  #has = 0;
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

  take(isBeginning: boolean): Promise<number | undefined> {
    return new Promise((answer, fail) => {
      this.#asks.push({ isBeginning, answer, fail });
      this.#change();
    });
  }

  /** @param unbegun the second in which the slot was given, when no run was begun with it. */
  free(unbegun: number | undefined): void {
    this.#has -= 1;
    if (unbegun !== undefined && this.#cap.perMinute !== undefined) this.#unbegun.push(unbegun);
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
      this.#has += given.beginning + given.continuing;
      const second = secondOf(request.now);
      for (const [i, { answer }] of beginning.entries()) answer(i < given.beginning ? second : undefined);
      for (const [i, { answer }] of continuing.entries()) answer(i < given.continuing ? second : undefined);
      return;
    }
  }

  /** Says after a while that this process lives, as long as it has slots. */
  #rest(): void {
    this.#off?.();
    if (this.#has === 0 && !this.#isDue) {
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
      has: this.#has,
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
