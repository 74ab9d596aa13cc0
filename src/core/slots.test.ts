import { describe, expect, test } from "vitest";
import type { Cap } from "./caps.ts";
import { emptyBook, giveSlots, roomIn, type SlotBook, type SlotRequest } from "./slots.ts";

const ttlMs = 15_000;

/** What a process that has none is given of a book. */
const give = (book: SlotBook, cap: Cap, request: Partial<SlotRequest>) =>
  giveSlots(book, cap, {
    ...{ owner: "p", has: 0, continuing: 0, beginning: 0, unbegun: [], now: 0, ttlMs },
    isGone: () => false,
    ...request,
  });

const beginsIn = (book: SlotBook, cap: Cap, now: number): number =>
  roomIn(book, cap, { owner: "q", has: 0, now, isGone: () => false }).begins;

describe("what a process is given of a limit", () => {
  const cap: Cap = { scope: "queue/mail", most: 3, perMinute: 2 };

  test("goes to runs that go on before those that begin, and never beyond either limit", () => {
    const given = give(emptyBook, cap, { continuing: 2, beginning: 5 });
    expect([given.continuing, given.beginning]).toEqual([2, 1]);
    const all = give(emptyBook, { ...cap, most: 10 }, { continuing: 1, beginning: 5 });
    expect([all.continuing, all.beginning]).toEqual([1, 2]);
  });

  test("is what others have left, as long as they live, and say so in time", () => {
    const { book } = give(emptyBook, cap, { owner: "other", continuing: 2 });
    expect(give(book, cap, { continuing: 5, now: ttlMs - 1 }).continuing).toBe(1);
    expect(give(book, cap, { continuing: 5, now: ttlMs }).continuing).toBe(3);
    expect(give(book, cap, { continuing: 5, isGone: (owner) => owner === "other" }).continuing).toBe(3);
  });

  test("counts in any minute, down to the second in which a run began", () => {
    const { book } = give(emptyBook, cap, { beginning: 2, now: 999 });
    expect(beginsIn(book, cap, 60_500)).toBe(0); // of the second between 0 and 1 it may have been the end
    expect(beginsIn(book, cap, 61_000)).toBe(2);
  });

  test("counts for nothing where the run was not begun with it", () => {
    const first = give(emptyBook, cap, { beginning: 2, now: 5_000 });
    const second = give(first.book, cap, { has: 1, unbegun: [5], now: 6_000 });
    expect(beginsIn(second.book, cap, 6_000)).toBe(1);
    expect(give(second.book, cap, { has: 1, unbegun: [4], now: 6_000 }).book.begun).toEqual(
      second.book.begun,
    );
  });

  test("is lost as far as others have it by now, when the process has not been heard of for too long", () => {
    const mine = give(emptyBook, cap, { continuing: 2 }).book;
    const late = 2 * ttlMs;
    const theirs = give(mine, cap, { owner: "other", continuing: 2, now: late }).book;
    expect(give(theirs, cap, { has: 2, now: late }).lost).toBe(1);
    expect(give(mine, cap, { has: 2, now: late }).lost).toBe(0); // nobody has taken it
  });
});
