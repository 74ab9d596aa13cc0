/**
 * Worlds in which one agent fills in records, a line a matter, by what its system prompt says of each: hidden rules, where too
 * little is said, and over-long prompts, where too much is.
 */
import { agent } from "../../../agents/agent.ts";
import { pipeline } from "../../../core/compose.ts";
import type { JsonObject } from "../../../core/json.ts";
import { fieldsAt, withValue } from "../../../evals/improve/candidate.ts";
import { customerFacts, history, houseRules, type Topic } from "../banks.ts";
import { type Blueprint, clerkPath, type Family, type Plan } from "../blueprint.ts";
import { draw } from "../draw.ts";
import { complaints, corrected, ideal, misstated, shortened } from "../insight.ts";
import { reader } from "../lore.ts";
import { isRush, kindsOf, lineOf, mean, shuffled, standingOf } from "../records.ts";
import { succeeds, sureness } from "../temper.ts";

/** The prompt says little of how the house writes things, and one thing wrong; failures tell the rest. */
export const rules: Family = (plan) => {
  const topics = shuffled(houseRules, plan.chance).slice(0, 6);
  const [known, misled] = topics as [Topic, Topic]; // there are six
  const system = [
    "You are the clerk of a small office that keeps its records in one style.",
    "Copy each field of the record you are given, a line a field, as the house writes it.",
    `- ${known.right.says}`,
    `- ${misled.wrong.says}`,
  ].join("\n");
  return ledger({ ...plan, topics, system, patience: 4 });
};

/** The prompt says all there is to know, among old stories that lead astray and a history that nobody asked for. */
export const length: Family = (plan) => {
  const topics = shuffled(customerFacts, plan.chance).slice(0, 6);
  const stories = topics.slice(0, 5).map(({ wrong }) => wrong.says);
  const facts = topics.map(({ right }) => right.says);
  const told = shuffled([...stories, ...facts, ...history], plan.chance);
  const system = ["You answer customers of a house that makes clocks.", ...told].join(" ");
  const temper = { ...plan.temper, distraction: 2 * plan.temper.distraction };
  return ledger({ ...plan, temper, topics, system, patience: 1 });
};

interface LedgerPlan extends Plan {
  readonly topics: readonly Topic[];
  readonly system: string;
  /** How many sentences that say nothing do no harm. */
  readonly patience: number;
}

function ledger({ seed, temper, topics, system, patience }: LedgerPlan): Blueprint {
  const read = reader(topics);
  const base = read(system).grasps;
  const sure = (text: string, name: string, rush: boolean): number => {
    const { grasps, clutter } = read(text);
    const [now, before] = [grasps.get(name) ?? "lacks", base.get(name) ?? "lacks"];
    return sureness(temper, { now, base: before, rush, clutter: clutter - patience });
  };
  const systemIn = (values: JsonObject): string => String(fieldsAt(values, clerkPath).system ?? "");
  const topicOf = (name: string): Topic => topics.find((one) => one.name === name) as Topic; // kinds name no others

  return {
    task: (model) => pipeline("task", agent("clerk", { model, system, improve: { examples: false } })),
    kinds: kindsOf(
      topics.map(({ name }) => name),
      2,
    ),
    question: ({ matters }, head, chance) => {
      const samples = matters.map((name) => [name, chance.pick(topicOf(name).samples)] as const);
      return {
        input: [head, ...samples.map(([name, [asked]]) => `${name}: ${asked}`)].join("\n"),
        expected: samples.map(([name, [, right]]) => `${name}: ${right}`).join("\n"),
      };
    },
    reply: (asked) => {
      const { question } = asked;
      const request = {
        standing: seed + standingOf(asked),
        question,
        document: lineOf(question, "document"),
      };
      const lines = question.split("\n").flatMap((line) => {
        const [matter = "", plain = ""] = line.split(": ");
        const topic = topics.find(({ name }) => name === matter);
        const [, right, wrong] = topic?.samples.find(([asked]) => asked === plain) ?? [];
        if (right === undefined) return [];
        if (succeeds(sure(asked.system, matter, isRush(question)), temper, { ...request, matter }))
          return `${matter}: ${right}`;
        const grasp = read(asked.system).grasps.get(matter);
        return `${matter}: ${grasp === "misled" || grasp === "torn" ? wrong : plain}`;
      });
      return { text: lines.join("\n") };
    },
    perform: (values, input, desk) => desk.ask(clerkPath, { system: systemIn(values), question: input }),
    score: ({ input, expected, output }) => {
      const wanted = expected.split("\n").map((line) => line.split(": "));
      const faults = wanted.flatMap(([name = "", value]) => {
        const got = lineOf(output, name);
        if (got === value) return [];
        return draw(seed, "vague", input, name) < 0.25
          ? `${name}: something is not as it should be.`
          : `${name}: expected "${value}", got "${got ?? "nothing"}".`;
      });
      return {
        score: 1 - faults.length / wanted.length,
        feedback: faults.length === 0 ? "Everything is as it should be." : faults.join(" "),
      };
    },
    insight: ({ value, cases }) => {
      const found = complaints(cases).filter(({ name }) => topics.some((topic) => topic.name === name));
      const isLong = read(String(value)).clutter > patience;
      return {
        right: [
          ...found.filter(({ isPlain }) => isPlain).map(({ name }) => corrected(topicOf(name))),
          ...(isLong ? [shortened(topics, 3)] : []),
        ],
        wrong: found.map(({ name }) => misstated(topicOf(name))),
      };
    },
    ideal: (values) => withValue(values, clerkPath, "system", ideal(systemIn(values), topics, patience)),
    worth: (values, { matters, rush }) => mean(matters.map((name) => sure(systemIn(values), name, rush))),
  };
}
