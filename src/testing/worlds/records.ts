/** Questions and answers as records, a line a field; and draws from lists. */
import type { Chance } from "../chance.ts";
import type { Asked } from "./asked.ts";
import type { Kind } from "./blueprint.ts";
import { digest } from "./draw.ts";

/** What stands in the line of a field. */
export function lineOf(text: string, name: string): string | undefined {
  const start = `${name}: `;
  return text
    .split("\n")
    .find((line) => line.startsWith(start))
    ?.slice(start.length);
}

/** How a case's input begins. */
export const headOf = (document: string, number: number, rush: boolean): string =>
  `document: ${document}\nnumber: ${number}\npriority: ${rush ? "rush" : "normal"}`;

export const isRush = (question: string): boolean => lineOf(question, "priority") === "rush";

/** All that a model is told beside the question. */
export const standingOf = ({ system, examples, tools }: Asked): string =>
  digest(system, JSON.stringify(examples), JSON.stringify(tools));

/** The kinds of cases that ask about so many of the matters; three of ten cases are in a hurry. */
export function kindsOf(matters: readonly string[], atATime: 1 | 2): Kind[] {
  const sets = matters.flatMap((one, i) =>
    atATime === 1 ? [[one]] : matters.slice(i + 1).map((other) => [one, other]),
  );
  return sets.flatMap((set) => [
    { matters: set, rush: false, weight: 7 },
    { matters: set, rush: true, weight: 3 },
  ]);
}

export function shuffled<T>(list: readonly T[], chance: Chance): T[] {
  const rest = [...list];
  return list.map(() => rest.splice(chance.whole(0, rest.length - 1), 1)[0] as T); // there is one for each
}

export const mean = (numbers: readonly number[]): number =>
  numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
