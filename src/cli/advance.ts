/** What `run` and `resume` share: a run advanced before the user's eyes, told how it ended, handed over on Ctrl-C. */
import { models as modelsOf } from "../agents/models.ts";
import type { Entry } from "../core/entries.ts";
import { FlujoError } from "../core/errors.ts";
import type { RunEvent } from "../core/events.ts";
import { versionOf } from "../core/fingerprint.ts";
import { fold } from "../core/fold.ts";
import type { RunHandle, RunResult } from "../engine/options.ts";
import { rootOf } from "../engine/root.ts";
import { Flujo } from "../flujo.ts";
import { inboxOf } from "../lens/inbox.ts";
import { readJournal } from "../lens/journal.ts";
import { spentView } from "../lens/readable.ts";
import type { Store } from "../ports/store.ts";
import { type Known, type PriceLine, printJson, resultDocument } from "./document.ts";
import { printOutput, tellEnding } from "./ending.ts";
import { exitCodeOfRun } from "./exit.ts";
import { attachHooks } from "./hooks.ts";
import { onInterrupt } from "./interrupt.ts";
import { CommandError } from "./letter.ts";
import { strayFault, usersFault } from "./load/fault.ts";
import type { Loaded } from "./load/pipeline.ts";
import { keptInMemory, resumeCommand, type Whereabouts } from "./next.ts";
import type { AdvanceFlags } from "./options.ts";
import type { Settings } from "./settings.ts";
import { whenStalled } from "./stall.ts";
import { onStray } from "./stray.ts";
import { say } from "./terminal.ts";
import { whoAmI } from "./user.ts";
import { type Seen, type Watch, watchRun } from "./watch.ts";

export interface Advance {
  readonly loaded: Loaded;
  readonly store: Store;
  readonly settings: Settings;
  readonly flags: AdvanceFlags & { readonly store?: string };
  /** Filled as things become known, for whoever reports a refusal. */
  readonly known: Known;
  /** What is recorded of the run already. */
  readonly past?: readonly Entry[];
  readonly begin: (flujo: Flujo<unknown, unknown>) => RunHandle<unknown>;
}

/** @returns the exit code. @throws what kept the run from being advanced. */
export async function advance(parts: Advance): Promise<number> {
  const { loaded, store, settings, flags, known, past = [] } = parts;
  const { node, pipeline } = rootOf(loaded.node);
  known.pipeline = pipeline.name;
  const look = (entries: readonly Entry[]): Promise<Watch> =>
    watchRun(node, store, flags.quiet === true, entries);
  const eyes: Eyes = { watch: await look(past), look };
  if (flags.json) known.fingerprint ??= versionOf(node).fingerprint;
  const flujo = makeFlujo(loaded, store, settings, (event) => eyes.watch.onEvent(event));
  try {
    return await follow(flujo, eyes, pipeline.name, parts);
  } finally {
    await flujo[Symbol.asyncDispose](); // sinks and instruments are told now what they can be told
  }
}

/** Closed while a person is asked, and opened anew. */
interface Eyes {
  watch: Watch;
  readonly look: (past: readonly Entry[]) => Promise<Watch>;
}

async function follow(
  flujo: Flujo<unknown, unknown>,
  eyes: Eyes,
  pipeline: string,
  { store, flags, known, begin }: Advance,
): Promise<number> {
  const handle = begin(flujo);
  const asked = known.runId;
  known.runId = handle.runId;
  let run: RunResult<unknown>;
  try {
    const where = { runId: handle.runId, store, flag: flags.store };
    run = await resultOf(flujo, handle, where);
    while (run.status === "waiting" && (flags.wait === true || mayAsk(flags))) {
      eyes.watch.end();
      if (!(await attend(run, flujo, store, flags))) break;
      eyes.watch = await eyes.look((await readJournal(store, run.runId)) ?? []);
      run = await resultOf(flujo, flujo.resume(run.runId), where);
    }
  } catch (error) {
    const { seen } = eyes.watch;
    known.fingerprint = seen.fingerprint ?? known.fingerprint;
    if (seen.fingerprint === undefined) known.runId = asked; // a new run was refused before it was one
    if (error instanceof CommandError) await remember(known, seen, store);
    throw usersFault(error) ?? error;
  } finally {
    eyes.watch.end();
  }
  const { seen } = eyes.watch;
  const isTold = run.status === "halted" || flags.json === true;
  if (isTold && seen.fingerprint === undefined) await remember(known, seen, store);
  known.fingerprint = seen.fingerprint ?? known.fingerprint;
  known.prices = pricesIn(seen);
  const tookMs = Date.now() - known.startedAt;
  const told = {
    pipeline,
    tookMs,
    seen,
    prices: known.prices,
    quiet: flags.quiet === true,
    store,
    storeFlag: flags.store,
  };
  tellEnding(run, told);
  if (flags.json) await printJson(resultDocument(known, run));
  else if (run.status === "completed") await printOutput(run.output);
  return exitCodeOfRun(run.status);
}

const mayAsk = ({ ask, json }: Advance["flags"]): boolean =>
  ask !== false && json !== true && process.stdin.isTTY === true && process.stderr.isTTY === true;

/** Asks the person at the terminal, or waits for word from elsewhere. False: the run is left waiting. */
async function attend(
  { runId, waits }: Extract<RunResult<unknown>, { status: "waiting" }>,
  flujo: Flujo<unknown, unknown>,
  store: Store,
  flags: Advance["flags"],
): Promise<boolean> {
  const { askAt, terminalDesk, untilWord } = await import("./attend.ts");
  const desk = mayAsk(flags) ? await terminalDesk() : undefined;
  const items = (await inboxOf(store, runId)).filter(({ asks }) => asks === "approval" || asks === "answer");
  const asked = items.map(({ path, prompt, asks }) => ({ path, prompt, isApproval: asks === "approval" }));
  const by = whoAmI();
  const send = (path: string, answer: unknown) =>
    flujo.signal(runId, path, answer, by === undefined ? {} : { by });
  if (desk !== undefined && asked.length > 0 && (await askAt(desk, asked, send))) return true;
  if (flags.wait !== true) return false;
  await untilWord(store, runId, waits);
  return true;
}

function makeFlujo(
  loaded: Loaded,
  store: Store,
  settings: Settings,
  onEvent: (event: RunEvent) => void,
): Flujo<unknown, unknown> {
  const { models, lease, version, sinks, server, secret, instrument } = settings;
  const flujo = new Flujo(loaded.step, {
    store,
    onEvent,
    origin: { file: loaded.file, export: loaded.export },
    takeOver: false, // a command advances the run it was asked to, and spends on no other
    ...(lease === undefined ? {} : { lease }),
    ...(server?.publicUrl === undefined ? {} : { publicUrl: server.publicUrl }),
    ...(secret === undefined ? {} : { secret }),
    ...(version === undefined ? {} : { version }),
    onError: ({ message }) => say(message),
    ...(sinks === undefined ? {} : { sinks }),
    ...(instrument === undefined ? {} : { instrument }),
    ...(models === undefined ? {} : { models: modelsOf(models) }),
  });
  attachHooks(settings, flujo);
  return flujo;
}

/** The run's result; when this process is to stop before, the run is handed over. */
async function resultOf(
  flujo: Flujo<unknown, unknown>,
  handle: RunHandle<unknown>,
  where: Whereabouts,
): Promise<RunResult<unknown>> {
  let stalled = false;
  const handOver = (): void => void flujo[Symbol.asyncDispose]();
  const interrupt = onInterrupt(handOver);
  const stray = onStray(handOver);
  const awake = whenStalled(() => {
    stalled = true;
    handOver();
  });
  try {
    return await handle.result();
  } catch (error) {
    const code = FlujoError.isInstance(error) ? error.code : "";
    if (stray.errors.length > 0) throw strayError(stray.errors[0], where);
    if (code !== "lease-lost" || !(interrupt.happened() || stalled)) throw error;
    throw new CommandError(
      stalled ? "stalled" : "interrupted",
      whyStopped(handle.runId, stalled),
      howToResume(where),
    );
  } finally {
    interrupt.off();
    stray.off();
    awake();
  }
}

/** What the user's code threw where nobody hears it; anything else is a fault of ours, and stays as it is. */
function strayError(thrown: unknown, where: Whereabouts): unknown {
  const fault = strayFault(thrown);
  if (fault === undefined) return thrown;
  const what = `run ${where.runId} was stopped by an error that no step awaits: ${fault}`;
  return new CommandError("uncaught", what, howToResume(where));
}

const whyStopped = (runId: string, stalled: boolean): string =>
  stalled
    ? `run ${runId} was stopped: a step waits for something that can no longer happen (no timer, connection or file is open)`
    : `run ${runId} was interrupted`;

function howToResume(where: Whereabouts): string {
  const resume = resumeCommand(where);
  return resume === undefined ? keptInMemory : `What it finished is kept: ${resume}`;
}

/** What the journal says, where the events of this process did not. */
async function remember(known: Known, seen: Seen, store: Store): Promise<void> {
  const entries = known.runId === null ? undefined : await readJournal(store, known.runId);
  if (entries === undefined) return;
  const run = fold(entries);
  seen.fingerprint = run.fingerprint;
  known.fingerprint = run.fingerprint;
  known.spent = spentView(run.spent);
  for (const [model, prices] of run.prices) {
    const last = prices.at(-1);
    if (last !== undefined) seen.prices.set(model, last);
  }
  known.prices = pricesIn(seen);
}

const pricesIn = ({ prices }: Seen): PriceLine[] =>
  [...prices.values()].map(({ model, source, date }) => ({ model, source, date: date ?? null }));
