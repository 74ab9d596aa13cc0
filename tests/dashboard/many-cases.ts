import type { Entry } from "../../src/core/entries.ts";
import type { Json } from "../../src/core/json.ts";
import type { ExperimentInput, TrialRecord } from "../../src/evals/experiment/record.ts";
import type { RunSummary, Store } from "../../src/ports/store.ts";

/**
 * An experiment with many cases, written past the engine, which would take its time. Called again with more that are tried, it
 * goes on; with all of them it is over.
 *
 * @param share of cases that pass.
 */
export async function fillExperiment(
  store: Store,
  name: string,
  cases: number,
  share: number,
  { tried = cases }: { readonly tried?: number } = {},
): Promise<void> {
  const before = (await store.read(name, 0, cases + 2)) ?? [];
  const at = before[0]?.at ?? Date.now();
  const about = { pipeline: "flujo-eval", fingerprint: "f" };
  const input: ExperimentInput = {
    ...{ pipeline: "sums", fingerprint: "0123456789abcdef", trials: 1 },
    scorers: [{ name: "exact", version: 1 }],
    dataset: { name: "sums", hash: "0123456789abcdef" },
    cases: Array.from({ length: cases }, (_, i) => ({ id: `case-${i}`, input: i, expected: 2 * i })),
  };
  const json = (value: object): Json => value as unknown as Json; // all of it is JSON
  const entries: Entry[] = [
    { type: "run-created", seq: 0, at, ...about, manifest: "", input: json(input), state: {} },
  ];
  for (let i = 0; i < tried; i += 1) {
    const score = Number((i * 7_919) % 1_000 < share * 1_000);
    const record: TrialRecord = {
      ...{ caseId: `case-${i}`, trial: 1, runId: `${name}.case-${i}.1`, status: "completed", score },
      ...{ cluster: `k${i % 500}`, output: `${2 * i + 1 - score}`, picoUsd: "1", durationMs: 5 },
      scores: [{ scorer: "exact", score, feedback: score === 1 ? "the same" : `expected ${2 * i}` }],
    };
    const path = `/flujo-eval/trials[case-${i}#1]/trial`;
    entries.push({ type: "step-completed", seq: i + 1, at, path, kind: "step", output: json(record) });
  }
  const isOver = tried === cases;
  if (isOver) entries.push({ type: "run-completed", seq: tried + 1, at, output: [], from: 0 });
  const answer = await store.acquire({
    runId: name,
    owner: "me",
    now: at,
    ttlMs: 1,
    create: before.length === 0,
  });
  const again =
    answer.outcome === "granted"
      ? answer
      : await store.acquire({ runId: name, owner: "me", now: at + 2, ttlMs: 1 });
  if (again.outcome !== "granted") throw new Error(again.outcome);
  const summary: RunSummary = {
    ...about,
    status: isOver ? "completed" : "running",
    ...{ createdAt: at, updatedAt: at, picoUsd: "0", inputTokens: 0, outputTokens: 0, calls: 0 },
  };
  await store.commit([
    { runId: name, fence: again.lease.fence, entries: entries.slice(before.length), blobs: [], summary },
  ]);
}
