import { describe, expect, test } from "vitest";
import { models } from "../../agents/models.ts";
import type { JsonObject } from "../../core/json.ts";
import { Runner } from "../../engine/runner.ts";
import { baseOf, type Candidate, candidateOf, fieldsAt, withValue } from "../../evals/improve/candidate.ts";
import { checkPatch } from "../../evals/improve/check.ts";
import { valuesOf } from "../../evals/improve/document.ts";
import { memory } from "../../stores/memory.ts";
import { chance } from "../chance.ts";
import { virtualWorld } from "../virtual-world.ts";
import { customerFacts, history, houseRules, platitudes } from "./banks.ts";
import { saysIt } from "./lore.ts";
import { quickImprove } from "./quick-improve.ts";
import { quickLaboratory } from "./quick-laboratory.ts";
import { type TaskWorld, taskWorld, worldFamilies } from "./world.ts";

const base = ({ document }: TaskWorld): Candidate => baseOf(valuesOf(document));
const best = ({ document, oracle, blueprint }: TaskWorld): Candidate => {
  const values = valuesOf(document);
  return {
    ...candidateOf(values, blueprint.ideal(values), { parents: [], by: "oracle", note: "" }),
    patch: oracle,
  };
};

/** Texts of the document, changed by hands that know nothing: sentences of anywhere come and go. */
function scrambled({ document }: TaskWorld, seed: number): JsonObject {
  const draws = chance(seed);
  const words = [...platitudes, ...history, "Xyzzy.", "Ignore all that.", "Give the best answer there is."];
  return Object.entries(document.places).reduce((values, [place, fields]) => {
    return Object.entries(fields).reduce((now, [field, { type, mayChange }]) => {
      const before = fieldsAt(now, place)[field];
      if (type !== "text" || !mayChange || typeof before !== "string") return now;
      const added = Array.from({ length: draws.whole(1, 6) }, () => draws.pick(words));
      return withValue(now, place, field, `${before}\n${added.join("\n")}`);
    }, values);
  }, valuesOf(document));
}

describe("what can be said in a world", () => {
  test.each([...houseRules, ...customerFacts])("$name: each sentence says one thing only", (topic) => {
    const among = houseRules.includes(topic) ? houseRules : customerFacts;
    for (const side of ["right", "wrong"] as const) {
      const heard = among.flatMap(({ name, right, wrong }) => [
        ...(saysIt(topic[side].says, right) ? [`${name} right`] : []),
        ...(saysIt(topic[side].says, wrong) ? [`${name} wrong`] : []),
      ]);
      expect(heard).toEqual([`${topic.name} ${side}`]);
    }
  });

  test.each([...platitudes, ...history])("%s says nothing", (sentence) => {
    const said = [...houseRules, ...customerFacts].flatMap(({ right, wrong }) => [right, wrong]);
    expect(said.filter((statement) => saysIt(sentence, statement))).toEqual([]);
  });
});

describe.each(worldFamilies)("a world of the family %s", (family) => {
  const seeds = [1, 2, 3];

  test("is the same again, and another of another seed", () => {
    const [one, again, other] = [1, 1, 2].map((seed) => taskWorld({ family, seed }));
    expect(again?.dataset).toEqual(one?.dataset);
    expect(again?.oracle).toEqual(one?.oracle);
    expect(other?.oracle).not.toEqual(one?.oracle);
  });

  test("can be bettered a lot, and never beyond the oracle", async () => {
    for (const seed of seeds) {
      const world = taskWorld({ family, seed });
      const { values } = quickLaboratory(world);
      const { base: before, oracle: after } = world.reach;
      expect(world.worth(values(best(world)))).toEqual(after);
      expect(after.score - before.score).toBeGreaterThan(0.3);
      expect(after.score).toBeGreaterThan(0.89);
      const found = await quickImprove(world, { seed, rollouts: 400 });
      expect(found.before).toEqual(before);
      expect(found.after.score).toBeLessThanOrEqual(after.score + 1e-9);
    }
  });

  test("gives nothing for words without a meaning", () => {
    for (const seed of seeds) {
      const world = taskWorld({ family, seed });
      const before = world.worth(valuesOf(world.document)).score;
      for (let i = 0; i < 30; i += 1)
        expect(world.worth(scrambled(world, i)).score).toBeLessThanOrEqual(before + 1e-9);
    }
  });

  test.each(["helpful", "faint", "null", "harm"] as const)(
    "scores what it is worth, on average over many cases: %s",
    async (variant) => {
      const world = taskWorld({
        ...{ family, seed: 1, variant, sizes: { train: 0, validation: 0, test: 3_000 }, clusterSize: 1 },
      });
      const laboratory = quickLaboratory(world);
      const ideal = candidateOf(valuesOf(world.document), world.blueprint.ideal(valuesOf(world.document)), {
        ...{ parents: [], by: "oracle", note: "" },
      });
      for (const candidate of [base(world), ideal]) {
        const outcomes = await laboratory.try(candidate, world.dataset.cases, 1);
        const mean = outcomes.reduce((sum, { score }) => sum + score, 0) / outcomes.length;
        // Scores are from 0 to 1: the standard error is 0.5 / sqrt(3000) at most.
        expect(Math.abs(mean - world.worth(laboratory.values(candidate)).score)).toBeLessThan(4 * 0.0092);
      }
    },
  );

  test("as a null world, is worth the same whatever is said", () => {
    for (const seed of seeds) {
      const world = taskWorld({ family, seed, variant: "null" });
      const values = valuesOf(world.document);
      expect(world.oracle).toEqual([]);
      for (const other of [world.blueprint.ideal(values), scrambled(world, seed)])
        expect(world.worth(other).score).toBeCloseTo(world.worth(values).score, 12);
    }
  });

  test("as one of harm, is worse for every change, and much so for cases in a hurry", () => {
    for (const seed of seeds) {
      const world = taskWorld({ family, seed, variant: "harm" });
      const values = valuesOf(world.document);
      const [before, after] = [world.worth(values), world.worth(world.blueprint.ideal(values))];
      expect(after.score).toBeLessThan(before.score - 0.02);
      expect(after.slices.rush).toBeLessThan((before.slices.rush ?? 0) - 0.1);
    }
  });

  test("does as a run of its pipeline does, at the same price", async () => {
    const world = taskWorld({ family, seed: 3, sizes: { train: 3, validation: 3, test: 3 } });
    const laboratory = quickLaboratory(world);
    const process = virtualWorld({ seed: 1 });
    const flujo = new Runner(world.task, {
      ...{ store: memory(), world: process.process("here"), models: models({ prices: world.prices }) },
    });
    for (const candidate of [base(world), best(world)]) {
      const outcomes = await laboratory.try(candidate, world.dataset.cases, 1);
      for (const [i, { input }] of world.dataset.cases.entries()) {
        const run = flujo.start(input as never, { runId: `${candidate.id}.${i}`, overlay: candidate.patch });
        const result = await process.run(run.result());
        expect(result).toMatchObject({ status: "completed", output: outcomes[i]?.output });
        expect(`${result.spent.picoUsd}`).toBe(outcomes[i]?.picoUsd);
      }
    }
  });
});

describe("the reflector of worlds", () => {
  test("helps more often than not, errs often, and never gets past the check with what is hostile", async () => {
    const counts = { helps: 0, harms: 0, idle: 0, refused: 0 };
    for (const family of worldFamilies) {
      for (let seed = 1; seed <= 20; seed += 1) {
        const world = taskWorld({ family, seed });
        const laboratory = quickLaboratory(world);
        const { document } = world;
        const candidate = base(world);
        const values = laboratory.values(candidate);
        const train = world.dataset.cases.filter(({ split }) => split === "train");
        const cases = train.slice(0, 6);
        const outcomes = await laboratory.try(candidate, cases, 1);
        const [place = ""] = Object.keys(document.places);
        const field = family === "examples" ? "examples" : "system";
        const [proposal] = await laboratory.reflect({
          ...{ document, candidate, values, place, field, outcomes, cases, kind: "rewrite", seed },
        });
        const checked = await checkPatch(document, proposal?.patch, { training: train });
        if (!checked.ok) {
          counts.refused += 1;
          continue;
        }
        const gain = world.worth(checked.values).score - world.worth(values).score;
        counts[gain > 0.01 ? "helps" : gain < -0.01 ? "harms" : "idle"] += 1;
      }
    }
    expect(counts.helps).toBeGreaterThan(60);
    expect(counts.refused).toBeGreaterThan(8);
    expect(counts.harms + counts.idle).toBeGreaterThan(8);
  });

  test("edits items where items are asked for, and says the same to the same", () => {
    const world = taskWorld({ family: "rules", seed: 4 });
    const prompt = (trace: string) =>
      [
        ...[
          'Place: "/task/clerk"',
          'Field: "system"',
          'Kind: "delta"',
          'Value: "Be kind.\\nBe brief."',
          "Items:",
        ],
        ...["1. Be kind.", "2. Be brief.", "Case 1", 'Input: "x"', "Score: 0", `Trace: "${trace}"`],
        'Feedback: "nothing to learn from"',
      ].join("\n");
    const said = world.reflect(prompt("one"));
    expect(world.reflect(prompt("another"))).toBe(said);
    expect(said).toMatch(/"items":\[\{"op":"(add|remove)"|^I would|"items":\[$/);
  });
});
