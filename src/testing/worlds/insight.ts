/** What someone who looks at failures would change. */
import type { Json } from "../../core/json.ts";
import type { Path } from "../../core/paths.ts";
import { type Matter, saysAny, saysIt } from "./lore.ts";
import { sentencesOf, withoutSentences, withSentence } from "./prose.ts";

/** What is looked at: one value of the pipeline, and what came of a few cases. */
export interface Look {
  readonly place: Path;
  readonly field: string;
  readonly value: Json;
  readonly cases: readonly Seen[];
}

export interface Seen {
  readonly input: string;
  readonly expected: string;
  readonly output: string;
  readonly score: number;
  readonly feedback: string;
}

/** A change of the value. */
export type Edit = (value: Json) => Json;

export interface Insight {
  /** What would help, each against something else that went wrong. */
  readonly right: readonly Edit[];
  /** What only seems to help. */
  readonly wrong: readonly Edit[];
}

/** What feedback complains about by name, and whether it says plainly what is right. */
export function complaints(cases: readonly Seen[]): { readonly name: string; readonly isPlain: boolean }[] {
  const found = new Map<string, boolean>();
  for (const { feedback } of cases)
    for (const [, name = "", how] of feedback.matchAll(/(?:^|\s)([a-z]+): (expected|something)\b/g))
      found.set(name, (found.get(name) ?? false) || how === "expected");
  return [...found].map(([name, isPlain]) => ({ name, isPlain }));
}

/** Says what is so, and no longer what is not. */
export const corrected =
  ({ right, wrong }: Matter): Edit =>
  (value) => {
    const text = withoutSentences(String(value), (sentence) => saysIt(sentence, wrong));
    return sentencesOf(text).some((sentence) => saysIt(sentence, right))
      ? text
      : withSentence(text, right.says);
  };

/** Says what is not so in place of what is. */
export const misstated =
  ({ right, wrong }: Matter): Edit =>
  (value) =>
    withSentence(
      withoutSentences(String(value), (sentence) => saysIt(sentence, right)),
      wrong.says,
    );

/** Leaves out some sentences that say nothing of the matters: the last ones. */
export const shortened =
  (matters: readonly Matter[], most: number): Edit =>
  (value) => {
    const idle = sentencesOf(String(value)).filter((sentence) => !saysAny(sentence, matters));
    const gone = idle.slice(1).slice(-most);
    return withoutSentences(String(value), (sentence) => gone.includes(sentence));
  };

/** The text with all that is right, nothing that is wrong, and no more idle sentences than do no harm. */
export function ideal(text: string, matters: readonly Matter[], patience: number): string {
  const right = matters.reduce<Json>((told, matter) => corrected(matter)(told), text);
  const idle = sentencesOf(String(right)).filter((sentence) => !saysAny(sentence, matters));
  return String(shortened(matters, Math.max(0, idle.length - patience))(right));
}
