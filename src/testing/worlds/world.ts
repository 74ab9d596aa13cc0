/**
 * Worlds to try `flujo improve` in: a pipeline, a model that behaves by the prompts it is sent, cases, and all the truth about
 * them. Everything follows from the seed, and nothing is gained but by saying what a world wants to hear.
 */
import { hash } from "node:crypto";
import type { JsonObject } from "../../core/json.ts";
import type { Overlay } from "../../core/overlay.ts";
import type { Step } from "../../core/step.ts";
import type { Case, Split } from "../../evals/dataset/case.ts";
import { type Dataset, datasetOf } from "../../evals/dataset/dataset.ts";
import { patchFrom } from "../../evals/improve/candidate.ts";
import { documentOf, type ImprovablesDocument, valuesOf } from "../../evals/improve/document.ts";
import { type Scorer, scorer } from "../../evals/scorers/scorer.ts";
import { type Chance, chance } from "../chance.ts";
import { type ScriptedModel, scriptedModel } from "../scripted-model.ts";
import { readAsked } from "./asked.ts";
import type { Blueprint, Family } from "./blueprint.ts";
import { examples } from "./families/examples.ts";
import { form } from "./families/form.ts";
import { length, rules } from "./families/ledger.ts";
import { routing } from "./families/routing.ts";
import { tools } from "./families/tools.ts";
import { headOf } from "./records.ts";
import { reflected } from "./reflector.ts";
import { tempers, type Variant } from "./temper.ts";

const families = { rules, form, routing, examples, tools, length } as const satisfies {
  readonly [name: string]: Family;
};

/**
 * What stands between a world's pipeline and good answers:
 *
 * - `rules`: the house has rules that the prompt does not state; feedback hints at them.
 * - `form`: the prompt asks for the wrong form.
 * - `routing`: a router sends questions to the wrong desks, and desks forget what they have to add.
 * - `examples`: what is wanted can only be shown.
 * - `tools`: descriptions of tools mislead.
 * - `length`: the prompt says all, among much that distracts.
 */
export type WorldFamily = keyof typeof families;
export const worldFamilies = Object.keys(families) as readonly WorldFamily[]; // they are its keys

export interface WorldOptions {
  readonly family: WorldFamily;
  readonly seed: number;
  /**
   * `"helpful"` (default): good patches help a lot. `"faint"`: they help a little. `"null"`: no patch matters. `"harm"`: most patches make cases in a hurry much
   * worse, and others hardly better.
   */
  readonly variant?: Variant;
  /** Cases of each split. Default 40, 40 and 100. */
  readonly sizes?: Readonly<Record<Split, number>>;
  /** Cases that are about one document, and alike. Default 2. */
  readonly clusterSize?: number;
}

/** What values are worth in truth: the mean score over all cases there could be, and over those with a tag. */
export interface Worth {
  readonly score: number;
  readonly slices: { readonly [tag: string]: number };
}

export interface TaskWorld {
  readonly name: string;
  /** The pipeline to improve. Its agents ask `model`. */
  readonly task: Step<string, string>;
  readonly model: ScriptedModel;
  /** For the `models` of a `Flujo`. */
  readonly prices: ScriptedModel["prices"];
  /** Cases with their splits, clusters and tags. */
  readonly dataset: Dataset;
  readonly scorers: readonly Scorer[];
  /** Answers what `flujo improve` asks about failures; rather often wrongly. */
  readonly reflector: ScriptedModel;
  /** The best patch there is; an empty one where none helps. */
  readonly oracle: Overlay;
  /** What the pipeline is worth in truth with these values of its improvables. */
  worth(values: JsonObject): Worth;
  /** What it is worth as it is, and with the oracle's patch. */
  readonly reach: { readonly base: Worth; readonly oracle: Worth };
  readonly document: ImprovablesDocument;
  /** What the model and the pipeline are made of: for `quickLaboratory`. */
  readonly blueprint: Blueprint;
  /** What the reflector says to a prompt. */
  readonly reflect: (prompt: string) => string;
}

/**
 * Makes the world of a seed.
 *
 *     const world = taskWorld({ family: "rules", seed: 7 });
 */
export function taskWorld({
  family,
  seed,
  variant = "helpful",
  sizes = { train: 40, validation: 40, test: 100 },
  clusterSize = 2,
}: WorldOptions): TaskWorld {
  const name = `${family}-${variant}-${seed}`;
  const draws = chance(Number.parseInt(hash("sha256", name).slice(0, 8), 16));
  const blueprint = families[family]({ seed: name, chance: draws.fork(), temper: tempers[variant] });
  const model = scriptedModel({
    id: "clerk",
    replies: ({ options: { prompt, tools = [] } }) =>
      blueprint.reply(
        readAsked(
          prompt,
          tools.flatMap((one) => (one.type === "function" ? one : [])),
        ),
      ),
  });
  const reflect = (prompt: string): string => reflected(prompt, blueprint.insight, name);
  const reflector = scriptedModel({ id: "reflector", replies: ({ prompt }) => reflect(prompt) });
  const task = blueprint.task(model);
  const document = documentOf(task);
  const before = valuesOf(document);
  const canHelp = variant === "helpful" || variant === "faint";
  const after = canHelp ? blueprint.ideal(before) : before;
  const worth = (values: JsonObject): Worth => worthOf(blueprint, values);
  return {
    name,
    task,
    model,
    prices: { ...model.prices, ...reflector.prices },
    dataset: datasetOf(name, casesOf(blueprint, draws, sizes, clusterSize)),
    scorers: [scorer("house", (answer) => blueprint.score(textsOf(answer)), { version: name })],
    reflector,
    oracle: patchFrom(before, after),
    worth,
    reach: { base: worth(before), oracle: worth(after) },
    document,
    blueprint,
    reflect,
  };
}

const textsOf = ({ input, expected, output }: { input: unknown; expected: unknown; output: unknown }) => ({
  input: String(input),
  expected: String(expected),
  output: String(output),
});

function casesOf(
  { kinds, question }: Blueprint,
  chance: Chance,
  sizes: Readonly<Record<Split, number>>,
  clusterSize: number,
): Case[] {
  const weighted = kinds.flatMap((kind) => Array.from({ length: kind.weight }, () => kind));
  return (["train", "validation", "test"] as const).flatMap((split) =>
    Array.from({ length: sizes[split] }, (_, i): Case => {
      const kind = chance.pick(weighted);
      const cluster = `${split} file ${Math.floor(i / clusterSize) + 1}`;
      const { input, expected } = question(kind, headOf(cluster, i + 1, kind.rush), chance);
      return {
        id: `${split}-${i + 1}`,
        input,
        expected,
        cluster,
        tags: [kind.rush ? "rush" : "normal"],
        split,
      };
    }),
  );
}

function worthOf({ kinds, worth }: Blueprint, values: JsonObject): Worth {
  const meanOf = (among: Blueprint["kinds"]): number => {
    const total = among.reduce((sum, { weight }) => sum + weight, 0);
    return among.reduce((sum, kind) => sum + kind.weight * worth(values, kind), 0) / total;
  };
  return {
    score: meanOf(kinds),
    slices: {
      normal: meanOf(kinds.filter(({ rush }) => !rush)),
      rush: meanOf(kinds.filter(({ rush }) => rush)),
    },
  };
}
