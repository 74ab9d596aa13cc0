/** What a run waits for while no process advances it: people, signals from outside, moments in time. */
import type { Json } from "./json.ts";
import type { Path } from "./paths.ts";

/** One thing a run waits for. */
export interface Wait {
  readonly path: Path;
  /** `human`: a person's answer. `signal`: an event from outside. `timer`: a moment. */
  readonly kind: "human" | "signal" | "timer";
  /** When it goes on in any case, in milliseconds since 1970. */
  readonly due?: number;
}

/** Who is asked, and for how long, until the next ones are. */
export interface Round {
  /** Names as the author writes them: `"ana"`, `"team:ops"`. Absent: anybody. */
  readonly assignees?: readonly string[];
  /** Milliseconds. Absent: without end. */
  readonly ms?: number;
}

/** What is gone on with when nobody has answered in time. Absent: it fails. */
export interface WayOut {
  readonly value: unknown;
}

/** Who is asked one after the other, each for a time; and what comes when the last have not answered. */
export interface Terms {
  readonly rounds: readonly Round[];
  readonly wayOut?: WayOut | undefined;
}

/** What is asked, in words; and what helps to decide. */
export interface Words {
  readonly prompt: string;
  readonly context?: unknown;
}

/** Something that was asked, and how it stands. */
export interface Asked {
  /** The entry that asked. */
  readonly seq: number;
  /** When it was asked, in milliseconds since 1970. */
  readonly at: number;
  readonly prompt: string;
  readonly context: Json | undefined;
  /** How many are asked one after the other. */
  readonly rounds: number;
  /** Counts those who were asked before, from 0. */
  round: number;
  assignees: readonly string[] | undefined;
  /** When their time is over. */
  due: number | undefined;
}

/** What a place waits for, as it was asked. */
export interface Awaited extends Asked {
  readonly kind: "human" | "signal";
  /** The JSON Schema of the answer, or the name of the library whose schema it is. Absent: an approval. */
  readonly answer: Json | undefined;
}

/** From when on no answer is taken: the end of the time of those who are asked last. Until then more people may answer. */
export const closingOf = ({
  rounds,
  round,
  due,
}: Pick<Asked, "rounds" | "round" | "due">): number | undefined => (round + 1 < rounds ? undefined : due);

/** Who has answered, and when it was sent. */
export interface Answered {
  readonly at: number;
  readonly by: string | undefined;
  /** Nobody has: its time was over, and the author's own value was taken. */
  readonly late: boolean;
}

/** The earliest moment at which one of them goes on by itself; undefined when none does. */
export function wakeAt(waits: readonly Wait[]): number | undefined {
  let earliest: number | undefined;
  for (const { due } of waits)
    if (due !== undefined && (earliest === undefined || due < earliest)) earliest = due;
  return earliest;
}

/** Those that somebody has to send something to. */
export const addressed = (waits: readonly Wait[]): Path[] =>
  waits.filter(({ kind }) => kind !== "timer").map(({ path }) => path);

/** Whether somebody is among those who are asked; where nobody is named, everybody is. */
export const isAsked = (assignees: readonly string[] | undefined, name: string): boolean =>
  assignees === undefined || assignees.includes(name);
