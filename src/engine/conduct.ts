import { openScope } from "../budget/ledger.ts";
import type { Fact } from "../core/entries.ts";
import { placed, recordError } from "../core/errors.ts";
import type { Blob } from "../ports/store.ts";
import { advance } from "./advance.ts";
import type { Frame } from "./frame.ts";
import { Interruption } from "./interruption.ts";
import { watchClock } from "./nodes/budget.ts";
import type { Root } from "./root.ts";
import { StateScope } from "./state-scope.ts";
import type { Tenure } from "./tenure.ts";
import { fetchJson, keepJson, type Value } from "./values.ts";

/** Walks the whole tree and writes down how it ended. @throws when this process lost the run. */
export async function conduct(tenure: Tenure, root: Root): Promise<void> {
  const { run, journal } = tenure;
  const created = run.created;
  if (created === undefined) throw new Error("a run is conducted after its creation is recorded");
  const scope = openScope(root.path, run.limits, created.at, run.spent);
  const off = watchClock(tenure, root.path, run.limits, created.at);
  const frame: Frame = {
    advance,
    tenure,
    path: "",
    state: new StateScope(created.state),
    stop: tenure.stop,
    scopes: [scope],
    freshFrom: run.freshFrom,
    checks: [],
    reads: undefined,
  };
  const { fact, blob } = await ending(frame, root, { json: created.input, ref: 0 }).finally(off);
  journal.put(fact, blob);
  await journal.sync();
}

async function ending(
  frame: Frame,
  root: Root,
  input: Value,
): Promise<{ fact: Fact; blob?: Blob | undefined }> {
  const { tenure } = frame;
  try {
    const value = await advance(root.node, input, frame);
    await tenure.drain();
    const kept = keepJson(await fetchJson(value.json, tenure.store));
    return { fact: { type: "run-completed", output: kept.entry, from: value.ref }, blob: kept.blob };
  } catch (error) {
    return { fact: await endingOf(error, tenure, root) };
  }
}

async function endingOf(error: unknown, tenure: Tenure, root: Root): Promise<Fact> {
  tenure.stop.fire(Interruption.sibling());
  await tenure.drain();
  if (!(error instanceof Interruption)) {
    return { type: "run-failed", error: recordError(placed(error, root.path), root.path) };
  }
  switch (error.why) {
    case "suspended":
      return { type: "run-waiting", signals: error.waiting };
    case "halted":
      return { type: "run-halted", error: recordError(error.error, root.path) };
    case "cancelled":
      return { type: "run-cancelled", error: recordError(error.error, root.path) };
    default:
      throw error.error ?? error;
  }
}
