import type { Call, Kind } from "./call.ts";

/**
 * The calls but for those that nobody was told the end of, and that have left no trace in what others were told.
 *
 * @param but calls of this kind stay in any case.
 */
export function withoutUnseen(history: readonly Call[], but?: Kind): readonly Call[] {
  const entries = new Set(history.flatMap((call) => (call.kind === "read" ? (call.answer ?? []) : [])));
  const holds = new Set(history.flatMap(holdsIn));
  const gaps = runsWithGaps(history);
  return history.filter((call) => {
    if (call.answer !== undefined || call.kind === but) return true;
    if (call.kind === "commit")
      return call.asked.some((append) => append.entries.some((one) => entries.has(one)));
    if (call.kind === "acquire") return gaps.has(call.asked.runId);
    return call.kind !== "ledger" || call.asked.kind !== "hold" || holds.has(call.asked.id);
  });
}

/** The holds, and the places in queues, that a call tells of. */
function holdsIn(call: Call): string[] {
  if (call.kind === "commit") return call.asked.flatMap(({ postings }) => postings.map(({ hold }) => hold));
  if (call.kind !== "accounts") return [];
  return (call.answer ?? []).flatMap(({ holds, queue }) => [...holds, ...queue].map(({ id }) => id));
}

/** Runs of which a lease is known whose fence does not follow any that is: somebody had the one between. */
function runsWithGaps(history: readonly Call[]): ReadonlySet<string> {
  const leases = history.flatMap((call) =>
    call.kind === "acquire" && call.answer?.outcome === "granted" ? [call.answer.lease] : [],
  );
  const known = new Set(leases.map(({ runId, fence }) => `${runId} ${fence}`));
  const gaps = leases.filter(({ runId, fence }) => fence > 1 && !known.has(`${runId} ${fence - 1}`));
  return new Set(gaps.map(({ runId }) => runId));
}
