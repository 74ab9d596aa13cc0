import { canonical } from "../../core/canonical.ts";
import { decode } from "../../core/codec.ts";
import type { EntryOf } from "../../core/entries.ts";
import { Values } from "../../core/resolve.ts";
import type { RunListing, Store } from "../../ports/store.ts";
import type { Case } from "../dataset/case.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { splitOf } from "../dataset/split.ts";
import { experimentPipeline } from "./experiment.ts";
import { journalOf } from "./journal.ts";

/** One use of a dataset's test split. */
export interface Look {
  /** The run that tried its cases: an experiment, or a run of `flujo improve`. */
  readonly run: string;
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  /** How many test cases it shares with the dataset. */
  readonly cases: number;
}

/** The name of the pipeline that all searches for something better are runs of. */
export const improvePipeline = "flujo-improve";

/** What a search records, before it tries a test case, when it comes to the test split. */
const lookPath = /[/:]look#\d+$/;

/**
 * The looks that have been taken at a dataset's test split, the first one first. Each makes the next one worth less: what was
 * chosen by looking at cases does well on those cases.
 *
 * ```ts
 * const looks = await looksAt(sqlite(".flujo/flujo.db"), await readDataset("questions.jsonl"));
 * console.log(`${looks.length} experiments have tried test cases`);
 * ```
 *
 * A case is known again by its id in a dataset of the same name, or by its id and input in one of any name. An experiment is a
 * look from its beginning on; a search once it has come to the test split.
 */
export async function looksAt(
  store: Store,
  { name, cases }: Pick<Dataset, "name" | "cases">,
): Promise<readonly Look[]> {
  const sealed = new Map(
    cases.filter((one) => splitOf(one) === "test").map(({ id, input }) => [id, canonical(input)]),
  );
  const looks: Look[] = [];
  if (sealed.size === 0) return looks;
  for await (const { runId, pipeline, createdAt } of triers(store)) {
    const tried = await triedBy(store, runId);
    if (tried === undefined) continue;
    const isSame = tried.dataset.name === name;
    const shared = tried.cases.filter(
      ({ id, input }) => sealed.has(id) && (isSame || sealed.get(id) === canonical(input)),
    );
    if (shared.length === 0) continue;
    if (pipeline === improvePipeline && !(await hasLooked(store, runId))) continue;
    looks.push({ run: runId, at: createdAt, cases: shared.length });
  }
  return looks.reverse();
}

const page = 500;

/** Every run that tries cases, the newest first. */
async function* triers(store: Store): AsyncGenerator<RunListing> {
  const filter = { pipeline: [experimentPipeline, improvePipeline], limit: page };
  for (let after: RunListing | undefined; ; ) {
    const some = await store.list(after === undefined ? filter : { ...filter, after });
    yield* some;
    if (some.length < page) return;
    after = some.at(-1);
  }
}

/** The dataset and the cases of a run's input; undefined of a run with another one, or of which nothing is recorded. */
async function triedBy(
  store: Store,
  runId: string,
): Promise<{ readonly dataset: { readonly name: string }; readonly cases: readonly Case[] } | undefined> {
  const entries = (await store.read(runId, 0, 1)) ?? [];
  const [created] = entries as readonly EntryOf<"run-created">[]; // which is the first entry of every run
  if (created === undefined) return undefined;
  const input = decode(await new Values(entries, ({ hash }) => store.blob(hash)).fetch(created.input)) as {
    readonly dataset?: { readonly name: string };
    readonly cases?: readonly Case[];
  } | null; // a run of that name may be somebody else's
  return input?.dataset === undefined || !Array.isArray(input.cases)
    ? undefined
    : { dataset: input.dataset, cases: input.cases };
}

const hasLooked = async (store: Store, runId: string): Promise<boolean> =>
  (await journalOf(store, runId)).some((entry) => "path" in entry && lookPath.test(entry.path ?? ""));
