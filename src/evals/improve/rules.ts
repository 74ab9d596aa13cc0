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

function otherNumber(
  { type, min, max }: Improvable,
  value: number | undefined,
  chance: Chance,
): Suggestion | undefined {
  const bounds = [min, max].flatMap((bound) => bound ?? []);
  const at = value ?? bounds[0];
  if (at === undefined) return undefined;
  const step = min !== undefined && max !== undefined ? (max - min) / 4 : Math.max(Math.abs(at) / 2, 0.25);
  const whole = (n: number): number => (type === "integer" ? Math.round(n) : Number(n.toFixed(6)));
  const within = (n: number): number => Math.min(max ?? n, Math.max(min ?? n, n));
  const near = [at + step, at - step, at + step / 2, at - step / 2];
  const others = [...new Set([...near, ...bounds].map((n) => within(whole(n))))].filter((n) => n !== value);
  if (others.length === 0) return undefined;
  const to = chance.pick(others);
  const way = value !== undefined && to < value ? "lower" : "raise";
  return { value: to, by: `rule:${way}`, note: `takes ${to} instead of ${value ?? "the default"}` };
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
