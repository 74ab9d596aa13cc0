import { writeFile } from "node:fs/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import { InvalidOptionError } from "../../core/errors.ts";
import { isRunId } from "../../core/paths.ts";
import type { Step } from "../../core/step.ts";
import type { Case } from "../../evals/dataset/case.ts";
import type { Dataset } from "../../evals/dataset/dataset.ts";
import { readDataset } from "../../evals/dataset/file.ts";
import { splitOf } from "../../evals/dataset/split.ts";
import {
  compareCases,
  defaultMargin,
  gate,
  gateAt,
  type Verdict,
} from "../../evals/experiment/comparison.ts";
import { experimentInput } from "../../evals/experiment/experiment.ts";
import { looksAt } from "../../evals/experiment/looks.ts";
import type { Standing } from "../../evals/experiment/reading.ts";
import { readTally, recordsOf } from "../../evals/experiment/results.ts";
import type { CaseScore } from "../../evals/experiment/tally.ts";
import {
  documentOf,
  type ExperimentDocument,
  type Listed,
  type TestLook,
} from "../../evals/report/document.ts";
import { htmlOf } from "../../evals/report/html.ts";
import { jsonOf } from "../../evals/report/json.ts";
import { junitOf } from "../../evals/report/junit.ts";
import { headline, sectionsOf, wordsOf } from "../../evals/report/lines.ts";
import { markdownOf } from "../../evals/report/markdown.ts";
import { nodeWorld } from "../../node-world.ts";
import type { Store } from "../../ports/store.ts";
import { budgetOf } from "../amounts.ts";
import { baseCases } from "../evals/base.ts";
import { casesFor, splitChoices } from "../evals/cases.ts";
import { tryAll } from "../evals/run.ts";
import { scorersFor, tryingOn } from "../evals/scorers.ts";
import { writeReport } from "../evals/write.ts";
import { exit } from "../exit.ts";
import { count, tableText } from "../format.ts";
import { loadPipeline } from "../load/pipeline.ts";
import { exportOption, jsonOption, quietOption, storeOption, wholeNumber } from "../options.ts";
import { readSettings } from "../settings.ts";
import { openStore } from "../stores.ts";
import { printable, result, say } from "../terminal.ts";

interface Flags {
  readonly name?: string;
  readonly scorer?: readonly string[];
  readonly scorers?: string;
  readonly trials: number;
  readonly split?: readonly string[];
  readonly tags?: readonly string[];
  readonly concurrency?: number;
  readonly budget?: string;
  readonly compare?: string;
  readonly gate?: boolean;
  readonly margin: number;
  readonly min?: number;
  readonly passMark: number;
  readonly json?: boolean;
  readonly markdown?: string;
  readonly html?: string;
  readonly junit?: string;
  readonly quiet?: boolean;
  readonly store?: string;
  readonly export?: string;
}

/** `flujo eval PIPELINE DATASET` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("eval <file> <dataset>")
    .description(
      "Try a pipeline on the cases of a dataset, and score what comes. The same --name again goes on where it stopped.",
    )
    .option("--name <name>", "what the experiment is called (default: a new name)")
    .addOption(new Option("--trials <count>", "try each case so often").argParser(wholeNumber(1)).default(1))
    .addOption(
      new Option(
        "--split <names...>",
        "only cases of these splits (default: train validation; the test split is sealed, and each look at it counted)",
      ).choices(splitChoices),
    )
    .option("--tags <names...>", "only cases with one of these tags")
    .option("--budget <amount>", "the most it may cost in all, judges included: '$5' (in single quotes)")
    .option(
      "--compare <base>",
      "compare, case by case, with an earlier experiment: its name, or a file of --json",
    )
    .option("--gate", "exit with 0 when it is no worse, 6 when it is worse, 7 when the cases do not tell")
    .addOption(
      new Option("--margin <part>", "how much worse is still no worse")
        .argParser(part)
        .default(defaultMargin),
    )
    .addOption(
      new Option("--min <score>", "for a gate without --compare: the least mean score").argParser(part),
    )
    .addOption(
      new Option("--pass-mark <score>", "a trial with less is a failure").argParser(part).default(0.5),
    )
    .addOption(jsonOption("with everything"))
    .option("--markdown <file>", "write a report in Markdown, too; - prints it")
    .option("--html <file>", "write a report in HTML, too; - prints it")
    .option("--junit <file>", "write the trials as JUnit XML, too; - prints it")
    .addOption(quietOption())
    .addOption(storeOption())
    .addOption(exportOption("to try"));
  tryingOn(command).action(async (file: string, dataset: string, flags: Flags) =>
    done(await evaluate(file, dataset, flags)),
  );
}

async function evaluate(file: string, path: string, flags: Flags): Promise<number> {
  checkFlags(flags);
  const tried = await tryCases(file, path, flags);
  try {
    return await tell(tried, flags);
  } finally {
    await tried.store.close();
  }
}

/** An experiment that is over, or as far as its budget went. The dataset is not needed any more, and need not stay in memory. */
interface Tried {
  readonly name: string;
  readonly store: Store;
  readonly base: readonly CaseScore[] | undefined;
  readonly look: TestLook | undefined;
}

async function tryCases(file: string, path: string, flags: Flags): Promise<Tried> {
  const budget = budgetOf(flags.budget === undefined ? {} : { budget: flags.budget })?.cost;
  const dataset = await readDataset(path);
  const cases = casesFor(dataset, path, flags);
  const settings = await readSettings(flags);
  const loaded = await loadPipeline(file, flags.export);
  const scorers = await scorersFor(loaded.file, flags);
  const task = loaded.step as Step<never, unknown, never>; // whether an input fits, its schema says
  const input = experimentInput({ task, scorers }, dataset, { cases, trials: flags.trials });
  const store = typeof settings.store === "string" ? await openStore(settings.store) : settings.store;
  try {
    // What cannot be compared with is told before anything is paid for.
    const base = flags.compare === undefined ? undefined : await baseCases(store, flags.compare);
    const name = flags.name ?? `eval-${nodeWorld().id()}`;
    if (!flags.quiet)
      say(`Experiment ${name}: ${count(cases.length, "case")}, ${count(flags.trials, "trial")} of each`);
    const { concurrency, quiet = false } = flags;
    await tryAll({ name, loaded, input, scorers, store, settings, budget, concurrency, quiet });
    return { name, store, base, look: await lookOf(name, cases, dataset, store) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Reports what has come of it, and says how to end. */
async function tell({ name, store, base, look }: Tried, flags: Flags): Promise<number> {
  const found = await readTally(store, name, flags);
  if (found === undefined)
    throw new InvalidOptionError(`the experiment ${name} is not in ${store.name} any more`);
  const { standing, tally } = found;
  const comparison =
    base === undefined || tally.trials === 0
      ? undefined
      : { ...compareCases(base, tally.cases(), flags), with: flags.compare as string }; // there is a base
  const unjudged = documentOf(standing, tally, { passMark: flags.passMark, comparison, look });
  const verdict = flags.gate ? verdictOf(unjudged, flags) : undefined;
  const listed = { cases: () => tally.cases(), records: () => recordsOf(store, name) };
  await report({ ...unjudged, verdict: verdict ?? null }, listed, flags);
  return exitCodeFor(standing, verdict, store);
}

function checkFlags({ name, gate: isGate, compare: base, min }: Flags): void {
  if (name !== undefined && !isRunId(name)) {
    throw new InvalidOptionError(`${JSON.stringify(name)} is no name for an experiment`, {
      hint: "Use 1 to 128 letters, digits, dots, dashes and underscores; begin with a letter or digit.",
    });
  }
  if (isGate && base === undefined && min === undefined) {
    throw new InvalidOptionError("--gate has nothing to go by", {
      hint: "Name an earlier experiment, --compare BASE, or the least mean score, --min 0.8.",
    });
  }
}

/** Which look at the test split this experiment is, where it is one. */
async function lookOf(
  name: string,
  cases: readonly Case[],
  dataset: Dataset,
  store: Store,
): Promise<TestLook | undefined> {
  if (!cases.some((one) => splitOf(one) === "test")) return undefined; // there is nothing to count
  const looks = await looksAt(store, dataset);
  const at = looks.findIndex(({ run }) => run === name);
  const look = looks[at];
  return look === undefined
    ? undefined
    : { number: at + 1, cases: look.cases, earlier: looks.slice(0, at).map(({ run }) => run) };
}

/** Both terms, where both are given, have to be met. */
function verdictOf({ summary, comparison, status }: ExperimentDocument, { margin, min }: Flags): Verdict {
  if (summary === null || status !== "completed") return "inconclusive";
  const verdicts = [
    ...(comparison === null ? [] : [gate(comparison, { margin })]),
    ...(min === undefined ? [] : [gateAt(summary.score, min)]),
  ];
  return (["regress", "inconclusive"] as const).find((one) => verdicts.includes(one)) ?? "pass";
}

async function report(
  document: ExperimentDocument,
  listed: Listed,
  { json, markdown, html, junit }: Flags,
): Promise<void> {
  if (markdown === "-") await result(markdownOf(document, listed));
  else if (markdown !== undefined) await writeFile(markdown, markdownOf(document, listed));
  if (html !== undefined) await writeReport(html, htmlOf(document, listed));
  if (junit !== undefined) await writeReport(junit, junitOf(document, listed));
  if (json) return writeReport("-", jsonOf(document, listed));
  if ([markdown, html, junit].includes("-")) return;
  const tables = sectionsOf(document, listed).map(
    ({ title, rows }) => `${printable(title)}\n${tableText(rows)}`,
  );
  const words = wordsOf(document).map(printable);
  await result(`${[printable(headline(document)), ...tables, ...words].join("\n\n")}\n`);
}

const codes: { readonly [verdict in Verdict]: number } = {
  pass: exit.completed,
  regress: exit.regressed,
  inconclusive: exit.inconclusive,
};

/** An experiment that its budget stopped is halted, whatever its cases say so far. */
function exitCodeFor({ name, status }: Standing, verdict: Verdict | undefined, store: Store): number {
  if (status !== "completed") {
    const where =
      store.durability === "volatile"
        ? ""
        : ` The same command with --name ${name} and a larger --budget goes on.`;
    say(`The experiment is not over.${where}`);
    return exit.halted;
  }
  return verdict === undefined ? exit.completed : codes[verdict];
}

function part(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError("It takes a number from 0 to 1.");
}
