import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { InvalidOptionError } from "../../core/errors.ts";
import { type Scorer, scorer } from "../../evals/scorers/scorer.ts";
import { editSimilarity, tokenSimilarity } from "../../evals/scorers/similarity.ts";
import { contains, exact, matches } from "../../evals/scorers/texts.ts";
import { json, numeric } from "../../evals/scorers/values.ts";
import { CommandError } from "../letter.ts";
import { loadModule, type Module } from "../load/module.ts";
import { wholeNumber } from "../options.ts";

/** Scorers that need no options. */
const named: { readonly [name: string]: () => Scorer } = {
  exact,
  contains,
  matches,
  numeric,
  json,
  editSimilarity,
  tokenSimilarity,
};
const scorerNames = Object.keys(named);

/** Adds the options of every command that tries a pipeline on cases. */
export const tryingOn = (command: Command): Command =>
  command
    .option("--scorer <name...>", `score by these: ${scorerNames.join(", ")}`)
    .option("--scorers <file>", "score by those this file exports (default: the pipeline's file; else exact)")
    .addOption(
      new Option("--concurrency <count>", "so many trials at once (default: 8)").argParser(wholeNumber(1)),
    );

/** What to score by: scorers that are named, those of a file, those the pipeline's file exports; else `exact`. */
export async function scorersFor(
  pipelineFile: string,
  { scorer: names, scorers: file }: { readonly scorer?: readonly string[]; readonly scorers?: string },
): Promise<readonly Scorer[]> {
  const asked = (names ?? []).map(byName);
  if (file !== undefined) return [...asked, ...scorersIn(await loadModule(resolve(file)), file)];
  if (asked.length > 0) return asked;
  const module = await loadModule(pipelineFile);
  return module.scorers === undefined ? [exact()] : scorersIn(module, pipelineFile);
}

function byName(name: string): Scorer {
  const make = Object.hasOwn(named, name) ? named[name] : undefined;
  if (make !== undefined) return make();
  throw new InvalidOptionError(`there is no scorer "${name}"`, {
    hint: `There are ${scorerNames.join(", ")}; others are exported by a file: --scorers FILE`,
  });
}

function scorersIn({ scorers, default: other }: Module, file: string): Scorer[] {
  const list: unknown = scorers ?? other;
  const found = Array.isArray(list) ? list.map(asScorer) : [];
  if (found.length > 0 && found.every((one) => one !== undefined)) return found;
  throw new CommandError(
    "cannot-load",
    `${file} exports no list of scorers`,
    'import { exact, judge } from "flujo/evals"; export const scorers = [exact(), judge({ … })];',
  );
}

/** By its shape: it may come from another copy of Flujo. A function scores under its own name. */
function asScorer(value: unknown): Scorer | undefined {
  if (typeof value === "function" && value.name !== "") return scorer(value.name, value as Scorer["score"]); // what it returns is checked
  const isOne = typeof value === "object" && value !== null && "score" in value && "name" in value;
  return isOne && typeof value.score === "function" && typeof value.name === "string"
    ? (value as Scorer)
    : undefined;
}
