import type { Scope } from "../budget/ledger.ts";
import { sizeOf } from "../core/codec.ts";
import { type EntryOf, type Fact, isBlobRef } from "../core/entries.ts";
import { type ErrorRecord, placed, recordError } from "../core/error-record.ts";
import type { Json } from "../core/json.ts";
import type { Path } from "../core/paths.ts";
import { notUndone, type RunRecord } from "../core/run-record.ts";
import { addressed, type Wait, wakeAt } from "../core/waiting.ts";
import { advance } from "./advance.ts";
import type { Beginning } from "./enter.ts";
import type { Frame } from "./frame.ts";
import { Interruption } from "./interruption.ts";
import { watchClock } from "./nodes/budget.ts";
import type { Root } from "./root.ts";
import { StateScope } from "./state-scope.ts";
import type { Tenure } from "./tenure.ts";
import { fetchJson, keepJson, spillSize } from "./values.ts";

/** What is written down last, and the output that goes with it. */
interface Ending {
  readonly fact: Fact;
  readonly output?: Json;
}

/**
 * Walks the whole tree and writes down how it ended. When it has failed or was cancelled, what it has done that can be
 * undone is undone first.
 *
 * @returns the run's output, when it completed.
 * @throws when this process lost the run.
 */
export async function conduct(tenure: Tenure, beginning: Beginning): Promise<Json | undefined> {
  const { journal } = tenure;
  const { root, limits, since, spent } = beginning;
  const { onLimit } = root;
  const alertAt = [...new Set([...root.alertAt, ...beginning.alertAt])];
  const scope = tenure.treasury.openRun(root.path, limits, since, spent, { onLimit, alertAt });
  const frame = (): Frame => ({
    advance,
    tenure,
    path: "",
    state: new StateScope(beginning.state),
    stop: tenure.stop,
    scopes: [scope],
    freshFrom: beginning.freshFrom,
    checks: [],
    deadline: undefined,
    footprint: undefined,
  });
  let ending: Ending;
  try {
    ending =
      tenure.run.undoing === undefined
        ? await onward(tenure, root, beginning, frame)
        : await back(tenure, tenure.run.undoing, frame);
    await tenure.drain();
    await tenure.treasury.close();
  } catch (error) {
    await stopped(tenure);
    await tenure.treasury.close();
    ending = { fact: standing(error, tenure, root) };
  }
  journal.put(ending.fact);
  await journal.sync();
  return ending.output;
}

/** To the end of the tree; where that cannot be reached any more and something is to be undone, back. */
async function onward(tenure: Tenure, root: Root, { input }: Beginning, frame: () => Frame): Promise<Ending> {
  const { journal, compensations } = tenure;
  const [scope] = frame().scopes as [Scope]; // the run's
  const off = watchClock(tenure.world, scope, (error) => {
    if (root.onLimit === "fail") tenure.stop.fire(error);
    else tenure.halt(error);
  });
  let state = frame().state;
  try {
    const value = await walk(tenure, () => {
      const fresh = frame();
      state = fresh.state;
      return advance(root.node, { json: input, ref: 0 }, fresh);
    });
    const fact: Fact = { type: "run-completed", from: value.ref, ...small(value.json) };
    return { fact, output: value.json };
  } catch (error) {
    const why = whyBack(error);
    if (why === undefined || !compensations.areOwed) throw error;
    off();
    await stopped(tenure);
    const record = recordError(
      error instanceof Interruption ? error.error : placed(error, root.path),
      root.path,
    );
    const kept = keepJson(state.current);
    journal.put({ type: "compensation-begun", why, error: record, state: kept.entry }, kept.blob);
    await journal.sync();
    return await back(tenure, tenure.run.undoing as EntryOf<"compensation-begun">, frame); // it is recorded now
  } finally {
    off();
  }
}

/** Whether the run has come to an end of which nothing is left to hope for. */
function whyBack(error: unknown): "failed" | "cancelled" | undefined {
  if (!(error instanceof Interruption)) return "failed";
  return error.why === "cancelled" ? error.why : undefined;
}

/** Undoes what the run has done. What fails is named in the run's error, and tried again when the run is resumed. */
async function back(
  tenure: Tenure,
  begun: EntryOf<"compensation-begun">,
  frame: () => Frame,
): Promise<Ending> {
  const { compensations, run, store } = tenure;
  tenure.turnBack();
  const since = begun.seq;
  const { freshFrom } = frame();
  const failure = { error: begun.error, since, freshFrom: Math.max(since, freshFrom) };
  const seen = await fetchJson(begun.state, store);
  await walk(tenure, () => compensations.undoRun(failure, { ...frame(), state: new StateScope(seen) }));
  const type = begun.why === "failed" ? "run-failed" : "run-cancelled";
  const left = notUndone(run);
  const error = lastWord(begun.error, left, run);
  return { fact: { type, error, ...(left.length === 0 ? {} : { left }) } };
}

/** Why the run ended, and what became of undoing it. */
function lastWord(error: ErrorRecord, left: readonly Path[], run: RunRecord): ErrorRecord {
  const told = left.map((path) => {
    const why = run.compensations.get(path)?.failed?.error.message;
    return why === undefined ? path : `${path} (${why})`;
  });
  const how =
    left.length === 0
      ? "What it had done is undone: start a new run."
      : "Resuming the run tries again to undo what is left.";
  return {
    ...error,
    message: left.length === 0 ? error.message : `${error.message}. Not undone: ${told.join(", ")}`,
    retryable: false,
    hint: error.hint === undefined ? how : `${error.hint} ${how}`,
  };
}

/** Walks again for as long as what the run waits for has come meanwhile, or does so in a moment. */
async function walk<T>(tenure: Tenure, once: () => Promise<T>): Promise<T> {
  for (;;) {
    tenure.mail.listen();
    try {
      return await once();
    } catch (error) {
      if (!(error instanceof Interruption) || error.why !== "suspended") throw error;
      await tenure.journal.sync();
      if (tenure.departed !== undefined) {
        await tenure.quiet();
        await tenure.journal.sync();
        throw Interruption.lost(tenure.departed);
      }
      const soon = soonIn(error.waiting, tenure);
      if (soon !== undefined) await rested(soon, tenure, error);
      else if (!(await tenure.mail.hasWord(error.waiting))) throw error;
    }
  }
}

/** @throws why the run stands, when this process lets it go meanwhile. */
async function rested(until: number, tenure: Tenure, standing: Interruption): Promise<void> {
  try {
    await tenure.rest(until, tenure.stop);
  } catch (error) {
    throw error instanceof Interruption && error.why === "suspended" ? standing : error;
  }
}

/** When the run goes on by itself, where that is worth staying for. */
function soonIn(waits: readonly Wait[], { world, awakeMs }: Tenure): number | undefined {
  const now = world.now();
  return wakeAt(waits.filter(({ kind, due = now }) => due <= (kind === "timer" ? now + awakeMs : now)));
}

/** A large output is not written twice: it is where it was made. */
const small = (output: Json): { output?: Json } =>
  isBlobRef(output) || sizeOf(output, spillSize) > spillSize ? {} : { output };

/** Nothing goes on any more; calls under way have come to their end. */
async function stopped(tenure: Tenure): Promise<void> {
  tenure.stop.fire(Interruption.sibling());
  await tenure.drain();
}

/** How the run stands by what has stopped it. @throws when this process lost the run. */
function standing(error: unknown, tenure: Tenure, root: Root): Fact {
  if (!(error instanceof Interruption))
    return { type: "run-failed", error: recordError(placed(error, root.path), root.path) };
  switch (error.why) {
    case "suspended": {
      const { heard } = tenure.mail;
      const waits = error.waiting;
      return { type: "run-waiting", signals: addressed(waits), waits, ...(heard > 0 ? { heard } : {}) };
    }
    case "halted":
      return { type: "run-halted", error: recordError(error.error, root.path) };
    case "cancelled":
      return { type: "run-cancelled", error: recordError(error.error, root.path) };
    default:
      throw error.error ?? error;
  }
}
