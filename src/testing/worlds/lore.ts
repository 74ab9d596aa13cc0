/** What there is to know in a world, and what a prompt makes a model believe about it. */
import { sentencesOf } from "./prose.ts";

/** Something that a sentence can say. It is heard in any sentence that has both its words. */
export interface Statement {
  readonly says: string;
  readonly subject: string;
  readonly essence: string;
}

/** One thing to know: what is so, and what only seems so. */
export interface Matter {
  readonly name: string;
  readonly right: Statement;
  readonly wrong: Statement;
}

/** What a text makes one believe of a matter: the truth, nothing, the opposite, or both. */
export type Grasp = "knows" | "lacks" | "misled" | "torn";

export const graspOf = (isTold: boolean, isMistold: boolean): Grasp =>
  isTold ? (isMistold ? "torn" : "knows") : isMistold ? "misled" : "lacks";

export const saysIt = (sentence: string, { subject, essence }: Statement): boolean => {
  const lower = sentence.toLowerCase();
  return lower.includes(subject.toLowerCase()) && lower.includes(essence.toLowerCase());
};

export const saysAny = (sentence: string, matters: readonly Matter[]): boolean =>
  matters.some(({ right, wrong }) => saysIt(sentence, right) || saysIt(sentence, wrong));

/** What a text says of each matter, and how many of its sentences say nothing of any. */
export interface Reading {
  readonly grasps: ReadonlyMap<string, Grasp>;
  readonly clutter: number;
}

/** Reads texts; each text once. */
export function reader(matters: readonly Matter[]): (text: string) => Reading {
  const known = new Map<string, Reading>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const sentences = sentencesOf(text);
    const hears = (statement: Statement) => sentences.some((sentence) => saysIt(sentence, statement));
    const grasps = new Map(
      matters.map(({ name, right, wrong }) => [name, graspOf(hears(right), hears(wrong))] as const),
    );
    const clutter = sentences.filter((sentence) => !saysAny(sentence, matters)).length;
    const reading = { grasps, clutter };
    known.set(text, reading);
    return reading;
  };
}
