import { decode } from "../../core/codec.ts";
import type { EntryOf } from "../../core/entries.ts";
import { Values } from "../../core/resolve.ts";
import type { Store } from "../../ports/store.ts";
import { experimentPipeline, partPipeline } from "./pipelines.ts";
import type { ExperimentInput } from "./record.ts";

/** What a run of an experiment was begun with: the whole, or one part. Undefined when there is no such run. */
export const inputOf = (
  store: Pick<Store, "read" | "blob">,
  runId: string,
): Promise<ExperimentInput | undefined> => inputIn(store, runId, [experimentPipeline, partPipeline]);

/**
 * The same of runs of these pipelines.
 *
 * @returns undefined also of a run that somebody else has begun with something else.
 */
export async function inputIn<Input extends Pick<ExperimentInput, "dataset" | "cases">>(
  store: Pick<Store, "read" | "blob">,
  runId: string,
  pipelines: readonly string[],
): Promise<Input | undefined> {
  const entries = (await store.read(runId, 0, 1)) ?? [];
  const [created] = entries as readonly EntryOf<"run-created">[]; // which is the first entry of every run
  if (created === undefined || !pipelines.includes(created.pipeline)) return undefined;
  const values = new Values(entries, ({ hash }) => store.blob(hash));
  const input = decode(await values.fetch(created.input)) as Partial<Input> | null;
  return input?.dataset === undefined || !Array.isArray(input.cases) ? undefined : (input as Input); // by its pipeline
}
