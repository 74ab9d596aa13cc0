/** What a worker process is told to do, and what it tells back. */
import type { Spent, Usd } from "../../src/core/limits.ts";
import type { SharedScope } from "../../src/core/scopes.ts";
import type { Store } from "../../src/ports/store.ts";
import { file } from "../../src/stores/file.ts";
import { sqlite } from "../../src/stores/sqlite.ts";
import type { pipelines } from "./pipelines.ts";

/** The stores that outlive a process. */
export const kinds = ["sqlite", "file"] as const;
export type Kind = (typeof kinds)[number];

/** Where a run's journal lives: under a folder of its own, so that it can be copied and counted. */
export interface Place {
  readonly kind: Kind;
  readonly folder: string;
}

export const storeAt = ({ kind, folder }: Place): Store =>
  kind === "file" ? file(folder) : sqlite(`${folder}/flujo.db`);

/** One process, one run. */
export interface Job {
  readonly pipeline: keyof typeof pipelines;
  readonly place: Place;
  readonly runId: string;
  /** The execution log: every body adds a line when its work is done. */
  readonly log: string;
  readonly input?: unknown;
  /** Paths of bodies that say so and then wait to be told to go on. */
  readonly hang?: readonly string[];
  /** It kills itself as soon as it hears that so many commits are in the store. */
  readonly diesAfter?: number;
  readonly lease?: `${number}s`;
  readonly takeOver?: boolean;
  /** It submits the run and advances it for so long, as a function does. */
  readonly within?: `${number}s`;
  readonly budget?: Usd;
  readonly scopes?: readonly SharedScope[];
  /** How long a body works, at random, in milliseconds. */
  readonly pauseMs?: readonly [least: number, most: number];
  /** Give up the rights of root before the store is opened: root may write anywhere. */
  readonly unprivileged?: boolean;
}

/** A line of the execution log. */
export interface Execution {
  readonly runId: string;
  readonly path: string;
  readonly pid: number;
}

export type Message =
  | { readonly type: "up" }
  /** A body hangs here. */
  | { readonly type: "reached"; readonly runId: string; readonly path: string }
  /** An entry is in the store. */
  | { readonly type: "recorded"; readonly runId: string; readonly entry: string; readonly path: string }
  | {
      readonly type: "ended";
      readonly status: string;
      readonly output: unknown;
      readonly spent: Spent;
      readonly code: string | undefined;
    }
  | {
      readonly type: "refused";
      readonly code: string;
      readonly message: string;
      readonly hint: string | undefined;
      readonly afterMs: number;
    };
