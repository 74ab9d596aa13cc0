/**
 * What one process did for a run, as spans: made from the entries it wrote, so that nothing is told that is not
 * recorded, and nothing twice.
 */
import type { CallSampling } from "../core/context.ts";
import type { Entry } from "../core/entries.ts";
import { type Path, undoPath } from "../core/paths.ts";
import { placeAt } from "../core/tree.ts";
import type { WatchedRun } from "../ports/instrument.ts";
import { agentAttributes, costAttributes, momentOf, where } from "./attributes.ts";
import { type Call, Calls } from "./calls.ts";
import { operations, own } from "./conventions.ts";
import { callSpan, placeSpan, tenureSpan } from "./identity.ts";
import { OpenPlace } from "./open-place.ts";
import { around, nameAt, operationAt } from "./place.ts";
import {
  type Beginning,
  type EntryAt,
  type Failure,
  lost,
  toldCall,
  toldOperation,
  toldTenure,
} from "./telling.ts";
import type { Attributes, ToldSpan } from "./told.ts";

/** An ending of a tenure's own. */
type Ending = Extract<
  Entry,
  { type: "run-completed" | "run-failed" | "run-halted" | "run-waiting" | "run-cancelled" }
>;

/** Entries that are told as moments of the place they belong to. */
const moments: ReadonlySet<string> = new Set([
  "retry-scheduled",
  "fallback-taken",
  "compensation-begun",
  "failure-collected",
  "branch-chosen",
  "timer-set",
  "signal-awaited",
  "signal-received",
  "question-answered",
  "budget-threshold",
  "budget-breached",
  "budget-raised",
]);
/** Calls of models are told one by one, as they were made, and choices not at all. */
const hasSpan = (kind: string): boolean => kind !== "model-call" && kind !== "decision";

/** What is said of something that begins. */
type Begun = Pick<EntryAt<"step-started">, "path" | "kind" | "at"> & { readonly attempt: number | undefined };

/** The tree, or the kinds of its places, are for those that have no entry of their own. */
type SpannedRun = Pick<WatchedRun, "runId" | "pipeline"> & {
  readonly node?: WatchedRun["node"];
  readonly kindOf?: (path: Path) => string | undefined;
};

export class TenureSpans {
  readonly #run: SpannedRun;
  readonly #root = new OpenPlace("");
  readonly #calls = new Calls();
  /** The spans of what is being paid for, by the seq of the reservation, and the spans these belong to. */
  readonly #purchases = new Map<number, { readonly span: string; readonly parent: string }>();
  readonly #sampling = new Map<number, CallSampling>();
  readonly #failures = new Map<Path, number>();
  #first: Beginning | undefined;
  #isOver = false;

  /** @param run whose spans they are. */
  constructor(run: SpannedRun) {
    this.#run = run;
  }

  /** The id of the tenure's own span. Before its first entry is recorded, it can only be the run's first tenure. */
  get id(): string {
    return tenureSpan(this.#run.runId, this.#first?.seq ?? 0);
  }

  /** Whether an ending of its own has been seen. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The id of the span that stands, or will stand, for a place, an operation or a call. */
  spanAt(path: Path | undefined, call?: number): string {
    if (call !== undefined) return callSpan(this.#run.runId, call);
    if (path === undefined || path.lastIndexOf("/") <= 0) return this.id; // the pipeline itself
    return placeSpan(this.#run.runId, this.#first?.seq ?? 0, path, this.#failures.get(path) ?? 0);
  }

  /** The same for what an entry is about. To be asked before the entry is taken in. */
  spanOf(entry: Entry): string {
    switch (entry.type) {
      case "step-started":
      case "step-completed":
      case "step-failed":
      case "container-completed":
        return this.spanAt(entry.path);
      case "operation-completed":
      case "operation-failed":
        return hasSpan(entry.kind) ? this.spanAt(entry.path) : this.#around(entry.path);
      case "budget-reserved":
        return this.#bought(entry);
      case "budget-settled":
      case "budget-released":
      case "budget-breached":
        return this.#purchases.get(entry.of)?.span ?? this.#around(entry.path);
      default:
        return this.#around("path" in entry ? entry.path : "");
    }
  }

  /** Takes in what the journal does not keep of a call: how its answer is chosen. */
  asked(call: number, sampling: CallSampling): void {
    this.#sampling.set(call, sampling);
  }

  /** Takes the next entry in. Returns the spans it is the last word on. */
  take(entry: Entry): ToldSpan[] {
    if (entry.type === "run-created" || entry.type === "run-resumed") this.#first = entry;
    if (this.#first === undefined || this.#isOver) return []; // its predecessor's affairs, settled before it begins
    this.#root.stretch(entry.at, entry.at);
    if (moments.has(entry.type)) this.#note(entry);
    const call = this.#calls.take(entry);
    if (call !== undefined) this.#tally(call);
    const told = call?.kind === "model-call" ? [this.#callTold(call)] : [];
    switch (entry.type) {
      case "budget-reserved":
        this.#purchases.set(entry.seq, { span: this.#bought(entry), parent: this.#buyer(entry) });
        return told;
      case "step-started":
        this.#begin(entry);
        return told;
      case "step-completed":
      case "step-failed":
        return [...told, ...this.#step(entry)];
      case "container-completed":
        return [...told, ...this.#container(entry)];
      case "compensation-started":
        this.#begin({ ...entry, path: undoPath(entry.path), kind: "compensation", attempt: undefined });
        return told;
      case "compensation-completed":
      case "compensation-failed":
        return [...told, ...this.#undo(entry)];
      case "operation-completed":
      case "operation-failed":
        return [...told, ...this.#operation(entry, call)];
      case "run-completed":
      case "run-failed":
      case "run-halted":
      case "run-waiting":
      case "run-cancelled":
        return [...told, ...this.#ended(entry)];
      default:
        return told;
    }
  }

  /** What is left open, told as lost: of a tenure whose process has said nothing more since `until`. */
  lost(until: number): ToldSpan[] {
    const failure = { code: lost, message: "the process that advanced the run ended without a word" };
    return this.#close(lost, until, { [own.status]: "lost" }, failure);
  }

  /** Where a call belongs: to the try of the step that makes it. */
  #buyer({ path, at }: EntryAt<"budget-reserved">): string {
    const owner = operationAt(path)?.owner ?? path;
    this.#root.enclosing(owner, at).child(owner, at);
    return this.spanAt(owner);
  }

  #bought({ kind = "model-call", path, seq }: EntryAt<"budget-reserved">): string {
    return kind === "model-call" ? callSpan(this.#run.runId, seq) : this.spanAt(path);
  }

  /** The span of the place around a path, or of the step an operation belongs to. */
  #around(path: Path): string {
    return this.spanAt(operationAt(path)?.owner ?? around(path).at(-1));
  }

  #begin({ path, kind, attempt, at }: Begun): void {
    const place = this.#root.enclosing(path, at).child(path, at);
    place.kind = kind;
    place.attempt = attempt;
  }

  #step(entry: EntryAt<"step-completed"> | EntryAt<"step-failed">): ToldSpan[] {
    const { path, kind, attempt = 1, took = 0, at } = entry;
    const parent = this.#root.enclosing(path, at - took, at);
    const place = parent.child(path, at - took, at);
    place.kind = kind;
    place.attempt = attempt;
    parent.inside.delete(path);
    const failed = entry.type === "step-failed";
    const cached: Attributes = !failed && entry.cached ? { [own.cached]: true } : {};
    const told = this.#placeTold(place, parent, failed ? entry.error.code : undefined, cached);
    if (!failed) return [{ ...told, content: { [own.output]: entry.output } }];
    this.#failed(path);
    return [{ ...told, message: entry.error.message }];
  }

  /** A container, and what has happened in it and has no end of its own: branches and sub-pipelines. */
  #container({ path, kind, took, at }: EntryAt<"container-completed">): ToldSpan[] {
    const parent = this.#root.enclosing(path, at - took, at);
    const place = parent.child(path, at - took, at);
    place.kind = kind;
    parent.inside.delete(path);
    return [...this.#rest(place, undefined), this.#placeTold(place, parent, undefined, {})];
  }

  /** A compensation, and what has happened in it. */
  #undo(entry: EntryAt<"compensation-completed"> | EntryAt<"compensation-failed">): ToldSpan[] {
    const { took, at } = entry;
    const path = undoPath(entry.path);
    const parent = this.#root.enclosing(path, at - took, at);
    const place = parent.child(path, at - took, at);
    place.kind = "compensation";
    parent.inside.delete(path);
    const error = entry.type === "compensation-failed" ? entry.error.code : undefined;
    return [...this.#rest(place, error), this.#placeTold(place, parent, error, {})];
  }

  #operation(
    entry: EntryAt<"operation-completed"> | EntryAt<"operation-failed">,
    paid: Call | undefined,
  ): ToldSpan[] {
    const { path, kind, took, at } = entry;
    const operation = operationAt(path);
    if (operation === undefined) return [];
    const { owner, name } = operation;
    const failed = entry.type === "operation-failed";
    if (!hasSpan(kind)) {
      if (failed && paid === undefined) this.#note(entry); // refused before there was a call
      return [];
    }
    this.#root.enclosing(owner, at - took, at).child(owner, at - took, at);
    const ids = { id: this.spanAt(path), parent: this.spanAt(owner) };
    const told = toldOperation(this.#run.runId, entry, ids, name, paid);
    if (failed) this.#failed(path);
    return [told];
  }

  #callTold(call: Call, until = this.#root.end): ToldSpan {
    const parent = this.#purchases.get(call.seq)?.parent ?? this.id;
    const sampling = this.#sampling.get(call.seq);
    this.#sampling.delete(call.seq);
    return toldCall(this.#run.runId, call, { parent, sampling, until });
  }

  #ended(entry: Ending): ToldSpan[] {
    this.#isOver = true;
    const status = entry.type.slice("run-".length);
    const failure = entry.type === "run-failed" || entry.type === "run-halted" ? entry.error : undefined;
    return this.#close(undefined, entry.at, { [own.status]: status }, failure);
  }

  /** Everything that is open, and the tenure itself. */
  #close(error: string | undefined, end: number, standing: Attributes, failure?: Failure): ToldSpan[] {
    const calls = this.#calls.rest();
    for (const call of calls) this.#tally(call);
    const called = calls.filter(({ kind }) => kind === "model-call").map((call) => this.#callTold(call, end));
    const told = [...called, ...this.#rest(this.#root, error)];
    return [...told, toldTenure(this.#run, this.#first, this.#root, { end, standing, failure })];
  }

  /** What is open within a place, innermost first. */
  #rest(place: OpenPlace, error: string | undefined): ToldSpan[] {
    const told: ToldSpan[] = [];
    for (const child of place.inside.values()) {
      told.push(...this.#rest(child, error));
      told.push(this.#placeTold(child, place, error));
    }
    place.inside.clear();
    return told;
  }

  /** @param more absent: what is told has not come to an end. */
  #placeTold(place: OpenPlace, parent: OpenPlace, error: string | undefined, more?: Attributes): ToldSpan {
    const { path, start, end, events, attempt } = place;
    const { node, kindOf } = this.#run;
    const kind = place.kind ?? (node === undefined ? kindOf?.(path) : placeAt(node, path)?.kind) ?? "place";
    const name = nameAt(path);
    const agent = kind === "agent";
    const isCut = more === undefined && (agent || kind === "step");
    return {
      id: this.spanAt(path),
      parent: parent === this.#root ? this.id : this.spanAt(parent.path),
      name: agent ? `${operations.agent} ${name}` : `${kind} ${name}`,
      kind: "internal",
      start,
      end,
      attributes: {
        ...(agent ? agentAttributes(name, place) : {}),
        ...where(this.#run.runId, path, kind),
        ...(attempt === undefined ? {} : { [own.attempt]: attempt }),
        ...costAttributes(place.picoUsd),
        ...(isCut ? { [own.interrupted]: true } : more),
      },
      error,
      events,
    };
  }

  /** Remembers a moment where it belongs: in the step, when it is about an operation, else in what is around the place. */
  #note(entry: Entry): void {
    const path = "path" in entry ? entry.path : "";
    const owner = operationAt(path)?.owner;
    this.#placeOfMoment(path, owner, entry).note({
      name: `flujo.${entry.type}`,
      at: entry.at,
      attributes: momentOf(entry),
    });
  }

  /** What is said of money may come late: it opens nothing that has ended. */
  #placeOfMoment(path: Path, owner: Path | undefined, { type, at }: Entry): OpenPlace {
    if (type.startsWith("budget-")) return this.#root.find(owner ?? around(path).at(-1) ?? "") ?? this.#root;
    const place = this.#root.enclosing(owner ?? path, at);
    return owner === undefined ? place : place.child(owner, at);
  }

  /** What a call came to, for the step it belongs to, while that is open, and for the whole. */
  #tally({ path, kind, model, amount }: Call): void {
    const owner = operationAt(path)?.owner ?? path;
    const step = this.#root.find(owner);
    for (const place of step === undefined ? [this.#root] : [this.#root, step]) {
      if (kind === "model-call") place.model = model;
      if (amount === undefined) continue;
      place.picoUsd += BigInt(amount.picoUsd);
      place.inputTokens += amount.inputTokens;
      place.outputTokens += amount.outputTokens;
    }
  }

  #failed(path: Path): void {
    this.#failures.set(path, (this.#failures.get(path) ?? 0) + 1);
  }
}
