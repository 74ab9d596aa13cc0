/** What is asked of people in a run, and why an answer to it is not taken any more. */
import { RunEndedError, SignalRefusedError } from "../core/errors.ts";
import type { Path } from "../core/paths.ts";
import { askedAt, isEnded, type Question, type RunRecord } from "../core/run-record.ts";
import { type Answered, type Awaited, closingOf } from "../core/waiting.ts";

/** One asking of a path. */
export interface Asking {
  readonly runId: string;
  readonly path: Path;
  /** The entry that asked. Absent: the latest. */
  readonly of?: number | undefined;
}

/**
 * The question, while the journal has no answer to it. An answer that was sent, and is not recorded yet, does not show here.
 *
 * @throws RunEndedError; SignalRefusedError when it has its answer, its time is over, or it is asked no more.
 */
export function openQuestion(run: RunRecord, asking: Asking, now: number): Awaited | Question {
  const { runId, path, of } = asking;
  const asked = run.questions.get(path)?.find(({ seq }) => seq === of) ?? askedAt(run, path);
  const answered = asked === undefined ? undefined : answerOf(run, path, asked);
  if (answered !== undefined) throw answeredBefore(runId, path, answered);
  if (isEnded(run)) throw hasEnded(run, runId);
  if (asked === undefined || ("kind" in asked && asked.kind === "signal"))
    throw new SignalRefusedError("unasked", `nobody is asked anything at ${path} of run ${runId} now`, {
      runId,
      path,
    });
  if (of !== undefined && asked.seq !== of)
    throw new SignalRefusedError("unasked", `${path} of run ${runId} was asked anew since then`, {
      runId,
      path,
      hint: "Answer what is asked now: flujo inbox shows it.",
    });
  const closed = closingOf(asked);
  if (closed !== undefined && now >= closed) throw tooLate(runId, path, closed);
  return asked;
}

const answerOf = (run: RunRecord, path: Path, asked: Awaited | Question): Answered | undefined =>
  "asks" in asked ? asked.answered : run.answered.get(path);

export const hasEnded = (run: RunRecord, runId: string): RunEndedError =>
  new RunEndedError(`run ${runId} has ended: it is ${run.status}`, { runId });

export function answeredBefore(
  runId: string,
  path: Path,
  answered: Answered | undefined,
): SignalRefusedError {
  const when = answered === undefined ? "" : ` at ${iso(answered.at)}`;
  const how = answered?.late
    ? `nobody had answered in time, and${when} it went on without an answer`
    : `${answered?.by ?? "somebody"} gave it${when}`;
  return new SignalRefusedError("answered", `${path} of run ${runId} has its answer already: ${how}`, {
    runId,
    path,
  });
}

export const tooLate = (runId: string, path: Path, closed: number): SignalRefusedError =>
  new SignalRefusedError(
    "late",
    `the time for an answer to ${path} of run ${runId} was over at ${iso(closed)}`,
    {
      runId,
      path,
      hint: "Resume the run: it goes on as its author has said for that.",
    },
  );

const iso = (ms: number): string => new Date(ms).toISOString();
