import { decode } from "../../core/codec.ts";
import { fold } from "../../core/fold.ts";
import { Values } from "../../core/resolve.ts";
import type { RunStatus } from "../../core/run-record.ts";
import type { Store } from "../../ports/store.ts";
import { journalOf } from "../experiment/journal.ts";
import { improvePipeline } from "../experiment/pipelines.ts";
import type { ImproveInput, Improvement } from "./improvement.ts";

/** A run of `improve` as the store has it. */
export interface Improving {
  readonly name: string;
  readonly status: RunStatus;
  readonly input: ImproveInput;
  /** What it has come to; absent of one that is not over. */
  readonly improvement?: Improvement;
  /** When it began, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * Finds a run of `improve` by its name, also one that is not over.
 *
 * ```ts
 * const found = await readImprovement(sqlite(".flujo/flujo.db"), "greetings-1");
 * console.log(found?.improvement?.promotion?.why ?? "not over");
 * ```
 *
 * @returns undefined when there is no run of that name, or it improves nothing.
 */
export async function readImprovement(store: Store, name: string): Promise<Improving | undefined> {
  const entries = await journalOf(store, name);
  const { created, status, output } = fold(entries);
  if (created?.pipeline !== improvePipeline) return undefined;
  const values = new Values(entries, ({ hash }) => store.blob(hash));
  const input = decode(await values.fetch(created.input)) as ImproveInput; // as it was begun with
  const found = { name, status, input, at: created.at };
  if (output === undefined) return found;
  return { ...found, improvement: decode((await values.output(output)) ?? null) as Improvement }; // what the pipeline returns
}
