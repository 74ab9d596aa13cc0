/** What parallel and mapOver share: several lines of execution that fork the state and come together again. */

import type { Ref } from "../../core/entries.ts";
import { type ErrorRecord, recordError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import type { Node, OnFailure } from "../../core/node.ts";
import type { Path } from "../../core/paths.ts";
import type { Wait } from "../../core/waiting.ts";
import { type Frame, within } from "../frame.ts";
import { Interruption } from "../interruption.ts";
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
      return failed(collected.error, collected.seq);
    }
    const fork = state.fork();
    try {
      const frame = within(this.#frame, { path: line.path, state: fork, stop: this.#stop });
      const value = await frame.advance(line.node, line.input, frame);
      const json = this.#onFailure === "collect" ? await fetchJson(value.json, tenure.store) : value.json;
      const changed = fork.current === state.current ? undefined : fork.current;
      return {
        json: this.#onFailure === "collect" ? { ok: true, value: json } : json,
        ref: value.ref,
        state: changed,
      };
    } catch (error) {
      return this.#after(error, line.path);
    }
  }

  /** @throws what stopped the lines, the most telling first. */
  finish(): void {
    this.#stop.end();
    this.#frame.stop.check();
    if (this.#interruption !== undefined) throw this.#interruption;
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#waiting.length > 0) throw Interruption.suspended(this.#waiting.sort(byPath));
  }

  async #after(error: unknown, path: Path): Promise<Outcome | undefined> {
    if (error instanceof Interruption) {
      if (error.why === "suspended") this.#waiting.push(...error.waiting);
      else if (error.why !== "sibling") this.#interruption = error;
      return undefined;
    }
    if (this.#stop.reason !== undefined) return undefined; // a consequence, not a cause
    if (this.#onFailure === "collect") return this.#collect(error, path);
    this.#failure = { error };
    this.#stop.fire(Interruption.sibling());
    return undefined;
  }

  async #collect(error: unknown, path: Path): Promise<Outcome | undefined> {
    const { journal } = this.#frame.tenure;
    const record = recordError(error, path);
    const seq = journal.put({ type: "failure-collected", path, error: record });
    try {
      await journal.sync();
      return failed(record, seq);
    } catch (broken) {
      this.#failure = { error: broken };
      return undefined;
    }
  }
}

const byPath = (a: Wait, b: Wait): number => (a.path < b.path ? -1 : 1);

const failed = (error: ErrorRecord, ref: Ref): Outcome => ({
  json: { ok: false, error: error as unknown as Json }, // an error record is JSON by construction
  ref,
  state: undefined,
});
