import type { Command } from "commander";
import { decode } from "../../core/codec.ts";
import { fold } from "../../core/fold.ts";
import type { Json } from "../../core/json.ts";
import { Values } from "../../core/resolve.ts";
import type { RunRecord } from "../../core/run-record.ts";
import type { Case } from "../../evals/dataset/case.ts";
import type { Dataset } from "../../evals/dataset/dataset.ts";
import { addCase, readDataset } from "../../evals/dataset/file.ts";
import { splitOf } from "../../evals/dataset/split.ts";
import { type Look, looksAt } from "../../evals/experiment/looks.ts";
import { readJournal } from "../../lens/journal.ts";
import { readable } from "../../lens/readable.ts";
import type { Store } from "../../ports/store.ts";
import { printJson } from "../document.ts";
import { exit } from "../exit.ts";
import { count } from "../format.ts";
import { jsonOf } from "../input.ts";
import { CommandError } from "../letter.ts";
import { jsonOption, storeOption } from "../options.ts";
import { fullRunId } from "../run-id.ts";
import { readSettings } from "../settings.ts";
import { isThere, openKnown, openStore } from "../stores.ts";
import { result, say } from "../terminal.ts";

/** `flujo dataset check FILE`, `flujo dataset add RUN` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  const dataset = program
    .command("dataset")
    .description("Cases to try pipelines on: check a file of them, make one of a run.");
  dataset
    .command("check <file>")
    .description(
      "Read a dataset (.jsonl, .json, .csv, .yaml), and say all that is wrong with it, line by line.",
    )
    .addOption(jsonOption())
    .addOption(storeOption())
    .action(async (file: string, flags: CheckFlags) => done(await check(file, flags)));
  dataset
    .command("add <run>")
    .description("Make a case of a run, a failed one too, and add it to a file.")
    .option("--to <file>", "the .jsonl file", "dataset.jsonl")
    .option("--expected <json>", "what should have come of it, as JSON")
    .option("--expect-output", "expect what it returned")
    .option("--id <id>", "the case's id (default: the run's)")
    .option("--cluster <name>", "what it has in common with other cases")
    .option("--tags <name...>", "slices it belongs to")
    .addOption(storeOption())
    .action(async (run: string, flags: AddFlags) => done(await add(run, flags)));
}

interface CheckFlags {
  readonly json?: boolean;
  readonly store?: string;
}

async function check(file: string, { json, store }: CheckFlags): Promise<number> {
  const dataset = await readDataset(file);
  const { name, cases, hash } = dataset;
  const looks = await looksIn((await readSettings(store === undefined ? {} : { store })).store, dataset);
  const counts = {
    cases: cases.length,
    clusters: new Set(cases.map(({ id, cluster }) => cluster ?? ` ${id}`)).size,
    expected: cases.filter(({ expected }) => expected !== undefined).length,
    tags: tallied(cases.flatMap(({ tags = [] }) => tags)),
    splits: tallied(cases.map((one) => splitOf(one))),
  };
  if (json) await printJson({ name, hash, ...counts, looks });
  else {
    const named = (counts: { readonly [name: string]: number }): string =>
      Object.entries(counts)
        .map(([name, many]) => `${name} ${many}`)
        .join(", ");
    const tags = Object.keys(counts.tags).length === 0 ? "" : `\ntags: ${named(counts.tags)}`;
    const whole = `${count(counts.cases, "case")} in ${count(counts.clusters, "cluster")}, ${counts.expected} with what is expected`;
    const looked =
      looks.length === 0
        ? ""
        : `\nlooks at the test split: ${looks.length}, the last by ${looks.at(-1)?.run}`;
    await result(`${name}: ${whole}\nsplits: ${named(counts.splits)}${tags}${looked}\n`);
  }
  return exit.completed;
}

/** The looks that a store knows of; where there is none yet, nobody has looked. */
async function looksIn(uri: string | Store, dataset: Dataset): Promise<readonly LookView[]> {
  if (!isThere(uri)) return [];
  const store = typeof uri === "string" ? await openStore(uri) : uri;
  try {
    const looks = await looksAt(store, dataset);
    return looks.map(({ at, ...look }) => ({ ...look, at: new Date(at).toISOString() }));
  } finally {
    await store.close();
  }
}

interface LookView extends Omit<Look, "at"> {
  readonly at: string;
}

function tallied(names: readonly string[]): { readonly [name: string]: number } {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}

interface AddFlags {
  readonly to: string;
  readonly expected?: string;
  readonly expectOutput?: boolean;
  readonly id?: string;
  readonly cluster?: string;
  readonly tags?: readonly string[];
  readonly store?: string;
}

async function add(name: string, flags: AddFlags): Promise<number> {
  if (flags.expected !== undefined && flags.expectOutput) {
    throw new CommandError("usage", "--expected and --expect-output are both there", "Keep one.");
  }
  const given = flags.expected === undefined ? {} : { expected: jsonOf(flags.expected, "--expected") };
  const store = await openKnown((await readSettings(flags)).store, name);
  try {
    const runId = await fullRunId(store, name);
    const entries = (await readJournal(store, runId)) ?? [];
    const run = fold(entries);
    const values = new Values(entries, ({ hash }) => store.blob(hash));
    const expected = flags.expectOutput ? { expected: await outputOf(run, runId, values) } : given;
    const one: Case = {
      id: flags.id ?? runId,
      input: plain(await values.fetch(run.created?.input ?? null)),
      ...expected,
      ...(flags.cluster === undefined ? {} : { cluster: flags.cluster }),
      ...(flags.tags === undefined ? {} : { tags: flags.tags }),
    };
    const cases = await addCase(flags.to, one);
    say(
      `${flags.to} has ${count(cases, "case")} now; the last is "${one.id}", of a run that is ${run.status}.`,
    );
    if (one.expected === undefined)
      say("It says not what is expected: write it into the file, or add it with --expected.");
    return exit.completed;
  } finally {
    await store.close();
  }
}

/** What a run returned, as a dataset can say it: dates become texts. */
async function outputOf({ status, output }: RunRecord, runId: string, values: Values): Promise<Json> {
  if (status === "completed" && output !== undefined) return plain(await values.output(output));
  throw new CommandError("usage", `run ${runId} is ${status} and returned nothing`, "Say --expected JSON.");
}

const plain = (json: Json | undefined): Json => readable(decode(json ?? null));
