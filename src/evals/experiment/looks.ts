import { canonical } from "../../core/canonical.ts";
import type { RunListing, Store } from "../../ports/store.ts";
import type { Dataset } from "../dataset/dataset.ts";
import { splitOf } from "../dataset/split.ts";
import { inputIn } from "./beginning.ts";
import { journalOf } from "./journal.ts";
import { partRunId } from "./parts.ts";
import { experimentPipeline, improvePipeline, partPipeline } from "./pipelines.ts";
import type { ExperimentInput } from "./record.ts";

/** One use of a dataset's test split. */
export interface Look {
  /** The run that tried its cases: an experiment, or a run of `flujo improve`. */
  readonly run: string;
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
  /** How many test cases it shares with the dataset. */
  readonly cases: number;
}

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
  store: Pick<Store, "list" | "read" | "blob">,
  { name, cases }: Pick<Dataset, "name" | "cases">,
): Promise<readonly Look[]> {
  const sealed = new Map(
    cases.filter((one) => splitOf(one) === "test").map(({ id, input }) => [id, canonical(input)]),
  );
  const looks: Look[] = [];
  if (sealed.size === 0) return looks;
  for await (const { runId, pipeline, createdAt } of tryingRuns(store)) {
    let shared = 0;
    for await (const { dataset, cases } of triedBy(store, runId)) {
      const isSame = dataset.name === name;
      for (const { id, input } of cases)
        if (sealed.has(id) && (isSame || sealed.get(id) === canonical(input))) shared += 1;
    }
    if (shared === 0) continue;
    if (pipeline === improvePipeline && !(await hasLooked(store, runId))) continue;
    looks.push({ run: runId, at: createdAt, cases: shared });
  }
  return looks.reverse();
}

const page = 500;

/** The pipelines whose runs try cases. */
const triers = [experimentPipeline, improvePipeline];

/** Every run that tries cases, the newest first. */
async function* tryingRuns(store: Pick<Store, "list">): AsyncGenerator<RunListing> {
  const filter = { pipeline: triers, limit: page };
  for (let after: RunListing | undefined; ; ) {
    const some = await store.list(after === undefined ? filter : { ...filter, after });
    yield* some;
    if (some.length < page) return;
    after = some.at(-1);
  }
}

/** What a run's input says of what it tries. */
type Tried = Pick<ExperimentInput, "dataset" | "cases" | "part">;

/** The dataset and the cases of a run, and of the other parts of a large experiment as far as they have begun. */
async function* triedBy(store: Pick<Store, "read" | "blob">, name: string): AsyncGenerator<Tried> {
  for (let number = 1, of = 1; number <= of; number += 1) {
    const tried = await inputIn<Tried>(store, partRunId(name, number), [...triers, partPipeline]);
    if (tried === undefined) return;
    if ((tried.part?.first ?? 1) === 1) yield tried; // later trials are of the same cases
    of = tried.part?.of ?? 1;
  }
}

const hasLooked = async (store: Pick<Store, "read">, runId: string): Promise<boolean> =>
  (await journalOf(store, runId)).some((entry) => "path" in entry && lookPath.test(entry.path ?? ""));
