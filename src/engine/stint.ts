/** The time a tenure has, where that has an end: what still fits into it, and what was cut off when it was over. */
import { type FlujoError, OutOfTimeError } from "../core/errors.ts";
import type { Path } from "../core/paths.ts";
import type { RunRecord } from "../core/run-record.ts";
import type { World } from "../ports/world.ts";

export interface StintTerms {
  /** When what is under way is cut off, in milliseconds since 1970. */
  readonly endsAt: number;
  /** How long at most whoever cuts it off waits for the store to know, in milliseconds. */
  readonly lastWordMs: number;
  /** How long the whole of it is, in milliseconds. */
  readonly wholeMs: number;
  /** What must be left for an operation to begin of which nothing is known, in milliseconds. */
  readonly leastMs: number;
  /** Whether the run has all of it: what does not fit now never will. */
  readonly isAll: boolean;
}

/** An operation takes up to half as much again as the slowest of its kind did. */
const slack = 1.5;
/** What was cut off in vain is tried again where it has at least a tenth more. */
const moreThanInVain = 1.1;

/** A body under way, or an operation within one. */
interface Work {
  readonly path: Path;
  /** The body that an operation is in. */
  readonly body: Work | undefined;
  /** Its beginning, or when an operation within it has ended: from there on it would have to be done again. */
  since: number;
  /** Operations within it. */
  inner: number;
}

export class Stint {
  readonly #runId: string;
  readonly #over: FlujoError;
  readonly #world: World;
  readonly #run: RunRecord;
  readonly #terms: StintTerms;
  /** The longest that any of a kind has taken, in milliseconds. */
  readonly #longest = new Map<string, number>();
  /** Kinds of bodies that can be left between two operations: how long they take as a whole does not matter. */
  readonly #divided = new Set<string>();
  readonly #underWay = new Map<Path, Work>();
  #hasDone = false;

  /** @param over why the run is let go when the time is over. */
  constructor(runId: string, world: World, run: RunRecord, terms: StintTerms, over: FlujoError) {
    this.#runId = runId;
    this.#over = over;
    this.#world = world;
    this.#run = run;
    this.#terms = terms;
    for (const [path, { took }] of run.completed) this.#learn(path, took);
  }

  get lastWordMs(): number {
    return this.#terms.lastWordMs;
  }
  get leftMs(): number {
    return Math.max(0, this.#terms.endsAt - this.#world.now());
  }

  /** Why what is not recorded yet is not to begin now; undefined: it is likely to end in time, or has no better chance. */
  objection(path: Path): FlujoError | undefined {
    const inVain = this.#inVain(path);
    const needs = inVain ?? this.#needs(path);
    if (this.leftMs >= needs) return undefined;
    const isBestChance = this.#terms.isAll && !this.#hasDone;
    if (!isBestChance) return this.#over;
    return inVain === undefined ? undefined : this.#tooShortFor(path);
  }

  /** Why a rest until then is not to begin. */
  objectionTo(until: number): FlujoError | undefined {
    return until > this.#terms.endsAt ? this.#over : undefined;
  }

  /** What the operation needs more than it was given when it was cut off; an answer that is gone on with needs less. */
  #inVain(path: Path): number | undefined {
    const cut = this.#run.cuts.get(path);
    const goesOn = this.#run.streams.get(path)?.some(({ request }) => request !== undefined) ?? false;
    return cut === undefined || goesOn ? undefined : cut * moreThanInVain;
  }

  #needs(path: Path): number {
    const kind = kindOf(path);
    if (this.#divided.has(kind)) return 0;
    const longest = this.#longest.get(kind);
    return longest === undefined ? this.#terms.leastMs : longest * slack;
  }

  /** A body begins, or something in it. Returns what to call when that is over. */
  begins(path: Path): () => void {
    const began = this.#world.now();
    const body = isInBody(path) ? this.#underWay.get(bodyAround(path)) : undefined;
    const work: Work = { path, body, since: began, inner: 0 };
    if (body !== undefined) body.inner += 1;
    this.#underWay.set(path, work);
    return () => {
      const now = this.#world.now();
      this.#hasDone = true;
      this.#learn(path, now - began);
      if (this.#underWay.get(path) === work) this.#underWay.delete(path);
      if (body === undefined) return;
      body.inner -= 1;
      body.since = now;
    };
  }

  /** What would be cut off now, and how long it has had in vain. Of a body that waits for its operations, these. */
  get underWay(): readonly { readonly path: Path; readonly after: number }[] {
    const now = this.#world.now();
    const working = [...this.#underWay.values()].filter(({ inner }) => inner === 0);
    return working.map(({ path, since, body }) => ({ path, after: now - Math.max(since, body?.since ?? 0) }));
  }

  #tooShortFor(path: Path): OutOfTimeError {
    const runId = this.#runId;
    const { wholeMs } = this.#terms;
    const had = this.#run.cuts.get(path) ?? 0;
    return new OutOfTimeError(
      `${path} does not fit into ${inSeconds(wholeMs)}: it was cut off after ${inSeconds(had)}`,
      {
        ...{ runId, path },
        hint: "Give it more time, make its parts operations of their own (ctx.run), or let a process go on with the run that has no limit: flujo worker, flujo resume.",
      },
    );
  }

  #learn(path: Path, took: number): void {
    const kind = kindOf(path);
    this.#longest.set(kind, Math.max(took, this.#longest.get(kind) ?? 0));
    if (isInBody(path)) this.#divided.add(kindOf(bodyAround(path)));
  }
}

/** The same for all items of a map, turns of a loop, attempts, and uses of an operation's name. */
const kindOf = (path: Path): string => path.replace(/\[[^\]]*\]|#\d+|@\d+/g, "");

/** Whether it is an operation inside a body: no name has a colon. */
const isInBody = (path: Path): boolean => path.includes(":");

const bodyAround = (path: Path): Path => path.replace(/(@\d+)?:[^/]*$/, "");

const inSeconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
