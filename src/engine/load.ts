import type { Entry } from "../core/entries.ts";
import { UnknownRunError } from "../core/errors.ts";
import type { Manifest } from "../core/fingerprint.ts";
import { record } from "../core/fold.ts";
import { emptyRecord, type RunRecord } from "../core/run-record.ts";
import type { Store } from "../ports/store.ts";

const page = 10_000;

/** A journal's meaning. @throws UnknownRunError */
export async function load(store: Store, runId: string): Promise<RunRecord> {
  const run = emptyRecord();
  for await (const entries of pagesOf(store, runId)) for (const entry of entries) record(run, entry);
  return run;
}

/** A journal, page by page. @throws UnknownRunError */
export async function* pagesOf(
  store: Pick<Store, "name" | "read">,
  runId: string,
): AsyncGenerator<readonly Entry[]> {
  for (let from = 0; ; from += page) {
    const entries = await store.read(runId, from, page);
    if (entries === undefined) throw unknownRun(runId, store);
    yield entries;
    if (entries.length < page) return;
  }
}

/** A whole journal. @throws UnknownRunError */
export async function entriesOf(store: Pick<Store, "name" | "read">, runId: string): Promise<Entry[]> {
  const entries: Entry[] = [];
  for await (const page of pagesOf(store, runId)) entries.push(...page);
  return entries;
}

/** The places of the version a run was last resumed under; none where the store does not have them. */
export async function manifestOf(run: RunRecord, store: Store): Promise<Manifest> {
  const text = await store.blob(run.manifest);
  return (text === undefined ? [] : JSON.parse(text)) as Manifest; // as the engine wrote it
}

export function unknownRun(runId: string, store: Pick<Store, "name">): UnknownRunError {
  return new UnknownRunError(`there is no run ${runId} in ${store.name}`, {
    runId,
    hint: "flujo lens list shows the runs of a store; --store or FLUJO_STORE names another one.",
  });
}
