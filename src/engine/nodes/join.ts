/** What parallel and mapOver share: several lines of execution that fork the state and come together again. */

import type { Ref } from "../../core/entries.ts";
import { type ErrorRecord, recordError } from "../../core/error-record.ts";
import type { Json } from "../../core/json.ts";
import type { Node, OnFailure } from "../../core/node.ts";
import type { Path } from "../../core/paths.ts";
import type { Wait } from "../../core/waiting.ts";
import { type Frame, within } from "../frame.ts";
import { Interruption } from "../interruption.ts";
import type { StateScope } from "../state-scope.ts";
import { Stop } from "../stop.ts";
import { fetchJson, type Value } from "../values.ts";

/** One line: a branch, or an item. */
export interface Line {
  readonly key: string;
  readonly path: Path;
  readonly node: Node;
  readonly input: Value;
}

/** What came of a line. */
export interface Outcome {
  readonly json: Json;
  readonly ref: Ref;
  /** The line's state, when it changed and is to be merged. */
  readonly state: Json | undefined;
}

/** Runs lines beside one another; remembers what stops them all. */
export class Join {
  readonly #frame: Frame;
  readonly #onFailure: OnFailure;
  readonly #stop: Stop;
  readonly #waiting: Wait[] = [];
  #ended = 0;
  #isSuspended = false;
  #failure: { readonly error: unknown } | undefined;
  #interruption: Interruption | undefined;

  constructor(frame: Frame, onFailure: OnFailure) {
    this.#frame = frame;
    this.#onFailure = onFailure;
    this.#stop = new Stop(frame.stop);
  }

  /** Whether no further line is to be begun. */
  get isOver(): boolean {
    return this.#stop.reason !== undefined || this.#interruption !== undefined;
  }

  /** The outcome of one line; undefined when it was stopped, waits, or failed the whole. Never throws. */
  async follow(line: Line): Promise<Outcome | undefined> {
    const { tenure, state } = this.#frame;
    const collected = tenure.run.collected.get(line.path);
    if (collected !== undefined) {
      this.#frame.footprint?.notePartial();
      return this.#failed(line, collected.error, collected.seq);
    }
    const fork = state.fork();
    try {
      const frame = within(this.#frame, { path: line.path, state: fork, stop: this.#stop });
      const value = await frame.advance(line.node, line.input, frame);
      const json = this.#onFailure === "collect" ? await fetchJson(value.json, tenure.store) : value.json;
      this.#ended++;
      return {
        json: this.#onFailure === "collect" ? { ok: true, value: json } : json,
        ref: value.ref,
        state: this.#changed(fork),
      };
    } catch (error) {
      return this.#after(error, line);
    }
  }

  /**
   * @param lines how many there are.
   * @throws what stopped them, the most telling first. Nothing when all have come to their end.
   */
  finish(lines: number): void {
    this.#stop.end();
    if (this.#ended === lines) return;
    this.#frame.stop.check();
    if (this.#interruption !== undefined) throw this.#interruption;
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#isSuspended) throw Interruption.suspended(this.#waiting.sort(byPath));
  }

  #changed(fork: StateScope): Json | undefined {
    return fork.current === this.#frame.state.current ? undefined : fork.current;
  }

  async #after(error: unknown, line: Line): Promise<Outcome | undefined> {
    if (error instanceof Interruption) {
      if (error.why === "suspended") {
        this.#isSuspended = true;
        this.#waiting.push(...error.waiting);
      } else if (error.why !== "sibling") this.#interruption = error;
      return undefined;
    }
    if (this.#stop.reason !== undefined) return undefined; // a consequence, not a cause
    if (this.#onFailure === "collect") return this.#collect(error, line);
    this.#failure = { error };
    this.#stop.fire(Interruption.sibling());
    return undefined;
  }

  async #collect(error: unknown, line: Line): Promise<Outcome | undefined> {
    const { path } = line;
    const { journal } = this.#frame.tenure;
    const record = recordError(error, path);
    const seq = journal.put({ type: "failure-collected", path, error: record });
    try {
      await journal.sync();
    } catch (broken) {
      this.#failure = { error: broken };
      return undefined;
    }
    return this.#failed(line, record, seq);
  }

  /** A line that has failed for good, as a value; what it had completed is undone. */
  async #failed(line: Line, error: ErrorRecord, seq: number): Promise<Outcome | undefined> {
    const { path } = line;
    const { tenure, state } = this.#frame;
    const fork = state.fork();
    try {
      const frame = within(this.#frame, { path, state: fork, stop: this.#stop });
      await tenure.compensations.undoWithin([path], { error, since: seq }, frame);
    } catch (stopped) {
      return this.#after(stopped, line);
    }
    this.#ended++;
    const json = { ok: false, error: error as unknown as Json }; // an error record is JSON by construction
    return { json, ref: seq, state: this.#changed(fork) };
  }
}

const byPath = (a: Wait, b: Wait): number => (a.path < b.path ? -1 : 1);
