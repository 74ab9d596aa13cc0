/**
 * A text as a list of items, its sentences and lines: changed item by item, so that what others have learned stays word for
 * word (the itemised deltas of ACE, arXiv 2510.04618), and merged item by item.
 */
import { isJsonObject, type Json } from "../../core/json.ts";

/** A sentence or a line, with the blanks that follow it; all of them together are the text. */
export type Item = string;

const items = /[^\n.!?]+(?:[.!?](?!\s)[^\n.!?]*)*[.!?]*[^\S\n]*\n*|[.!?]+\s*|\n+/g;

export const itemsOf = (text: string): Item[] => text.match(items) ?? [];

/** What is compared: the words of an item, without its bullet or number. */
const wordsOf = (item: Item): string => item.trim().replace(/^(?:[-*•]|\d+[.)])\s+/, "");

/** The items as a model is shown them, each with its number, from 1. */
export const numbered = (text: string): string =>
  itemsOf(text)
    .map((item, i) => `${i + 1}. ${item.trim()}`)
    .join("\n");

/** A change of one item. `item`: its number, from 1. */
export type Delta =
  | { readonly op: "add"; readonly text: string }
  | { readonly op: "edit"; readonly item: number; readonly text: string }
  | { readonly op: "remove"; readonly item: number };

/** The deltas that somebody wrote; undefined when they are none. */
export function readDeltas(json: Json | undefined): readonly Delta[] | undefined {
  if (!Array.isArray(json) || json.length === 0) return undefined;
  const deltas = json.map(readDelta);
  return deltas.every((delta) => delta !== undefined) ? deltas : undefined;
}

function readDelta(json: Json): Delta | undefined {
  if (!isJsonObject(json)) return undefined;
  const { op, item: number, text } = json;
  const isText = typeof text === "string" && text.trim() !== "";
  if (op === "add" && isText) return { op, text };
  const item = Number(number);
  if (!(Number.isInteger(item) && item >= 1)) return undefined;
  if (op === "edit" && isText) return { op, item, text };
  return op === "remove" ? { op, item } : undefined;
}

/** The text after the deltas; undefined when one is about an item that is not there. */
export function afterDeltas(text: string, deltas: readonly Delta[]): string | undefined {
  const changed: (Item | undefined)[] = itemsOf(text);
  const count = changed.length;
  for (const delta of deltas) {
    if (delta.op === "add") changed.push(delta.text.trim());
    else if (delta.item > count) return undefined;
    else
      changed[delta.item - 1] = delta.op === "edit" ? edited(changed[delta.item - 1], delta.text) : undefined;
  }
  return joined(changed.filter((item) => item !== undefined));
}

/** The blanks after it stay. */
const edited = (before: Item | undefined, text: string): Item =>
  text.trim() + (/\s*$/.exec(before ?? "")?.[0] ?? "");

/** One text of items, each of which ends where the next begins. */
function joined(list: readonly Item[]): string {
  let text = "";
  for (const item of list) text += text === "" || /\s$/.test(text) ? item : `\n${item}`;
  return text;
}

/**
 * What two texts have made of a third, in one: items that either has dropped are gone, items that either has added are there.
 *
 * @returns undefined when both have put something else in the place of the same item: no rule says whose holds.
 */
export function mergedText(before: string, one: string, other: string): string | undefined {
  const [old, ours, theirs] = [before, one, other].map((text) => new Set(itemsOf(text).map(wordsOf))) as [
    Set<string>,
    Set<string>,
    Set<string>,
  ];
  const isNew = (item: Item): boolean => !old.has(wordsOf(item));
  const bothReplaced = [...old].some((words) => words !== "" && !ours.has(words) && !theirs.has(words));
  if (bothReplaced && itemsOf(one).some(isNew) && itemsOf(other).some(isNew)) return undefined;
  const kept = itemsOf(one).filter((item) => isNew(item) || theirs.has(wordsOf(item)));
  const added = itemsOf(other).filter((item) => isNew(item) && !ours.has(wordsOf(item)));
  return joined([...kept, ...added]);
}
