/** Worlds in which an agent has to ask the right tool, and knows of its tools what their descriptions say. */
import { agent } from "../../../agents/agent.ts";
import { tool } from "../../../agents/tool.ts";
import { pipeline } from "../../../core/compose.ts";
import type { JsonObject } from "../../../core/json.ts";
import type { Schema } from "../../../core/schema.ts";
import { fieldsAt, withValue } from "../../../evals/improve/candidate.ts";
import type { AskedTool } from "../asked.ts";
import { clerkPath, type Family } from "../blueprint.ts";
import { draw } from "../draw.ts";
import { complaints, corrected, type Edit, misstated } from "../insight.ts";
import { type Grasp, graspOf, type Matter, saysIt } from "../lore.ts";
import { sentencesOf, withoutSentences, withSentence } from "../prose.ts";
import { isRush, kindsOf, lineOf, shuffled, standingOf } from "../records.ts";
import { succeeds, sureness } from "../temper.ts";

const toolNames = ["archive", "tracker", "tariff", "calendar"] as const;
const subjects = [
  "parcels",
  "deliveries",
  "holidays",
  "customs",
  "contracts",
  "freight",
  "sundays",
  "stamps",
];
const asks = ["how many", "since when", "which one", "by whom"];

/** A subject, the tool that knows it, and the one that is taken for it. */
interface Realm extends Matter {
  readonly home: string;
  readonly other: string;
}

const fieldOf = (name: string): string => `tool:${name}`;
const system = "You answer short questions of colleagues. Ask one tool, and answer with what it says.";
/** So many sentences without a meaning do no harm. */
const patience = 6;

const Question: Schema<unknown, { readonly subject: string }> = {
  "~standard": {
    version: 1,
    vendor: "worlds",
    validate: (value) => ({ value: value as { subject: string } }), // as the model writes it
  },
};

export const tools: Family = ({ seed, chance, temper }) => {
  const chosen = shuffled(subjects, chance).slice(0, 6);
  const homes = shuffled([...toolNames, ...toolNames], chance);
  const realms = chosen.map((name, i): Realm => {
    const home = homes[i] as string; // one for each
    const other = chance.pick(toolNames.filter((one) => one !== home));
    const claim = (essence: string) => ({ says: `Ask ${essence} about ${name}.`, subject: name, essence });
    return { name, home, other, right: claim(home), wrong: claim(other) };
  });
  const [known, misled] = realms as [Realm, Realm]; // there are six
  const descriptions: readonly AskedTool[] = toolNames.map((name) => ({
    name,
    description: [
      "Looks something up.",
      ...(name === known.home ? [`Knows ${known.name}.`] : []),
      ...(name === misled.other ? [`Knows ${misled.name}.`] : []),
    ].join(" "),
  }));

  const isTold = ({ name }: Realm, by: string, tools: readonly AskedTool[], prompt: string): boolean =>
    sentencesOf(prompt).some((one) => saysIt(one, { says: "", subject: name, essence: by })) ||
    tools.some((one) => one.name === by && one.description.includes(name));
  const graspIn = (realm: Realm, prompt: string, tools: readonly AskedTool[]): Grasp => {
    const isMistold = toolNames.some((one) => one !== realm.home && isTold(realm, one, tools, prompt));
    return graspOf(isTold(realm, realm.home, tools, prompt), isMistold);
  };
  const clutterIn = (prompt: string, tools: readonly AskedTool[]): number =>
    [prompt, ...tools.map(({ description }) => description)]
      .flatMap(sentencesOf)
      .filter((sentence) => !chosen.some((name) => sentence.includes(name))).length;
  const sure = (realm: Realm, prompt: string, tools: readonly AskedTool[], rush: boolean): number => {
    const [now, base] = [graspIn(realm, prompt, tools), graspIn(realm, system, descriptions)];
    return sureness(temper, { now, base, rush, clutter: clutterIn(prompt, tools) - patience });
  };
  const promptIn = (values: JsonObject): string => String(fieldsAt(values, clerkPath).system ?? "");
  const toolsIn = (values: JsonObject): AskedTool[] =>
    descriptions.map(({ name, description }) => ({
      name,
      description: String(fieldsAt(values, clerkPath)[fieldOf(name)] ?? description),
    }));
  const realmOf = (question: string) => realms.find(({ name }) => name === lineOf(question, "about"));
  const lookUp = (name: string, subject: string): string =>
    realms.some((realm) => realm.name === subject && realm.home === name)
      ? `${subject}: found by ${name}`
      : `${subject}: not found by ${name}`;

  return {
    task: (model) =>
      pipeline(
        "task",
        agent("clerk", {
          model,
          system,
          improve: { examples: false },
          tools: descriptions.map(({ name, description }) =>
            tool(name, { description, input: Question, execute: ({ subject }) => lookUp(name, subject) }),
          ),
        }),
      ),
    kinds: kindsOf(chosen, 1),
    question: ({ matters: [subject = ""] }, head, chance) => {
      const input = `${head}\nabout: ${subject}\nasks: ${chance.pick(asks)}`;
      return { input, expected: lookUp(realmOf(input)?.home ?? "", subject) };
    },
    reply: (asked) => {
      const { question, results } = asked;
      const said = results.at(-1);
      if (said !== undefined) return { text: said };
      const realm = realmOf(question);
      if (realm === undefined) return { text: "I do not know." };
      const request = {
        standing: seed + standingOf(asked),
        question,
        document: lineOf(question, "document"),
      };
      const probable = sure(realm, asked.system, asked.tools, isRush(question));
      const isRight = succeeds(probable, temper, { ...request, matter: realm.name });
      const others = toolNames.filter((name) => name !== realm.home);
      const told = others.find((name) => isTold(realm, name, asked.tools, asked.system));
      const other = told ?? others[Math.floor(draw(seed, question) * others.length)] ?? realm.other;
      return { toolCalls: [{ name: isRight ? realm.home : other, input: { subject: realm.name } }] };
    },
    perform: (values, input, desk) => {
      const tools = toolsIn(values).map((one) => ({
        ...one,
        execute: ({ subject }: { readonly subject: string }) => lookUp(one.name, subject),
      }));
      return desk.ask(clerkPath, { system: promptIn(values), question: input, tools });
    },
    score: ({ input, expected, output }) => {
      if (output === expected) return { score: 1, feedback: "Everything is as it should be." };
      const { name = "", home = "" } = realmOf(input) ?? {};
      const isVague = draw(seed, "vague", input) < 0.25;
      const why = isVague ? "something is not as it should be" : `expected ${home} to be asked`;
      return { score: 0, feedback: `${name}: ${why}.` };
    },
    insight: ({ field, cases }) => {
      const own = toolNames.find((name) => field === fieldOf(name));
      const found = complaints(cases).flatMap(({ name, isPlain }) =>
        realms.flatMap((realm) => (realm.name === name ? [{ realm, isPlain }] : [])),
      );
      const plain = found.filter(({ isPlain }) => isPlain).map(({ realm }) => realm);
      if (own === undefined)
        return { right: plain.map(corrected), wrong: found.map(({ realm }) => misstated(realm)) };
      const knows =
        ({ name }: Realm): Edit =>
        (value) =>
          withSentence(String(value), `Knows ${name}.`);
      return {
        right: plain.map((realm) => (realm.home === own ? knows(realm) : unsaid(realm))),
        wrong: found.map(({ realm }) => (realm.home === own ? unsaid(realm) : knows(realm))),
      };
    },
    ideal: (values) =>
      realms.reduce(
        (better, realm) =>
          toolNames.reduce((now, name) => {
            const before = fieldsAt(now, clerkPath)[fieldOf(name)] ?? "";
            const text = String(unsaid(realm)(before));
            const after = name === realm.home ? withSentence(text, `Knows ${realm.name}.`) : text;
            return withValue(now, clerkPath, fieldOf(name), after);
          }, better),
        values,
      ),
    worth: (values, { matters: [subject], rush }) => {
      const realm = realms.find(({ name }) => name === subject) as Realm; // kinds name no others
      return sure(realm, promptIn(values), toolsIn(values), rush);
    },
  };
};

/** A description that no longer speaks of a subject. */
const unsaid =
  ({ name }: Realm): Edit =>
  (value) =>
    withoutSentences(String(value), (sentence) => sentence.includes(name));
