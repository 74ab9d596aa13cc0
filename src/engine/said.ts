/** What calls have said in pieces, read back from the journal. */
import type { EntryOf } from "../core/entries.ts";
import { StoreCorruptError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Path } from "../core/paths.ts";
import type { Completed, RunRecord, Streamed } from "../core/run-record.ts";
import { type Block, blocksOf, filled, type KnownText } from "../core/streamed.ts";
import type { Tenure } from "./tenure.ts";
import { fetchJson } from "./values.ts";

/** The part of an answer that came before its call was cut, in this try or in those it goes on with. */
export interface Said extends KnownText {
  /** The last of the cut calls. */
  readonly of: number;
}

/** An operation's recorded result, with the texts that were streamed. */
export async function wholeOf(
  { output, texts }: Pick<Completed, "output" | "texts">,
  tenure: Tenure,
): Promise<Json> {
  if (texts === undefined) return output;
  const json = await fetchJson(output, tenure.store);
  const calls = new Map<number, readonly Block[]>();
  for (const [of] of texts.flatMap(({ from }) => from)) {
    if (!calls.has(of)) calls.set(of, await blocksIn(streamOf(tenure.run, of), tenure));
  }
  return filled({ json, texts }, (of, block) => {
    const text = calls.get(of)?.[block]?.text;
    if (text !== undefined) return text;
    throw new StoreCorruptError(`${tenure.store.name} has lost what call ${of} of run ${tenure.runId} said`);
  });
}

/**
 * What a cut call of the same request has said, so that a new one may go on with it. Nothing when none was cut, or when
 * it was cut in a tool call: that one begins again.
 *
 * @param paths the operation, and the same one in the attempts before, newest first.
 */
export async function saidBefore(
  request: string,
  paths: readonly Path[],
  tenure: Tenure,
): Promise<Said | undefined> {
  await tenure.journal.sync(); // what has just been cut is in the record then
  const { run } = tenure;
  for (const path of paths) {
    if (run.completed.has(path)) return undefined; // answered: what failed came after it
    const last = run.streams.get(path)?.findLast((call) => call.request === request);
    if (last !== undefined) return said(last, tenure);
  }
  return undefined;
}

async function said(last: Streamed, tenure: Tenure): Promise<Said | undefined> {
  let text = "";
  let from: Said["from"] = [];
  const cutBefore = ({ follows }: Streamed) =>
    follows === undefined ? undefined : streamOf(tenure.run, follows);
  for (let call: Streamed | undefined = last; call !== undefined; call = cutBefore(call)) {
    const blocks = await blocksIn(call, tenure);
    if (blocks.some(({ kind }) => kind === "tool-call")) return undefined;
    const { of } = call;
    const own = blocks.flatMap(({ kind }, block) => (kind === "text" ? [[of, block] as const] : []));
    text = own.map(([, block]) => blocks[block]?.text ?? "").join("") + text;
    from = [...own, ...from];
  }
  return text.trim() === "" ? undefined : { of: last.of, text, from };
}

/** The stream of a call, by its reservation: it may have been made at another attempt of the step. */
function streamOf(run: RunRecord, of: number): Streamed | undefined {
  const path = run.reservations.get(of)?.path;
  return path === undefined ? undefined : run.streams.get(path)?.find((call) => call.of === of);
}

/** The texts of a call; entries that stand together are read together. */
async function blocksIn(call: Streamed | undefined, { store, runId }: Tenure): Promise<readonly Block[]> {
  const seqs = call?.entries ?? [];
  const found: Text[] = [];
  for (let i = 0; i < seqs.length; ) {
    const first = seqs[i] as number; // in range
    let count = 1;
    while (seqs[i + count] === first + count) count += 1;
    const entries = (await store.read(runId, first, count)) ?? [];
    for (const entry of entries) if (entry.type === "text-streamed") found.push(entry);
    i += count;
  }
  return blocksOf(found);
}

type Text = EntryOf<"text-streamed">;
