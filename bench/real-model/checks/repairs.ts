/** Answers by a schema, with and without a grammar: how often a wrong one is put right when the model is told what is wrong. */
import { agent } from "flujo";
import * as z from "zod";
import { type Chapter, of, type Wrong } from "../chapter.ts";
import type { Lab } from "../lab.ts";

const person = z.object({ name: z.string(), age: z.number().int().min(1).max(120) });

const notes: readonly (readonly [text: string, name: string, age: number])[] = [
  ["Ada Lovelace was 36 years old when she died.", "Ada Lovelace", 36],
  ["Our new colleague is Tomás. He is 29.", "Tomás", 29],
  ["Maria (41) leads the team.", "Maria", 41],
  ["Grandpa Joe turned ninety-six last week.", "Joe", 96],
  ["At 58, Kim Lee still runs marathons.", "Kim Lee", 58],
  ["Say hello to Nora, age seven.", "Nora", 7],
  ["The winner, Paul Okafor, is 33 years old.", "Paul Okafor", 33],
  ["Zoë is 12 and plays chess.", "Zoë", 12],
];

/** The same question twice: with the form of the answer in the prompt, and without. */
const told = (note: string) => `Give the person as JSON {"name": string, "age": number}: "${note}"`;
const untold = (note: string) => `Give the person of this note as JSON: "${note}"`;

export async function repairs(lab: Lab): Promise<Chapter> {
  const series = {
    "form told, schema ignored": await readings(lab, "openai:smollm2-free", told),
    "form not told, schema ignored": await readings(lab, "openai:smollm2-free", untold),
    "form not told, grammar": await readings(lab, "openai:smollm2", untold),
  };
  const lines = (how: string, read: readonly Reading[]) => {
    const first = read.filter(({ fits, calls }) => fits && calls === 1).length;
    const repaired = read.filter(({ fits, calls }) => fits && calls > 1).length;
    const turns = read.reduce((sum, { calls }) => sum + calls - 1, 0);
    return [
      {
        what: `${how}: fits at once; after repair; never`,
        figure: `${first}; ${repaired}; ${read.length - first - repaired}`,
      },
      { what: `${how}: repair turns bought`, figure: `${turns}` },
      {
        what: `${how}: fits, and is true`,
        figure: of(read.filter(({ right }) => right).length, read.length),
      },
    ];
  };
  const all = Object.values(series).flat();
  return {
    title: "Schema repair",
    lines: [
      ...Object.entries(series).flatMap(([how, read]) => lines(how, read)),
      {
        what: "an answer that does not fit never came through",
        figure: of(all.filter(({ honest }) => honest).length, all.length),
        kept: all.every(({ honest }) => honest),
      },
    ],
    wrong: Object.entries(series).flatMap(([how, read]) => examples(read, how)),
  };
}

interface Reading {
  readonly text: string;
  readonly said: string;
  readonly calls: number;
  readonly fits: boolean;
  readonly right: boolean;
  readonly honest: boolean;
  readonly but: string;
}

async function readings(lab: Lab, model: string, prompt: (note: string) => string): Promise<Reading[]> {
  const read = agent("read", {
    ...{ model, prompt, output: person, repairs: 2, maxOutputTokens: 80 },
    system: "You read notes and answer with JSON.",
  });
  const readings: Reading[] = [];
  for (const [text, name, age] of notes) {
    const { result, calls } = await lab.run(read, text);
    const output = result.status === "completed" ? result.output : undefined;
    readings.push({
      ...{ text, calls: calls.length, fits: output !== undefined },
      said: calls.at(-1)?.served?.text ?? "",
      right: output?.name === name && output.age === age,
      honest: output === undefined ? result.status === "failed" : person.safeParse(output).success,
      but: output === undefined ? "no answer fits, after two repairs" : `it is ${name}, ${age}`,
    });
  }
  return readings;
}

const examples = (read: readonly Reading[], how: string): Wrong[] =>
  read
    .filter(({ right }) => !right)
    .slice(0, 2)
    .map(({ text, said, but }) => ({ asked: `${text} (${how})`, said, but }));
