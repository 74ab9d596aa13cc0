/**
 * The keys of a store. All of them share one hash tag, so that a cluster keeps them in one slot, where a script may touch any
 * of them.
 *
 * An index is a sorted set whose members all have the score 0 and are ordered by their bytes: a moment as 16 digits, a colon,
 * the run's id. So one range says "from this moment on", "after this run", and which of two runs of one millisecond comes first.
 */

import type { RunStatus } from "../../ports/store.ts";

/** Kept under `format`. A store with a higher one is refused. */
export const formatVersion = 2;

/** In the order in which scripts expect their indexes. */
export const statuses: readonly RunStatus[] = [
  "running",
  "completed",
  "failed",
  "halted",
  "waiting",
  "cancelled",
];

export type Keys = ReturnType<typeof keysOf>;

export const keysOf = (prefix: string) => {
  const key = (...parts: string[]): string => [`{${prefix}}`, ...parts].join(":");
  const indexes = {
    /** Runs with a summary, by when they were made. */
    age: key("runs", "age"),
    /** By when the summary last changed. */
    change: key("runs", "change"),
    /** By id, without a moment. */
    id: key("runs", "id"),
    /** Waiting runs, by when they go on by themselves. */
    wake: key("runs", "wake"),
    /** Running ones, by when their lease ends. */
    lease: key("runs", "lease"),
    /** Waiting ones that have been sent what they have not heard, by id, without a moment. */
    word: key("runs", "word"),
    /** By pipeline, and of each by when they were made: its head comes before the place. Since format 2. */
    pipeline: key("runs", "pipeline"),
  };
  /** Those of one status, by when they were made. */
  const ofStatus = (status: RunStatus): string => key("runs", "age", status);
  return {
    format: key("format"),
    ...indexes,
    ofStatus,
    /** In the order in which scripts expect them. */
    indexes: [
      indexes.age,
      indexes.change,
      indexes.id,
      indexes.wake,
      indexes.lease,
      indexes.word,
      indexes.pipeline,
      ...statuses.map(ofStatus),
    ],
    /** A hash: fence, owner, lease, summary, and what of it is asked for; where the indexes have it. */
    run: (runId: string) => key("run", runId),
    /** A list of entries: the place of each is its seq. */
    journal: (runId: string) => key("run", runId, "journal"),
    signals: (runId: string) => key("run", runId, "signals"),
    /** A set of the ids of what was sent. */
    sent: (runId: string) => key("run", runId, "sent"),
    value: (hash: string) => key("value", hash),
    /** Values that a sweep is about to remove: `HASH NUL SWEEP`, ordered by their bytes. Nearly always empty. */
    condemned: key("condemned"),
    cached: (name: string) => key("cached", name),
    /** A hash of accounts by scope, each with its version before it; their names in order; those with money held. */
    accounts: key("accounts"),
    scopes: key("accounts", "scope"),
    held: key("accounts", "held"),
    /** A hash of notes by key, each with its version before it; their keys in order. */
    notes: key("notes"),
    noteKeys: key("notes", "key"),
    /** No key: the channel on which processes tell one another what they have done. */
    news: key("news"),
  };
};

/** A moment as indexes have it. */
export const digits = (moment: number): string =>
  String(Math.ceil(Math.min(Math.max(moment, 0), Number.MAX_SAFE_INTEGER))).padStart(16, "0");

/** Where a run stands in an index by moments. */
export const place = (moment: number, runId: string): string => `${digits(moment)}:${runId}`;

/** What the places of a pipeline's runs begin with: as JSON has it, so that no other pipeline's begin so. */
export const headOf = (pipeline: string): string => JSON.stringify(pipeline);

/** Whose place that is. */
export const runAt = (place: string): string => place.slice(17);
