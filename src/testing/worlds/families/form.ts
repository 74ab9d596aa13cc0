/** Worlds in which all is said by the form of an answer: what is right in the wrong form counts little. */
import { agent } from "../../../agents/agent.ts";
import { pipeline } from "../../../core/compose.ts";
import type { JsonObject } from "../../../core/json.ts";
import { fieldsAt, withValue } from "../../../evals/improve/candidate.ts";
import { clerkPath, type Family } from "../blueprint.ts";
import { draw } from "../draw.ts";
import { complaints, corrected, ideal, misstated } from "../insight.ts";
import { type Matter, reader } from "../lore.ts";
import { isRush, lineOf, mean, shuffled, standingOf } from "../records.ts";
import { succeeds, sureness } from "../temper.ts";

interface Aspect extends Matter {
  /** What feedback says is wanted. */
  readonly wants: string;
  readonly isIn: (output: string) => boolean;
}

const aspect = (
  { name, subject, wants }: { readonly name: string; readonly subject: string; readonly wants: string },
  [right, essence]: readonly [string, string],
  [wrong, seeming]: readonly [string, string],
  isIn: Aspect["isIn"],
): Aspect => ({
  name,
  wants,
  isIn,
  right: { says: right, subject, essence },
  wrong: { says: wrong, subject, essence: seeming },
});

const keys = ["item", "colour", "amount", "place"];
const alphabetical = [...keys].sort();

const lines = aspect(
  { name: "shape", subject: "answer", wants: "a line a key" },
  ["Answer in lines of key = value.", "key = value"],
  ["Answer in one full sentence.", "full sentence"],
  (output) => /^\S+ = /m.test(output),
);

const others: readonly Aspect[] = [
  aspect(
    { name: "keys", subject: "keys", wants: "them large" },
    ["Write all keys in capitals.", "capitals"],
    ["Write all keys between stars.", "stars"],
    (output) => !keys.some((key) => output.includes(key)),
  ),
  aspect(
    { name: "order", subject: "keys", wants: "it sorted" },
    ["Put the keys in the order of the alphabet.", "alphabet"],
    ["Put the keys in the order of their length.", "of their length"],
    (output) => isRising(alphabetical.map((key) => output.toLowerCase().indexOf(key))),
  ),
  aspect(
    { name: "ending", subject: "end with", wants: "a mark of the end" },
    ["End with a line that says DONE.", "says DONE"],
    ["End with a polite greeting.", "greeting"],
    (output) => output.endsWith("\nDONE"),
  ),
  aspect(
    { name: "opening", subject: "begin", wants: "what this is to come first" },
    ["Begin with a line that says RECORD.", "says RECORD"],
    ["Begin by repeating the note.", "repeating"],
    (output) => output.startsWith("RECORD\n"),
  ),
  aspect(
    { name: "quotes", subject: "values", wants: "quotes around what was noted" },
    ["Put values between double quotes.", "double quotes"],
    ["Put values between brackets.", "brackets"],
    (output) => output.includes('"'),
  ),
];

const isRising = (numbers: readonly number[]): boolean =>
  numbers.every((one, i) => one >= 0 && (i === 0 || one > (numbers[i - 1] ?? 0)));

const samples: { readonly [key: string]: readonly string[] } = {
  item: ["lamp", "clock", "chair", "mirror"],
  colour: ["red", "green", "blue"],
  amount: ["12", "140", "7", "36"],
  place: ["Oslo", "Turin", "Ghent"],
};

/** A note in the form that these aspects of it are done right. */
function written(note: string, done: ReadonlySet<string>): string {
  const order = done.has("order") ? alphabetical : keys;
  const pairs = order.map((key) => {
    const value = lineOf(note, key) ?? "";
    return [done.has("keys") ? key.toUpperCase() : key, done.has("quotes") ? `"${value}"` : value] as const;
  });
  const body = done.has("shape")
    ? pairs.map(([key, value]) => `${key} = ${value}`).join("\n")
    : `${pairs.map(([key, value]) => `The ${key} is ${value}`).join("; ")}.`;
  return `${done.has("opening") ? "RECORD\n" : ""}${body}${done.has("ending") ? "\nDONE" : ""}`;
}

/** What an answer is worth whose shape is wrong: so much of the rest. */
const unreadable = 0.25;
/** So many faults feedback names. */
const mostNamed = 2;

export const form: Family = ({ seed, chance, temper }) => {
  const rest = shuffled(others, chance).slice(0, 4);
  const aspects = [lines, ...rest];
  const names = aspects.map(({ name }) => name);
  const [misled, known] = rest as [Aspect, Aspect]; // there are four
  const system = [
    "You turn notes into records.",
    lines.wrong.says,
    misled.wrong.says,
    known.right.says,
    "Leave out what was not noted.",
  ].join(" ");
  const read = reader(aspects);
  const base = read(system).grasps;
  const sure = (text: string, name: string, rush: boolean): number => {
    const { grasps, clutter } = read(text);
    const [now, before] = [grasps.get(name) ?? "lacks", base.get(name) ?? "lacks"];
    return sureness(temper, { now, base: before, rush, clutter: clutter - 4 });
  };
  const systemIn = (values: JsonObject): string => String(fieldsAt(values, clerkPath).system ?? "");

  return {
    task: (model) => pipeline("task", agent("clerk", { model, system, improve: { examples: false } })),
    kinds: [
      { matters: names, rush: false, weight: 7 },
      { matters: names, rush: true, weight: 3 },
    ],
    question: (_, head, chance) => {
      const note = keys.map((key) => `${key}: ${chance.pick(samples[key] ?? [])}`);
      const input = [head, ...note].join("\n");
      return { input, expected: written(input, new Set(names)) };
    },
    reply: (asked) => {
      const { question } = asked;
      const request = {
        standing: seed + standingOf(asked),
        question,
        document: lineOf(question, "document"),
      };
      const done = names.filter((matter) =>
        succeeds(sure(asked.system, matter, isRush(question)), temper, { ...request, matter }),
      );
      return { text: written(question, new Set(done)) };
    },
    perform: (values, input, desk) => desk.ask(clerkPath, { system: systemIn(values), question: input }),
    score: ({ input, output }) => {
      const faults = aspects.filter(({ isIn }) => !isIn(output));
      const share = 1 - faults.length / aspects.length;
      const named = faults.slice(0, mostNamed).map(({ name, wants }) => {
        const isVague = draw(seed, "vague", input, name) < 0.25;
        return `${name}: ${isVague ? "something is not as it should be" : `expected ${wants}`}.`;
      });
      return {
        score: faults.includes(lines) ? share * unreadable : share,
        feedback: faults.length === 0 ? "Everything is as it should be." : named.join(" "),
      };
    },
    insight: ({ cases }) => {
      const found = complaints(cases).flatMap(({ name, isPlain }) =>
        aspects.flatMap((one) => (one.name === name ? [{ one, isPlain }] : [])),
      );
      return {
        right: found.filter(({ isPlain }) => isPlain).map(({ one }) => corrected(one)),
        wrong: found.map(({ one }) => misstated(one)),
      };
    },
    ideal: (values) => withValue(values, clerkPath, "system", ideal(systemIn(values), aspects, 4)),
    worth: (values, { rush }) => {
      const probable = names.map((name) => sure(systemIn(values), name, rush));
      // All of a case swings together, and the shape decides what the rest is worth.
      return mean(
        [-temper.swing, temper.swing].map((swing) => {
          const [shape = 0, ...rest] = probable.map((one) => one + swing);
          const right = rest.reduce((sum, one) => sum + one, 0);
          return (shape * (1 + right) + (1 - shape) * unreadable * right) / names.length;
        }),
      );
    },
  };
};
