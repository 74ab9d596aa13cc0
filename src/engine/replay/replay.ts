/**
 * A run walked again on its record: what is recorded answers, what is decided is decided anew, and nothing is written or
 * called.
 */
import type { Entry, EntryOf, Ref } from "../../core/entries.ts";
import { placed, recordError } from "../../core/error-record.ts";
import { type FlujoError, InvalidOptionError, UnknownRunError } from "../../core/errors.ts";
import { changedPaths, isTest, versionOf } from "../../core/fingerprint.ts";
import { fold } from "../../core/fold.ts";
import type { Json } from "../../core/json.ts";
import { nothingSpent } from "../../core/limits.ts";
import { isWithin, type Path } from "../../core/paths.ts";
import { isEnded, type RunRecord } from "../../core/run-record.ts";
import { check } from "../../core/schema.ts";
import { equal } from "../../core/state.ts";
import { placeAt } from "../../core/tree.ts";
import type { Models } from "../../ports/models.ts";
import type { Store } from "../../ports/store.ts";
import type { World } from "../../ports/world.ts";
import { advance } from "../advance.ts";
import type { Frame } from "../frame.ts";
import { Interruption } from "../interruption.ts";
import { manifestOf, unknownRun } from "../load.ts";
import { overlayOf } from "../recorded-overlay.ts";
import { overlaidRoot, type Root } from "../root.ts";
import { StateScope } from "../state-scope.ts";
import { fetchJson, open, type Value } from "../values.ts";
import { BodyWalk, type Enclosure } from "./body-walk.ts";
import { brief, Findings } from "./findings.ts";
import { readOnly } from "./read-only.ts";
import { ReplayTenure, stillWorld } from "./replay-tenure.ts";
import { failures, passing, ReplayedJournal, undecided } from "./replayed-journal.ts";
import type { ReplayOptions, ReplayReport } from "./report.ts";

/** Where a replay takes place. */
export interface ReplayParts {
  readonly root: Root;
  readonly store: Store;
  readonly world: Pick<World, "timer">;
  /** Asked for names only. */
  readonly models: Models | undefined;
  readonly enclosure: Enclosure;
}

/** What a `Flujo` adds to the engine's replays. */
export type ReplayStage = Partial<Pick<ReplayParts, "models" | "enclosure">>;

/**
 * Replays a run with this tree.
 *
 * @throws UnknownRunError; InvalidOptionError when the run is of another pipeline.
 */
export async function replayRun(
  parts: ReplayParts,
  runId: string,
  { bodies = "durable" }: ReplayOptions = {},
): Promise<ReplayReport> {
  const store = readOnly(parts.store, parts.enclosure);
  const entries = await entriesOf(store, runId);
  const run = fold(entries);
  const { created, status } = run;
  if (created === undefined) throw noBeginning(runId, entries);
  const { enclosure } = parts;
  if (created.pipeline !== parts.root.pipeline.name) throw otherPipeline(runId, created.pipeline, parts.root);
  const root = await overlaidRoot(parts.root, await overlayOf(created, store));
  const changed = await changesOf(root, run, store);
  const findings = new Findings();
  const refused = (what: string): void => findings.differ(root.path, "outside-call", "nothing of it", what);
  await enclosure.within(
    () => walkAgain({ ...parts, root }, { runId, entries, created, findings, bodies, store }),
    refused,
  );
  tellGaps(entries, findings);
  const { differences, compared, notRun, unknownRequests } = findings;
  const same = differences.length === 0;
  return {
    runId,
    pipeline: created.pipeline,
    status,
    same,
    differences,
    changed,
    refused: changed.length > 0 && !isEnded(run),
    compared,
    notRun,
    unknownRequests,
  };
}

interface Walk {
  readonly runId: string;
  readonly entries: readonly Entry[];
  readonly created: EntryOf<"run-created">;
  readonly findings: Findings;
  readonly bodies: NonNullable<ReplayOptions["bodies"]>;
  readonly store: Store;
}

async function walkAgain({ root, world, models, enclosure }: ReplayParts, walk: Walk): Promise<void> {
  const { runId, entries, created, findings, bodies, store } = walk;
  const run = undecided(fold(entries), (timer) => isMoment(root, timer));
  const journal = new ReplayedJournal(runId, run, entries, findings);
  const tenure = new ReplayTenure({
    lease: { runId, owner: "replay", fence: 0, expiresAt: 0 },
    node: root.node,
    journal,
    store,
    world: stillWorld(run.updatedAt),
    models,
    instrument: undefined,
    graceMs: 0,
    awakeMs: 0,
    scopes: [],
    rehearsal: new BodyWalk({ entries, findings, world, enclosure, bodies }),
  });
  const scope = tenure.treasury.openRun(root.path, {}, created.at, nothingSpent, {});
  const frame: Frame = {
    advance,
    tenure,
    path: "",
    state: new StateScope(created.state),
    stop: tenure.stop,
    scopes: [scope],
    freshFrom: freshBefore(run, entries),
    checks: [],
    deadline: undefined,
    footprint: undefined,
  };
  await checkInput(root, created, store, findings);
  let outcome: Outcome;
  try {
    outcome = { value: await advance(root.node, { json: created.input, ref: 0 }, frame) };
  } catch (error) {
    outcome = { error };
  }
  const { reason } = tenure.stop;
  if (reason instanceof Interruption && reason.why === "lost") throw reason.error; // the store does not answer: nothing is known
  await judge(outcome, { run, root, findings, entries, store });
}

/** From where on failures were fresh when the run came to its end; undoing it may have been resumed since. */
function freshBefore({ undoing, freshFrom }: RunRecord, entries: readonly Entry[]): number {
  if (undoing === undefined) return freshFrom;
  return fold(entries.filter(({ seq }) => seq < undoing.seq)).freshFrom;
}

/** The moment a `sleepUntil` waits for is decided; how long a `sleep` takes is told by the clock. */
function isMoment(root: Root, timer: Path): boolean {
  const place = timer.includes(":") ? undefined : placeAt(root.node, timer);
  return place?.kind === "sleep" && typeof place.ms !== "number";
}

async function checkInput(root: Root, { input }: EntryOf<"run-created">, store: Store, findings: Findings) {
  const schema = root.pipeline.input;
  if (schema === undefined || !isTest(schema)) return;
  const given = await check(schema, await open(input, store));
  if (!given.ok)
    findings.differ(root.path, "input", brief(input), `it does not fit: ${given.issues.join("; ")}`);
}

type Outcome = { readonly value: Value } | { readonly error: unknown };

interface Case {
  readonly run: RunRecord;
  readonly root: Root;
  readonly findings: Findings;
  readonly entries: readonly Entry[];
  readonly store: Store;
}

/** Holds the end of the walk against the end of the run. */
async function judge(outcome: Outcome, seen: Case): Promise<void> {
  const { run, root, findings } = seen;
  const isStopped = "error" in outcome && outcome.error instanceof Interruption;
  if ("error" in outcome && !isStopped) return judgeFailure(outcome.error, seen);
  if ("value" in outcome && run.status === "failed") {
    findings.differ(root.path, "failure", run.error?.message ?? "it failed", "it completes");
  } else if ("value" in outcome) await judgeOutput(outcome.value, seen);
  for (const { path, entry } of findings.ends) {
    if (isExpected(path, entry, seen)) continue;
    findings.differ(path, "missing", `no ${entry}`, "it is needed to go on");
  }
}

/** Whether it is no wonder that the record does not go on there. */
function isExpected(path: Path, entry: Entry["type"], { run }: Case): boolean {
  switch (run.status) {
    case "completed":
      return false;
    case "failed":
      return failures.has(entry) || fromOutside.has(run.error?.code ?? "");
    case "waiting":
      return run.waits.some((wait) => isWithin(wait.path, path) || isWithin(path, wait.path));
    default:
      return true;
  }
}

/** Failures that come from the clock or the budget: what they stopped has no record. */
const fromOutside: ReadonlySet<string> = new Set(["timeout", "budget-exceeded"]);

function judgeFailure(thrown: unknown, { run, root, findings, entries }: Case): void {
  const { code, message, path = root.path } = recordError(placed(thrown, root.path), root.path);
  const { status } = run;
  const error = run.undoing?.error ?? run.error; // what failed; undoing it may have added to that
  if (status === "failed") {
    const isTheSame = error?.code === code && error.message === message;
    // Of two that failed beside one another, the other was first.
    if (isTheSame || isRecordedFailure(run, message) || isBeside(root, path, error?.path)) return;
  } else if (status !== "completed" && status !== "waiting") {
    if (isRecordedFailure(run, message) || !isPassed(entries, path)) return; // the run ended before it could say so
  }
  findings.differ(path, "failure", error?.message ?? "no failure", message);
}

/** Whether two paths part in a container whose lines run beside one another. */
function isBeside({ node }: Root, path: Path, other: Path = ""): boolean {
  let at = 0;
  while (at < path.length && path[at] === other[at]) at++;
  const open = path.lastIndexOf("[", at);
  if (open < 0 || path.lastIndexOf("]", at - 1) > open) return false;
  const kind = placeAt(node, path.slice(0, open))?.kind;
  return kind === "parallel" || kind === "mapOver";
}

const isRecordedFailure = (run: RunRecord, message: string): boolean =>
  [...run.failures.values()].some(({ error }) => error.message === message);

/** Whether the record goes on behind a place. */
const isPassed = (entries: readonly Entry[], at: Path): boolean =>
  entries.some((entry) => passing.has(entry.type) && "path" in entry && entry.path === at);

async function judgeOutput({ json, ref }: Value, { run, root, findings, store }: Case): Promise<void> {
  if (run.output === undefined) return; // it ended before it could say so
  const { from, json: recorded } = run.output;
  if (!isSame(from, ref)) {
    findings.differ(root.path, "output", `of entry ${brief(from as Json)}`, `of entry ${brief(ref as Json)}`); // numbers and keys
    return;
  }
  const now = await fetchJson(json, store);
  if (recorded !== undefined && !equal(recorded, now)) {
    findings.differ(root.path, "output", brief(recorded), brief(now));
  }
}

const isSame = (a: Ref, b: Ref): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Entries are numbered without a gap: what is not there was taken out. */
function tellGaps(entries: readonly Entry[], findings: Findings): void {
  let next = 0;
  for (const entry of entries) {
    const { seq, type } = entry;
    if (seq !== next) {
      const which = seq === next + 1 ? `entry ${next}` : `entries ${next} to ${seq - 1}`;
      const path = "path" in entry ? entry.path : "";
      findings.differ(path, "missing", `${which}, before entry ${seq} (${type})`, "not in the journal");
    }
    next = seq + 1;
  }
}

async function changesOf(root: Root, run: RunRecord, store: Store): Promise<Path[]> {
  const { fingerprint, manifest } = versionOf(root.node);
  if (fingerprint === run.fingerprint) return [];
  const before = await manifestOf(run, store);
  const recorded = [run.completed, run.choices, run.verdicts, run.maps, run.containers];
  return changedPaths(
    before,
    manifest,
    recorded.flatMap((all) => [...all.keys()]),
  );
}

const page = 10_000;

/** A journal as it is, also where entries are missing from it. */
async function entriesOf(store: Store, runId: string): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (let from = 0; ; from = (entries.at(-1)?.seq ?? -1) + 1) {
    const some = await store.read(runId, from, page);
    if (some === undefined) throw unknownRun(runId, store);
    for (const entry of some) entries.push(entry);
    if (some.length === 0) return entries;
  }
}

function noBeginning(runId: string, entries: readonly Entry[]): FlujoError {
  const why = entries.length === 0 ? "nothing of it is recorded" : "its first entry, run-created, is missing";
  return new UnknownRunError(`run ${runId} cannot be replayed: ${why}`, { runId });
}

const otherPipeline = (runId: string, name: string, { pipeline }: Root): InvalidOptionError =>
  new InvalidOptionError(`run ${runId} is of the pipeline "${name}", and this one is "${pipeline.name}"`, {
    hint: "Replay it with the file it came from: flujo lens show tells which.",
  });
