/** The smallest run that a store can have, for tests of what happens inside one. */
import type { HoldRequest } from "../../src/core/account.ts";
import type { Append, RunSummary } from "../../src/ports/store.ts";

/** For its lease, which is the first. */
export const request = { runId: "r", owner: "me", now: 0, ttlMs: 1_000 };

export const summary: RunSummary = {
  pipeline: "p",
  fingerprint: "f",
  status: "running",
  createdAt: 1,
  updatedAt: 1,
  picoUsd: "0",
  inputTokens: 0,
  outputTokens: 0,
  calls: 0,
};

/** One entry, under that lease. */
export const append = (seq: number, output = "x"): Append => ({
  runId: "r",
  fence: 1,
  entries: [{ type: "operation-completed", path: "/t", kind: "run", output, took: 0, seq, at: 0 }],
  blobs: [],
});

/** Of money on an account without limits. */
export const hold: Omit<HoldRequest, "id"> = {
  kind: "hold",
  runId: "r",
  fence: 1,
  path: "/p",
  now: 0,
  patienceMs: 1,
  quote: { model: "m", inputTokens: 0, outputTokens: { wanted: 1, least: 1 } },
  accounts: [{ scope: "a", limits: {}, alertAt: [] }],
};
