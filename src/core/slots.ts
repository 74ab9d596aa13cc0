/** What processes note of the slots they have under a limit: a plain value, changed by functions. */
import type { Cap } from "./caps.ts";

/** The slots of one limit. */
export interface SlotBook {
  /** How many each process has, and until when, in milliseconds since 1970. */
  readonly held: { readonly [owner: string]: readonly [count: number, until: number] };
  /** How many were begun, by the second since 1970; of the last minute. */
  readonly begun: { readonly [second: string]: number };
}

export const emptyBook: SlotBook = { held: {}, begun: {} };

/** What a process wants of a book. */
export interface SlotRequest {
  readonly owner: string;
  /** How many it has, whatever the book says. */
  readonly has: number;
  /** How many more it would like, of which so many begin a run. */
  readonly continuing: number;
  readonly beginning: number;
  /** Slots that were taken for a run that then was not begun, by the second in which that was. */
  readonly unbegun: readonly number[];
  readonly now: number;
  readonly ttlMs: number;
  readonly isGone: (owner: string) => boolean;
}

export interface SlotAnswer {
  readonly book: SlotBook;
  /** How many of those wanted it has now. */
  readonly continuing: number;
  readonly beginning: number;
  /** How many of those it had are others' by now: it was not heard of for longer than it may. */
  readonly lost: number;
}

export const secondOf = (now: number): number => Math.floor(now / 1_000);

/** The seconds that may have a part in a minute that ends now: one more than it has. */
const window = 60;

/** How many more there are for a process that has so many: to go on with runs, and to begin them. */
export function roomIn(
  book: SlotBook,
  { most = Number.POSITIVE_INFINITY, perMinute = Number.POSITIVE_INFINITY }: Cap,
  { owner, has, now, isGone }: Pick<SlotRequest, "owner" | "has" | "now" | "isGone">,
): { readonly slots: number; readonly begins: number } {
  const others = Object.entries(alive(book, now, isGone)).filter(([name]) => name !== owner);
  const slots = Math.max(0, most - has - others.reduce((sum, [, [count]]) => sum + count, 0));
  const begun = Object.values(recent(book, now)).reduce((sum, count) => sum + count, 0);
  return { slots, begins: Math.max(0, perMinute - begun) };
}

/**
 * Gives a process as many slots as there are, those first that go on with a run. What others have had for longer than they may, or are known
 * to be gone, is free.
 */
export function giveSlots(book: SlotBook, cap: Cap, request: SlotRequest): SlotAnswer {
  const { owner, has, now, ttlMs, isGone } = request;
  const { slots, begins } = roomIn(book, cap, request);
  const continuing = Math.min(slots, request.continuing);
  const beginning = Math.min(slots - continuing, begins, request.beginning);
  const { [owner]: own, ...held } = alive(book, now, isGone);
  const others = Object.values(held).reduce((sum, [one]) => sum + one, 0);
  const tooMany = has + others - (cap.most ?? Number.POSITIVE_INFINITY);
  const lost = own === undefined ? Math.min(has, Math.max(0, tooMany)) : 0;
  const count = has + continuing + beginning;
  const begun: Record<string, number> = { ...recent(book, now) };
  for (const second of request.unbegun) if (begun[second] !== undefined) begun[second] -= 1;
  if (cap.perMinute !== undefined && beginning > 0)
    begun[secondOf(now)] = (begun[secondOf(now)] ?? 0) + beginning;
  return {
    book: {
      held: count > 0 ? { ...held, [owner]: [count, now + ttlMs] } : held,
      begun: Object.fromEntries(Object.entries(begun).filter(([, one]) => one > 0)),
    },
    continuing,
    beginning,
    lost,
  };
}

export const isEmpty = ({ held, begun }: SlotBook): boolean =>
  Object.keys(held).length === 0 && Object.keys(begun).length === 0;

const alive = ({ held }: SlotBook, now: number, isGone: (owner: string) => boolean): SlotBook["held"] =>
  Object.fromEntries(Object.entries(held).filter(([owner, [, until]]) => until > now && !isGone(owner)));

const recent = ({ begun }: SlotBook, now: number): SlotBook["begun"] =>
  Object.fromEntries(Object.entries(begun).filter(([second]) => Number(second) >= secondOf(now) - window));
