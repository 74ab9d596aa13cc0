/** What can be proposed without asking a model: other settings, examples of the train split, and plain changes of texts. */
import type { Json } from "../../core/json.ts";
import { equal } from "../../core/state.ts";
import type { Case } from "../dataset/case.ts";
import { bootstrapped } from "./bootstrap.ts";
import type { Chance } from "./chance.ts";
import type { Component } from "./components.ts";
import type { Improvable } from "./document.ts";
import { itemsOf } from "./items.ts";
import type { Outcome } from "./laboratory.ts";

/** Another value of a component, and why. */
export interface Suggestion {
  readonly value: Json;
  readonly by: string;
  readonly note: string;
}

/** What a rule goes by: a few cases of the train split, and what came of them. */
export interface Occasion {
  readonly cases: readonly Case[];
  readonly outcomes: readonly Outcome[];
}

/** Another value by a rule; undefined where none has one. */
export function suggested(
  { improvable }: Component,
  value: Json | undefined,
  occasion: Occasion,
  chance: Chance,
): Suggestion | undefined {
  switch (improvable.type) {
    case "number":
    case "integer":
      return otherNumber(improvable, typeof value === "number" ? value : undefined, chance);
    case "model":
    case "choice":
      return otherChoice(improvable, value, chance);
    case "examples":
      return otherExamples(improvable, Array.isArray(value) ? value : [], occasion, chance);
    case "text":
      return otherText(typeof value === "string" ? value : "", occasion, chance);
  }
}

/**
 * A number anywhere within the bounds, or a step from the one there is, each step half as long as the one before it: near the
 * best value it takes small ones.
 */
function otherNumber(
  { type, min, max }: Improvable,
  value: number | undefined,
  chance: Chance,
): Suggestion | undefined {
  const at = value ?? min ?? max;
  if (at === undefined) return undefined;
  const isBound = min !== undefined && max !== undefined;
  const range = isBound ? max - min : 2 * Math.max(Math.abs(at), 1);
  const isFar = isBound && chance.next() < 0.4;
  const step = range / 2 ** (1 + Math.floor(chance.next() * 5));
  const to = isFar ? (min ?? 0) + chance.next() * range : chance.next() < 0.5 ? at + step : at - step;
  const bounded = Math.min(max ?? to, Math.max(min ?? to, to));
  const rounded = type === "integer" ? Math.round(bounded) : Number(bounded.toPrecision(3));
  if (rounded === value || rounded < (min ?? rounded) || rounded > (max ?? rounded)) return undefined;
  const way = value !== undefined && rounded < value ? "lower" : "raise";
  return { value: rounded, by: `rule:${way}`, note: `takes ${rounded} instead of ${value ?? "the default"}` };
}

function otherChoice(
  { choices = [] }: Improvable,
  value: Json | undefined,
  chance: Chance,
): Suggestion | undefined {
  const others = choices.filter((one) => value === undefined || !equal(one, value));
  if (others.length === 0) return undefined;
  const to = chance.pick(others);
  return { value: to, by: "rule:choose", note: `takes ${JSON.stringify(to)}` };
}

function otherExamples(
  { max }: Improvable,
  examples: readonly Json[],
  { cases, outcomes }: Occasion,
  chance: Chance,
): Suggestion | undefined {
  if (examples.length > 0 && chance.next() < 0.2) {
    const gone = Math.floor(chance.next() * examples.length);
    const value = examples.filter((_, i) => i !== gone);
    return { value, by: "rule:fewer-examples", note: "leaves out an example" };
  }
  const value = bootstrapped(examples, { cases, outcomes, most: max }, chance);
  return value && { value, by: "bootstrap", note: "shows examples from cases of the train split" };
}

/** Of an item that the rules add, in characters. */
const longestReminder = 300;
const plainly = "Answer with nothing but what is asked for.";

function otherText(text: string, { outcomes }: Occasion, chance: Chance): Suggestion | undefined {
  const present = new Set(itemsOf(text).map((item) => item.trim().replace(/^- /, "")));
  const said = new Map<string, number>();
  for (const { score, feedback } of outcomes) {
    if (score >= 1) continue;
    for (const line of feedback.split("\n").map((one) => one.trim()))
      if (line !== "" && line.length <= longestReminder && !present.has(line))
        said.set(line, (said.get(line) ?? 0) + 1);
  }
  const ways: (() => Suggestion)[] = [];
  if (said.size > 0) {
    ways.push(() => {
      const line = chance.weighted([...said]);
      return {
        value: `${text.trimEnd()}\n- ${line}`,
        by: "rule:remind",
        note: `says what the feedback says: ${line}`,
      };
    });
  }
  if (itemsOf(text).length > 1) ways.push(() => shorter(text, chance));
  if (!text.includes(plainly))
    ways.push(() => ({
      value: `${text.trimEnd()}\n${plainly}`,
      by: "rule:plain",
      note: "asks for the answer alone",
    }));
  return ways.length === 0 ? undefined : chance.pick(ways)();
}

/** The text without one of its sentences. What the placeholders of a template stand in is kept. */
export function shorter(text: string, chance: Chance): Suggestion {
  const items = itemsOf(text);
  const able = items.flatMap((item, i) => (item.trim() === "" || item.includes("{{") ? [] : [i]));
  const gone = able.length === 0 ? -1 : chance.pick(able);
  const value = items
    .filter((_, i) => i !== gone)
    .join("")
    .trimEnd();
  return { value, by: "rule:shorten", note: `leaves out: ${(items[gone] ?? "").trim()}` };
}
