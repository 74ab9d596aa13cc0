/** What left in the last minute, against a limit. Times are handed in, in milliseconds. */

/** How fast a model may be called. Absent: as fast as one likes. */
export interface PaceLimit {
  /** Requests in any 60 seconds: from 1. */
  readonly requestsPerMinute?: number;
  /** Tokens, in and out, in any 60 seconds: from 1. */
  readonly tokensPerMinute?: number;
}

/** Room that one call takes up: from when it is held until a minute after it was sent. */
interface Slot {
  tokens: number;
  sentAt: number | undefined;
}

export type { Slot };

/**
 * A sliding window: in any `ms` no more is sent than the limit says, bursts included. A bucket that refills as it is emptied would
 * let through up to twice that.
 */
export class PaceWindow {
  readonly #requests: number;
  readonly #tokens: number;
  readonly #ms: number;
  /** Sent slots, oldest first; those before `#first` have left the window. */
  #sent: Slot[] = [];
  #first = 0;
  #held = 0;
  #usedTokens = 0;

  constructor({ requestsPerMinute, tokensPerMinute }: PaceLimit, ms: number) {
    this.#requests = requestsPerMinute ?? Number.POSITIVE_INFINITY;
    this.#tokens = tokensPerMinute ?? Number.POSITIVE_INFINITY;
    this.#ms = ms;
  }

  /** When a call of so many tokens may leave: `now`, or later; undefined: when one that is held has left. */
  freeAt(tokens: number, now: number): number | undefined {
    this.#forget(now);
    let calls = this.#held + this.#sent.length - this.#first;
    let used = this.#usedTokens;
    const size = this.#sizeOf(tokens);
    const fits = (): boolean => calls + 1 <= this.#requests && used + size <= this.#tokens;
    if (fits()) return now;
    for (let i = this.#first; i < this.#sent.length; i++) {
      const slot = this.#sent[i] as Slot; // in range
      calls -= 1;
      used -= slot.tokens;
      if (fits()) return (slot.sentAt as number) + this.#ms; // it was sent
    }
    return undefined;
  }

  hold(tokens: number): Slot {
    const size = this.#sizeOf(tokens);
    this.#held += 1;
    this.#usedTokens += size;
    return { tokens: size, sentAt: undefined };
  }

  send(slot: Slot, now: number): void {
    const last = this.#sent.at(-1)?.sentAt ?? now;
    slot.sentAt = Math.max(now, last); // a clock that was set back changes no order
    this.#held -= 1;
    this.#sent.push(slot);
  }

  /** A call that has left used this many tokens, and not what it might have; undefined: nobody knows. */
  correct(slot: Slot, tokens: number | undefined, now: number): void {
    this.#forget(now);
    if (tokens === undefined) return;
    if (slot.sentAt === undefined || slot.sentAt + this.#ms <= now) return; // no longer counted
    this.#usedTokens += tokens - slot.tokens;
    slot.tokens = tokens;
  }

  giveBack(slot: Slot): void {
    this.#held -= 1;
    this.#usedTokens -= slot.tokens;
  }

  /** A call that is larger than the whole window has it to itself. */
  #sizeOf(tokens: number): number {
    return Math.min(tokens, this.#tokens);
  }

  #forget(now: number): void {
    for (; this.#first < this.#sent.length; this.#first++) {
      const slot = this.#sent[this.#first] as Slot; // in range
      if ((slot.sentAt as number) + this.#ms > now) break; // it was sent
      this.#usedTokens -= slot.tokens;
    }
    if (this.#first < 1_000) return;
    this.#sent = this.#sent.slice(this.#first);
    this.#first = 0;
  }
}
