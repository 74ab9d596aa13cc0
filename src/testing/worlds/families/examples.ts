/** Worlds in which no words help: what is wanted can only be shown. */
import { agent } from "../../../agents/agent.ts";
import { pipeline } from "../../../core/compose.ts";
import type { Json, JsonObject } from "../../../core/json.ts";
import { fieldsAt, withValue } from "../../../evals/improve/candidate.ts";
import { clerkPath, type Family } from "../blueprint.ts";
import { draw } from "../draw.ts";
import type { Edit } from "../insight.ts";
import { type Grasp, graspOf } from "../lore.ts";
import { headOf, isRush, kindsOf, lineOf, mean, shuffled, standingOf } from "../records.ts";
import { succeeds, sureness } from "../temper.ts";

const subjects = ["leaks", "noise", "delays", "scratches", "smells", "sparks", "dust", "rust"];
const codes = ["K4", "M7", "P2", "R9", "T1", "V3", "X8", "Z5"];
const says = ["since yesterday", "again", "once more than last year", "for the third time", "in the hall"];

/** An example, its question and its answer as texts. */
interface Shown {
  readonly question: string;
  readonly answer: string;
}
const system = "You sort complaints. Give each the code that the house has for it.";
/** More examples than that make a model lose sight of the question. */
const most = 8;

const shownIn = (examples: Json | undefined): Shown[] =>
  Array.isArray(examples)
    ? examples.map((one) => {
        const { input = "", output = "" } = one as JsonObject; // the document holds no others
        return { question: String(input), answer: String(output) };
      })
    : [];

export const examples: Family = ({ seed, chance, temper }) => {
  const chosen = shuffled(subjects, chance).slice(0, 6);
  const own = shuffled(codes, chance);
  const code = new Map(chosen.map((subject, i) => [subject, own[i] as string])); // there are more
  const codeOf = (subject: string): string => code.get(subject) ?? "";
  const inputOf = (head: string, subject: string, how: string): string =>
    `${head}\ncomplaint: ${subject} ${how}`;
  const subjectIn = (question: string): string => lineOf(question, "complaint")?.split(" ")[0] ?? "";
  const base = chosen.slice(0, 1).map((subject) => ({
    input: inputOf(headOf("Sample", 0, false), subject, "again"),
    output: codeOf(subject),
  }));

  const graspIn = (subject: string, shown: readonly Shown[]): Grasp => {
    const answers = shown
      .filter(({ question }) => subjectIn(question) === subject)
      .map(({ answer }) => answer);
    const isRight = (answer: string): boolean => answer === codeOf(subject);
    return graspOf(answers.some(isRight), !answers.every(isRight));
  };
  const sure = (subject: string, shown: readonly Shown[], rush: boolean): number => {
    const [now, before] = [graspIn(subject, shown), graspIn(subject, shownIn(base))];
    return sureness(temper, { now, base: before, rush, clutter: 2 * (shown.length - most) });
  };
  const examplesIn = (values: JsonObject) => fieldsAt(values, clerkPath).examples;

  return {
    task: (model) => pipeline("task", agent("clerk", { model, system, examples: base })),
    kinds: kindsOf(chosen, 1),
    question: ({ matters: [subject = ""] }, head, chance) => ({
      input: inputOf(head, subject, chance.pick(says)),
      expected: codeOf(subject),
    }),
    reply: (asked) => {
      const { question } = asked;
      const subject = subjectIn(question);
      const request = {
        standing: seed + standingOf(asked),
        question,
        document: lineOf(question, "document"),
      };
      const probable = sure(subject, asked.examples, isRush(question));
      if (succeeds(probable, temper, { ...request, matter: subject })) return { text: codeOf(subject) };
      const others = codes.filter((one) => one !== codeOf(subject));
      return { text: others[Math.floor(draw(seed, question) * others.length)] ?? "" };
    },
    perform: (values, input, desk) => {
      const { system: told = "" } = fieldsAt(values, clerkPath);
      const shown = shownIn(examplesIn(values)).map(({ question, answer }) => ({
        input: question,
        output: answer,
      }));
      return desk.ask(clerkPath, { system: String(told), question: input, examples: shown });
    },
    score: ({ input, expected, output }) => {
      if (output === expected) return { score: 1, feedback: "Everything is as it should be." };
      const isVague = draw(seed, "vague", input) < 0.25;
      const why = isVague ? "something is not as it should be" : `expected ${expected}, got ${output}`;
      return { score: 0, feedback: `${subjectIn(input)}: ${why}.` };
    },
    insight: ({ field, cases }) => {
      if (field !== "examples") return { right: [], wrong: [] };
      const failures = cases.filter(({ score }) => score < 1);
      const shows =
        (input: string, output: string): Edit =>
        (value) => [...(Array.isArray(value) ? value : []), { input, output }];
      return {
        right: failures.map(({ input, expected }) => shows(input, expected)),
        wrong: failures.map(({ input, output }) => shows(input, output)),
      };
    },
    ideal: (values) => {
      const all = chosen.map((subject) => ({
        input: inputOf(headOf("Sample", 0, false), subject, "again"),
        output: codeOf(subject),
      }));
      return withValue(values, clerkPath, "examples", all);
    },
    worth: (values, { matters, rush }) => {
      const shown = shownIn(examplesIn(values));
      return mean(matters.map((subject) => sure(subject, shown, rush)));
    },
  };
};
