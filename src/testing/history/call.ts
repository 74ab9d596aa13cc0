/**
 * What processes have asked of a store, and what it has answered: the history by which a store is judged from outside. Written
 * line by line, the question before it is asked, so that nothing is forgotten of a process that is killed.
 */
import type { Account, LedgerAnswer, LedgerRequest, Posting } from "../../core/account.ts";
import { decode, encode } from "../../core/codec.ts";
import type { AppendOutcome, LeaseAnswer, LeaseRequest } from "../../ports/store.ts";

/** Entries that are to be added to one journal, each as its JSON: no two of a history are alike. */
export interface AppendAsked {
  readonly runId: string;
  readonly fence: number;
  /** The place of the first. */
  readonly from: number;
  readonly entries: readonly string[];
  readonly postings: readonly Posting[];
}

/** What is asked and answered, by kind. */
export interface Kinds {
  /** `refused`: somebody else has written where it was to go on. Nothing was written. */
  readonly commit: {
    readonly asked: readonly AppendAsked[];
    readonly answer: readonly AppendOutcome[] | "refused";
  };
  /** A whole journal; null: there is no such run. */
  readonly read: { readonly asked: string; readonly answer: readonly string[] | null };
  readonly acquire: { readonly asked: LeaseRequest; readonly answer: LeaseAnswer };
  readonly ledger: { readonly asked: LedgerRequest; readonly answer: LedgerAnswer };
  readonly accounts: { readonly asked: readonly string[]; readonly answer: readonly Account[] };
  /** The server was ended without warning, and started again. Nobody asked for it. */
  readonly crash: { readonly asked: null; readonly answer: null };
}
export type Kind = keyof Kinds;

/** One call. Moments are of a clock that all processes share. */
export type Call<K extends Kind = Kind> = {
  readonly [Each in K]: {
    readonly kind: Each;
    /** Who asked, and its how manieth call it was: `"p1 17"`. */
    readonly id: string;
    readonly start: number;
    /** Infinite: no answer came. It was done, or will be yet, or never. */
    readonly end: number;
    readonly asked: Kinds[Each]["asked"];
    readonly answer: Kinds[Each]["answer"] | undefined;
  };
}[K];

/** What is written of a call when it begins, and when it has been answered. */
export type Line =
  | { readonly id: string; readonly start: number; readonly kind: Kind; readonly asked: Kinds[Kind]["asked"] }
  | { readonly id: string; readonly end: number; readonly answer: Kinds[Kind]["answer"] }
  /** It has certainly not been done. */
  | { readonly id: string; readonly unsent: true };

export const lineOf = (line: Line): string => JSON.stringify(encode(line, "a line of a history").json);

/** The calls of all lines of all processes, by when they began. A last line that was cut off is passed over. */
export function callsIn(texts: readonly string[]): Call[] {
  const begun = new Map<string, Call>();
  for (const text of texts) {
    for (const written of text.split("\n").slice(0, -1)) {
      const line = decode(JSON.parse(written)) as Line; // as `lineOf` wrote it
      if ("start" in line) {
        const { id, start, kind, asked } = line;
        begun.set(id, { kind, id, start, asked, end: Number.POSITIVE_INFINITY, answer: undefined } as Call); // its parts fit
      } else if ("unsent" in line) {
        begun.delete(line.id);
      } else {
        const { id, end, answer } = line;
        begun.set(id, { ...begun.get(id), end, answer } as Call); // the line before told of it
      }
    }
  }
  return [...begun.values()].sort((a, b) => a.start - b.start);
}
