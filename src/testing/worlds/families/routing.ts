/** Worlds in which a router sends questions to desks, and each desk has a rule of its own to keep: four prompts decide. */
import { agent } from "../../../agents/agent.ts";
import { branchOn, parallel, pipeline, step } from "../../../core/compose.ts";
import type { JsonObject } from "../../../core/json.ts";
import type { Path } from "../../../core/paths.ts";
import { fieldsAt, withValue } from "../../../evals/improve/candidate.ts";
import type { Asked } from "../asked.ts";
import type { Family } from "../blueprint.ts";
import { draw } from "../draw.ts";
import { complaints, corrected, ideal, misstated } from "../insight.ts";
import { type Matter, reader } from "../lore.ts";
import { isRush, kindsOf, lineOf, shuffled, standingOf } from "../records.ts";
import { succeeds, sureness } from "../temper.ts";

const desks = ["billing", "shipping", "workshop"] as const;
const routerPath: Path = "/task/both[desk]/router";
const deskPath = (desk: string): Path => `/task/answer[${desk}]/${desk}`;

const subjects = [
  "customs",
  "springs",
  "vouchers",
  "crates",
  "dials",
  "deposits",
  "couriers",
  "engraving",
  "taxes",
];

/** What each desk has to add to its answers. */
const manners: {
  readonly [desk: string]: readonly [right: string, essence: string, wrong: string, seeming: string];
} = {
  billing: [
    "Close answers with the number of the account.",
    "account",
    "Close answers with the year of birth.",
    "birth",
  ],
  shipping: [
    "Close answers with the name of the harbour.",
    "harbour",
    "Close answers with the weather at sea.",
    "weather",
  ],
  workshop: [
    "Close answers with the initials of the smith.",
    "smith",
    "Close answers with a joke about time.",
    "joke",
  ],
};

/** A subject, and the desk that its questions are for. */
interface Route extends Matter {
  readonly home: string;
}

export const routing: Family = ({ seed, chance, temper }) => {
  const chosen = shuffled(subjects, chance).slice(0, 6);
  const homes = shuffled([...desks, ...desks], chance);
  const routes = chosen.map((subject, i): Route => {
    const home = homes[i] as string; // one for each
    const other = chance.pick(desks.filter((desk) => desk !== home));
    return {
      name: subject,
      home,
      right: { says: `Questions about ${subject} go to ${home}.`, subject, essence: home },
      wrong: { says: `Questions about ${subject} go to ${other}.`, subject, essence: other },
    };
  });
  const rules = desks.map((desk): Matter => {
    const [right, essence, wrong, seeming] = manners[desk] ?? ["", "", "", ""];
    const subject = "close answers";
    return {
      name: desk,
      right: { says: right, subject, essence },
      wrong: { says: wrong, subject, essence: seeming },
    };
  });
  const [known, misled] = routes as [Route, Route]; // there are six
  const wellKept = chance.pick(rules);
  const base: { readonly [place: Path]: string } = {
    [routerPath]: `Say which desk a question is for: ${desks.join(", ")}. ${known.right.says} ${misled.wrong.says}`,
    ...Object.fromEntries(
      rules.map((rule) => [
        deskPath(rule.name),
        `You answer questions at the desk called ${rule.name}.${rule === wellKept ? ` ${rule.right.says}` : ""}`,
      ]),
    ),
  };
  const mattersAt = (place: Path): readonly Matter[] =>
    place === routerPath ? routes : rules.filter(({ name }) => place === deskPath(name));
  const readers = new Map(Object.keys(base).map((place) => [place, reader(mattersAt(place))]));
  const sure = (place: Path, text: string, name: string, rush: boolean): number => {
    const read = readers.get(place) ?? reader([]);
    const { grasps, clutter } = read(text);
    const before = read(base[place] ?? "").grasps.get(name) ?? "lacks";
    return sureness(temper, { now: grasps.get(name) ?? "lacks", base: before, rush, clutter: clutter - 3 });
  };
  const systemAt = (values: JsonObject, place: Path): string => String(fieldsAt(values, place).system ?? "");
  const routeOf = (question: string) => routes.find(({ name }) => name === lineOf(question, "about"));
  const does = (place: Path, asked: Asked, matter: string): boolean => {
    const { question, system } = asked;
    const request = { standing: seed + standingOf(asked), question, document: lineOf(question, "document") };
    return succeeds(sure(place, system, matter, isRush(question)), temper, { ...request, matter });
  };
  const placeOf = ({ question }: Asked): Path => {
    const desk = lineOf(question, "desk");
    return desk === undefined ? routerPath : deskPath(desk);
  };
  const atDesk = (desk: string, question: string): string => `desk: ${desk}\n${question}`;
  const deskOf = (said: string): (typeof desks)[number] => desks.find((desk) => desk === said) ?? "billing";

  return {
    task: (model) => {
      const system = (place: Path): string => base[place] ?? "";
      const improve = { examples: false };
      const router = agent("router", { model, system: system(routerPath), improve });
      const same = step("same", (question: string) => question, { version: "1" });
      const at = (desk: string) =>
        agent(desk, {
          model,
          system: system(deskPath(desk)),
          improve,
          prompt: ({ question }: { readonly desk: string; readonly question: string }) =>
            atDesk(desk, question),
        });
      const [billing, shipping, workshop] = [at("billing"), at("shipping"), at("workshop")];
      return pipeline(
        "task",
        parallel("both", { desk: router, question: same }).to(
          branchOn("answer", ({ desk }) => deskOf(desk), { billing, shipping, workshop }),
        ),
      );
    },
    kinds: kindsOf(chosen, 1),
    question: ({ matters: [subject = ""] }, head, chance) => {
      const input = `${head}\nabout: ${subject}\nasks: ${chance.pick(["how much", "how long", "by whom", "where"])}`;
      const home = routeOf(input)?.home ?? "";
      return { input, expected: `${home} on ${subject}, well closed` };
    },
    reply: (asked) => {
      const { question } = asked;
      const place = placeOf(asked);
      const route = routeOf(question);
      if (route === undefined) return { text: "I do not know." };
      if (place === routerPath) {
        if (does(place, asked, route.name)) return { text: route.home };
        const others = desks.filter((desk) => desk !== route.home);
        const grasp = readers.get(routerPath)?.(asked.system).grasps.get(route.name);
        const isMisled = grasp === "misled" || grasp === "torn";
        const any = others[draw(seed, question) < 0.5 ? 0 : 1] ?? "billing";
        return { text: isMisled ? route.wrong.essence : any };
      }
      const desk = lineOf(question, "desk") ?? "";
      return { text: `${desk} on ${route.name}, ${does(place, asked, desk) ? "well closed" : "left open"}` };
    },
    perform: (values, input, desk) => {
      const said = desk.ask(routerPath, { system: systemAt(values, routerPath), question: input });
      const place = deskPath(deskOf(said));
      return desk.ask(place, { system: systemAt(values, place), question: atDesk(deskOf(said), input) });
    },
    score: ({ input, expected, output }) => {
      const isVague = draw(seed, "vague", input) < 0.25;
      const why = (name: string, plain: string) =>
        `${name}: ${isVague ? "something is not as it should be" : plain}.`;
      const route = routeOf(input);
      const [home = "", subject = ""] = [route?.home, route?.name];
      if (output === expected) return { score: 1, feedback: "Everything is as it should be." };
      if (!output.startsWith(`${home} on`))
        return { score: 0, feedback: why(subject, `expected an answer of ${home}, got one of another desk`) };
      return { score: 0.5, feedback: why(home, "expected another ending") };
    },
    insight: ({ place, field, cases }) => {
      if (field !== "system") return { right: [], wrong: [] };
      const found = complaints(cases).flatMap(({ name, isPlain }) =>
        mattersAt(place).flatMap((one) => (one.name === name ? [{ one, isPlain }] : [])),
      );
      return {
        right: found.filter(({ isPlain }) => isPlain).map(({ one }) => corrected(one)),
        wrong: found.map(({ one }) => misstated(one)),
      };
    },
    ideal: (values) =>
      Object.keys(base).reduce(
        (better, place) =>
          withValue(better, place, "system", ideal(systemAt(better, place), mattersAt(place), 3)),
        values,
      ),
    worth: (values, { matters: [subject = ""], rush }) => {
      const home = routes.find(({ name }) => name === subject)?.home ?? "";
      const place = deskPath(home);
      const sent = sure(routerPath, systemAt(values, routerPath), subject, rush);
      return sent * (0.5 + 0.5 * sure(place, systemAt(values, place), home, rush));
    },
  };
};
