import { approvalSchema } from "../core/approval.ts";
import { fold } from "../core/fold.ts";
import type { Json } from "../core/json.ts";
import { outcomeSchema } from "../core/outcome.ts";
import { enclosing, type Path, questionPath } from "../core/paths.ts";
import { awaitedPaths, type RunRecord } from "../core/run-record.ts";
import { anything } from "../core/schema.ts";
import { closingOf, isAsked } from "../core/waiting.ts";
import { firstAnswer } from "../ports/answers.ts";
import type { Signal, Store } from "../ports/store.ts";
import { everyRun } from "./every-run.ts";
import { readJournal } from "./journal.ts";
import { readableJson } from "./readable.ts";

/** Something that waits for somebody, as `flujo inbox --json` prints it. */
export interface InboxItem {
  readonly runId: string;
  readonly pipeline: string;
  readonly path: Path;
  /** `approval`: yes or no. `outcome`: whether a tool's call happened. `answer`: what `schema` says. `event`: from outside. */
  readonly asks: "approval" | "outcome" | "answer" | "event";
  readonly prompt: string;
  readonly context: Json;
  /** Null: anybody. */
  readonly assignees: readonly string[] | null;
  /** The JSON Schema of an `answer`, or the name of the library whose schema it is. */
  readonly schema: Json;
  /** ISO dates. `due`: when it goes on without an answer. */
  readonly since: string;
  readonly due: string | null;
  /** An answer is there already: the run has only to be resumed. */
  readonly answered: { readonly by: string | null; readonly at: string } | null;
}

/** What waits, as `flujo inbox --json` prints it. */
export interface Inbox {
  /** Those first that have waited longest. */
  readonly items: readonly InboxItem[];
  /** How many are left out: they have waited for less long than these. */
  readonly more: number;
}

export interface InboxFilter {
  /** Only what this person or team is asked, or anybody is. */
  readonly for?: string;
  /** Items, at most. Default 1,000. */
  readonly limit?: number;
}

/** A run as it stands now. */
type RecordOf = (runId: string) => Promise<RunRecord>;

/** What whoever looks again and again has at hand. */
export interface Looking {
  readonly recordOf?: RecordOf;
  /** Waiting runs that ask nobody anything, as those that sleep, and of which moment that is known. */
  readonly silent?: Map<string, number>;
}

/** Of waiting runs and of running ones, the newest that are looked at. */
const mostWaiting = 50_000;
const mostRunning = 1_000;

/** What the runs of a store wait for; also what a run has asked that does something else meanwhile. */
export async function inbox(
  store: Store,
  { for: name, limit = 1_000 }: InboxFilter = {},
  { recordOf = recordIn(store), silent = new Map() }: Looking = {},
): Promise<Inbox> {
  const looked = new Set<string>();
  const items: InboxItem[] = [];
  const take = async (runId: string): Promise<number> => {
    looked.add(runId);
    const asked = await inboxOf(store, runId, recordOf);
    items.push(
      ...asked.filter(({ assignees }) => name === undefined || isAsked(assignees ?? undefined, name)),
    );
    return asked.length;
  };
  if (silent.size > mostWaiting) silent.clear();
  for await (const { runId, updatedAt } of everyRun(store, { status: ["waiting"], newest: mostWaiting }))
    if (silent.get(runId) !== updatedAt && (await take(runId)) === 0) silent.set(runId, updatedAt);
  for await (const { runId } of everyRun(store, { status: ["running"], newest: mostRunning }))
    if (!looked.has(runId)) await take(runId);
  items.sort((a, b) => (a.since < b.since ? -1 : Number(a.since > b.since)));
  return { items: items.slice(0, limit), more: Math.max(0, items.length - limit) };
}

const recordIn =
  (store: Store): RecordOf =>
  async (runId) =>
    fold((await readJournal(store, runId)) ?? []);

/** What one run waits for. */
export async function inboxOf(
  store: Store,
  runId: string,
  recordOf: RecordOf = recordIn(store),
): Promise<InboxItem[]> {
  const run = await recordOf(runId);
  const paths = run.status === "running" ? openIn(run) : awaitedPaths(run);
  if (paths.length === 0) return [];
  const signals = await store.signals(runId);
  return Promise.all(paths.map((path) => inboxItem(runId, run, path, signals)));
}

/** What a run that goes on has asked, as long as nothing around it has ended since. */
function openIn(run: RunRecord): Path[] {
  const open: Path[] = [];
  for (const [path, { seq }] of run.awaited) if (!hasEnded(run, path, seq)) open.push(path);
  for (const [path, questions] of run.questions) {
    const last = questions.at(-1);
    if (last !== undefined && last.answer === undefined && !hasEnded(run, path, last.seq)) open.push(path);
  }
  return open;
}

function hasEnded(run: RunRecord, path: Path, since: number): boolean {
  const given = new Map([...run.fallbacks.values()].map(({ path, seq }) => [path, seq]));
  const { completed, failures, containers, collected } = run;
  return enclosing(path).some((at) =>
    [
      ...[completed.get(at)?.seq, failures.get(at)?.seq, containers.get(at), collected.get(at)?.seq],
      given.get(at),
    ].some((seq = -1) => seq > since),
  );
}

/** What is asked at a path, or was last, whether the run waits now or does something else besides. */
export async function inboxItem(
  runId: string,
  run: RunRecord,
  path: Path,
  signals: readonly Signal[],
): Promise<InboxItem> {
  const { to, closed, ...asked } = askedIn(run, path);
  const schema =
    asked.asks === "approval" ? approvalSchema : asked.asks === "outcome" ? outcomeSchema : anything;
  const first = await firstAnswer(signals, to, schema, closed);
  const answered = first === undefined ? null : { by: first.by ?? null, at: iso(first.at) };
  return { runId, pipeline: run.created?.pipeline ?? "", path, ...asked, answered };
}

type Asked = Omit<InboxItem, "runId" | "pipeline" | "path" | "answered"> & {
  readonly to: Path;
  readonly closed: number | undefined;
};

function askedIn(run: RunRecord, path: Path): Asked {
  const awaited = run.awaited.get(path);
  const question = awaited === undefined ? run.questions.get(path)?.at(-1) : undefined;
  const asked = awaited ?? question;
  const asks = awaited === undefined ? (question?.asks ?? "approval") : undefined;
  const isEvent = awaited?.kind === "signal";
  return {
    asks: asks ?? (isEvent ? "event" : awaited?.answer === undefined ? "approval" : "answer"),
    prompt: asked?.prompt ?? "",
    context: asked?.context === undefined ? null : readableJson(asked.context),
    assignees: asked?.assignees ?? null,
    schema: awaited?.answer ?? null,
    since: iso(asked?.at ?? run.updatedAt),
    due: asked?.due === undefined ? null : iso(asked.due),
    to: question === undefined ? path : questionPath(path, question.seq),
    closed: asked && closingOf(asked),
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
