/** What is sent to a run from outside: looked at before it is kept, so that whoever sends it knows what became of it. */
import { approvalSchema } from "../core/approval.ts";
import { encode } from "../core/codec.ts";
import { InvalidOptionError, SignalRefusedError } from "../core/errors.ts";
import type { HumanNode, Node, Place, WaitNode } from "../core/node.ts";
import { outcomeSchema } from "../core/outcome.ts";
import { type Path, placeOf, questionPath, seqIn } from "../core/paths.ts";
import { awaitedPaths, isEnded, type Question, type RunRecord } from "../core/run-record.ts";
import { anything, check, misfit, type Schema } from "../core/schema.ts";
import { placeAt } from "../core/tree.ts";
import { closingOf } from "../core/waiting.ts";
import { firstAnswer } from "../ports/answers.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { load, unknownRun } from "./load.ts";
import { answeredBefore, hasEnded, openQuestion, tooLate } from "./open-question.ts";

/** Where signals are sent. */
export interface Post {
  readonly store: Store;
  readonly world: World;
  /** The pipeline; without it only approvals can be given. */
  readonly tree: Node | undefined;
}

/** Whom something is sent to. */
interface Addressee {
  readonly to: Path;
  readonly schema: Schema;
  /** One answer is all it takes: a question, not a place that takes one event after the other. */
  readonly once: boolean;
  /** From when on it takes nothing more, in milliseconds since 1970. */
  readonly closed: number | undefined;
}

/** Who sends it, and to which asking of its path. */
export interface Sending {
  readonly by?: string | undefined;
  /** The entry that asked: what was asked before or since is not answered. Absent: whatever is asked there now. */
  readonly of?: number | undefined;
}

/**
 * Sends something to a place that waits, or will wait, for it; or the answer to what an agent's tool asks.
 *
 * @throws UnknownRunError, RunEndedError; SignalRefusedError when nothing waits at that path, it has its answer (also
 *   when another process was faster by a moment), or it does not fit; InvalidOptionError for a sender without a name.
 */
export async function sendSignal(
  post: Post,
  runId: string,
  address: Path,
  payload: unknown,
  { by, of = seqIn(address) }: Sending = {},
): Promise<void> {
  checkSender(by);
  const path = placeOf(address);
  const { store, world, tree } = post;
  const run = await load(store, runId);
  if (isEnded(run)) throw hasEnded(run, runId);
  if (of !== undefined) openQuestion(run, { runId, path, of }, world.now());
  const addressee = addresseeOf(run, tree, runId, path);
  const { to, schema, closed } = addressee;
  const answer = await check(schema, payload);
  if (!answer.ok)
    throw new SignalRefusedError("unfit", misfit("answer", path, answer.issues), { runId, path });
  const now = world.now();
  if (closed !== undefined && now >= closed) throw tooLate(runId, path, closed);
  await refuseSecond(post, runId, path, addressee, undefined);
  const data = encode(payload, `answer to ${path}`, path).json;
  const id = world.id();
  const sent = await store.send(runId, { id, path: to, data, at: now, ...(by === undefined ? {} : { by }) });
  if (!sent) throw unknownRun(runId, store);
  await refuseSecond(post, runId, path, addressee, id);
}

/** An empty name, of an unset variable perhaps, would tell nobody who answered. @throws InvalidOptionError */
export function checkSender(by: string | undefined): void {
  if (by === undefined || by.trim() !== "") return;
  throw new InvalidOptionError("the name of whoever answers is empty", {
    hint: "Give a name, or leave it out.",
  });
}

function addresseeOf(run: RunRecord, tree: Node | undefined, runId: string, path: Path): Addressee {
  const question = run.questions.get(path)?.at(-1);
  if (question !== undefined && (question.answer !== undefined || !run.completed.has(path)))
    return toQuestion(question, runId, path);
  const answered = run.answered.get(path);
  if (answered !== undefined) throw answeredBefore(runId, path, answered);
  const awaited = run.awaited.get(path);
  const closed = awaited?.due;
  if (tree === undefined) {
    if (awaited === undefined) throw nothingWaits(run, runId, path);
    if (awaited.kind === "human" && awaited.answer === undefined)
      return { to: path, schema: approvalSchema, once: true, closed: closingOf(awaited) };
    throw new SignalRefusedError(
      "unasked",
      `what run ${runId} waits for at ${path} is no approval, and without its pipeline nobody can tell whether an answer fits`,
      { runId, path, hint: "Name the file of the pipeline: --file FILE" },
    );
  }
  const place = placeAt(tree, path);
  if (place?.kind === "humanInTheLoop" && !path.includes("[]")) {
    const until = awaited && closingOf({ ...awaited, rounds: place.rounds.length });
    return { to: path, schema: schemaOf(place), once: true, closed: until };
  }
  if (place?.kind === "waitFor") return { to: path, schema: schemaOf(place), once: false, closed };
  throw nothingWaits(run, runId, path, place);
}

function toQuestion(question: Question, runId: string, path: Path): Addressee {
  if (question.answer !== undefined) throw answeredBefore(runId, path, question.answered);
  const schema = question.asks === "approval" ? approvalSchema : outcomeSchema;
  return { to: questionPath(path, question.seq), schema, once: true, closed: closingOf(question) };
}

const schemaOf = (place: HumanNode | WaitNode): Schema =>
  place.kind === "waitFor" ? (place.schema ?? anything) : (place.answer ?? approvalSchema);

/** @param own the id of the signal just sent: one before it was faster. */
async function refuseSecond(
  { store }: Post,
  runId: string,
  path: Path,
  { to, schema, once, closed }: Addressee,
  own: string | undefined,
): Promise<void> {
  if (!once) return;
  const first = await firstAnswer(await store.signals(runId), to, schema, closed);
  if (first === undefined || first.id === own) return;
  throw answeredBefore(runId, path, { at: first.at, by: first.by, late: false });
}

function nothingWaits(run: RunRecord, runId: string, path: Path, place?: Place): SignalRefusedError {
  const awaited = awaitedPaths(run);
  const open = awaited.length > 0 ? `It waits at ${awaited.join(", ")}.` : "It waits for nothing now.";
  const hint =
    place?.kind === "humanInTheLoop"
      ? `${open} A question is answered by its own path, keys included.`
      : open;
  return new SignalRefusedError("unasked", `nothing in run ${runId} waits for an answer at ${path}`, {
    runId,
    path,
    hint,
  });
}
