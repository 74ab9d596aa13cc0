import { writeFile } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { InvalidOptionError } from "../../core/errors.ts";
import { isRunId } from "../../core/paths.ts";
import { readDataset } from "../../evals/dataset/file.ts";
import type { SearchTerms } from "../../evals/improve/improve.ts";
import type { Improvement } from "../../evals/improve/improvement.ts";
import { patchFileOf, patchFileText } from "../../evals/improve/patch-file.ts";
import { improvementReport } from "../../evals/improve/report.ts";
import { reportMarkdown } from "../../evals/improve/report-markdown.ts";
import type { Improving } from "../../evals/improve/results.ts";
import { nodeWorld } from "../../node-world.ts";
import type { Store } from "../../ports/store.ts";
import { budgetOf } from "../amounts.ts";
import { printJson } from "../document.ts";
import { scorersFor, tryingOn } from "../evals/scorers.ts";
import { exit } from "../exit.ts";
import { count } from "../format.ts";
import { onlyPipeline } from "../improve/only-pipeline.ts";
import { aboutPipeline, overlaidPipeline, putInForce } from "../improve/overlay.ts";
import { reportText } from "../improve/report-text.ts";
import { improveAll } from "../improve/run.ts";
import type { Loaded } from "../load/pipeline.ts";
import { jsonOption, quietOption, storeOption, wholeNumber } from "../options.ts";
import { readSettings } from "../settings.ts";
import { openStore } from "../stores.ts";
import { result, say } from "../terminal.ts";
import { declare as applying, patchFileName } from "./improve/apply.ts";
import { declare as document } from "./improve/document.ts";
import { declare as explain } from "./improve/explain.ts";
import { declare as history } from "./improve/history.ts";
import { declare as revert } from "./improve/revert.ts";

interface Flags {
  readonly name?: string;
  readonly pipeline?: string;
  readonly export?: string;
  readonly reflector?: string;
  readonly budget?: string;
  readonly apply?: boolean;
  readonly out: string;
  readonly report?: string;
  readonly scorer?: readonly string[];
  readonly scorers?: string;
  readonly seed?: number;
  readonly rollouts?: number;
  readonly threshold?: number;
  readonly sliceMargin?: number;
  readonly maxCostRatio?: number;
  readonly concurrency?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly store?: string;
}

/** `flujo improve DATASET`, and what becomes of what it finds. */
export function declare(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("improve <dataset>")
    .enablePositionalOptions() // flags after the name of a subcommand are its own
    .description(
      "Search for better prompts and settings of a pipeline, and prove on cases kept for it that they are. The same --name again goes on where it stopped.",
    )
    .option("--name <name>", "what the search is called (default: a new name)")
    .option("--reflector <model>", "the model that is asked for better texts (default: rules propose)")
    .option("--budget <amount>", "the most all of it may cost: '$5' (in single quotes)")
    .option("--apply", "put what is promoted in force, as the pipeline's overlay")
    .option("--out <file>", "where the patch goes", patchFileName)
    .option("--report <file>", "write the report in Markdown, too; - prints it")
    .addOption(new Option("--seed <number>", "of all choices (default: 1)").argParser(wholeNumber(0)))
    .addOption(
      new Option(
        "--rollouts <count>",
        "the most cases tried in the search (default: 10 times the validation split, 300 at least)",
      ).argParser(wholeNumber(1)),
    )
    .addOption(
      new Option("--threshold <gain>", "the gain must be larger than this (default: 0)").argParser(
        numberTo(1),
      ),
    )
    .addOption(
      new Option("--slice-margin <part>", "how much worse a slice may seem (default: 0.05)").argParser(
        numberTo(1),
      ),
    )
    .addOption(
      new Option(
        "--max-cost-ratio <times>",
        "a case may cost so many times what it did (default: 1.25)",
      ).argParser(numberTo(Number.MAX_VALUE)),
    )
    .addOption(jsonOption("with everything"))
    .addOption(quietOption())
    .addOption(storeOption());
  tryingOn(aboutPipeline(command)).action(async (dataset: string, flags: Flags) =>
    done(await improve(dataset, flags)),
  );
  for (const sub of [document, applying, revert, history, explain]) sub(command, done);
}

async function improve(path: string, flags: Flags): Promise<number> {
  if (flags.name !== undefined && !isRunId(flags.name)) {
    throw new InvalidOptionError(`${JSON.stringify(flags.name)} is no name for a search`, {
      hint: "Use 1 to 128 letters, digits, dots, dashes and underscores; begin with a letter or digit.",
    });
  }
  const budget = budgetOf(flags.budget === undefined ? {} : { budget: flags.budget })?.cost;
  const dataset = await readDataset(path);
  const settings = await readSettings(flags);
  const loaded = await onlyPipeline(settings, flags);
  const scorers = await scorersFor(loaded.file, flags);
  const store = typeof settings.store === "string" ? await openStore(settings.store) : settings.store;
  try {
    const name = flags.name ?? `improve-${nodeWorld().id()}`;
    const { reflector, concurrency, quiet = false } = flags;
    if (!quiet) {
      const who = reflector === undefined ? "without a reflector: rules propose" : `${reflector} proposes`;
      say(`Search ${name}: ${count(dataset.cases.length, "case")}, ${who}`);
    }
    const found = await improveAll({
      ...{ name, loaded, dataset, scorers, reflector, store, settings, budget, concurrency, quiet },
      terms: termsOf(flags),
    });
    await report(found, flags);
    if (found.improvement === undefined) return unfinished(found, store);
    await handOver(found.improvement, loaded, flags);
    return exitCodeFor(found.improvement);
  } finally {
    await store.close();
  }
}

const termsOf = ({ seed, rollouts, threshold, sliceMargin, maxCostRatio }: Flags): SearchTerms => ({
  ...(seed === undefined ? {} : { seed }),
  ...(rollouts === undefined ? {} : { rollouts }),
  ...(threshold === undefined ? {} : { threshold }),
  ...(sliceMargin === undefined ? {} : { sliceMargin }),
  ...(maxCostRatio === undefined ? {} : { maxCostRatio }),
});

async function report({ name, status, improvement }: Improving, { json, report: to }: Flags): Promise<void> {
  if (json) return printJson({ name, status, improvement: improvement ?? null });
  if (improvement === undefined) return;
  const found = await improvementReport(improvement);
  if (to !== undefined && to !== "-") await writeFile(to, reportMarkdown(found));
  await result(to === "-" ? reportMarkdown(found) : reportText(found));
}

/** Writes the patch of what was found; puts it in force when that is asked for and proven. */
async function handOver(
  improvement: Improvement,
  loaded: Loaded,
  { out, apply, quiet }: Flags,
): Promise<void> {
  const patch = patchFileOf(improvement);
  if (patch === undefined) return;
  await writeFile(out, patchFileText(patch));
  const isPromoted = improvement.promotion?.verdict === "promote";
  if (!quiet) {
    const next = isPromoted
      ? apply
        ? ""
        : `; flujo improve apply ${out} puts it in force`
      : ", as it is: not promoted";
    say(`The patch is in ${out}${next}`);
  }
  if (!apply) return;
  if (isPromoted)
    say(await putInForce(await overlaidPipeline({ pipeline: loaded.file, export: loaded.export }), patch));
  else say("It is not put in force: that takes a promotion.");
}

/** Promoted, or not: nothing better was found or it is not proven (7), or it is worse in some respect (6). */
function exitCodeFor({ promotion }: Improvement): number {
  switch (promotion?.verdict) {
    case "promote":
      return exit.completed;
    case "slice-regressed":
    case "too-costly":
      return exit.regressed;
    default:
      return exit.inconclusive;
  }
}

function unfinished({ name }: Improving, store: Store): number {
  const where =
    store.durability === "volatile"
      ? ""
      : ` The same command with --name ${name} and a larger --budget goes on.`;
  say(`The search is not over.${where}`);
  return exit.halted;
}

function numberTo(most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() !== "" && value >= 0 && value <= most) return value;
    throw new InvalidArgumentError(
      most === 1 ? "It takes a number from 0 to 1." : "It takes a number from 0.",
    );
  };
}
