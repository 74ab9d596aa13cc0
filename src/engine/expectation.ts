/** What a place waits for that only somebody outside can give: a person's answer, an event. */
import { decode, encode } from "../core/codec.ts";
import type { EntryOf } from "../core/entries.ts";
import { InvalidOutputError, placed, recordError, reviveError, TimeoutError } from "../core/errors.ts";
import { schemaFact } from "../core/fingerprint.ts";
import type { Path } from "../core/paths.ts";
import { check, misfit, type Schema } from "../core/schema.ts";
import type { Awaited, Round, WayOut } from "../core/waiting.ts";
import type { Signal } from "../ports/store.ts";
import type { Frame } from "./frame.ts";
import { Interruption } from "./interruption.ts";
import type { Tenure } from "./tenure.ts";
import { type Kept, keep, type Value } from "./values.ts";

/** What is waited for, and until when. */
export interface Expectation {
  readonly path: Path;
  readonly kind: "human" | "signal";
  /** The kind of the place. */
  readonly place: string;
  readonly schema: Schema;
  /** The schema the author gave. */
  readonly given: Schema | undefined;
  /** What is asked, in words; and what helps to decide. Made once, when nothing has been sent yet. */
  readonly words: () => Promise<{ readonly prompt: string; readonly context?: unknown }>;
  readonly rounds: readonly Round[];
  readonly wayOut: WayOut | undefined;
}

/**
 * The first fitting signal sent to a place; or, once its time is up, its way out. A signal sent before the time was up
 * counts, however late the run is resumed.
 *
 * @throws Interruption while there is neither; TimeoutError when the way out is to fail.
 */
export async function expected(what: Expectation, input: Value, frame: Frame): Promise<Value> {
  const { path, rounds } = what;
  const { tenure } = frame;
  const { run, journal, world } = tenure;
  const done = run.completed.get(path);
  if (done !== undefined) return { json: done.output, ref: done.seq };
  const failed = run.failures.get(path);
  if (failed !== undefined && failed.seq > frame.freshFrom) throw reviveError(failed.error, tenure.runId);
  frame.stop.check();
  const asked = run.awaited.get(path);
  const taken = await firstFitting(what, asked, tenure);
  if (taken !== undefined) {
    const { id, by, at } = taken.signal;
    return received(path, taken.kept, { id, ...(by === undefined ? {} : { by }), sentAt: at }, tenure);
  }
  if (asked === undefined) throw await ask(what, tenure);
  const { due } = asked;
  if (due === undefined || world.now() < due) throw suspended(what, due);
  const next = rounds[asked.round + 1];
  if (next !== undefined) {
    const until = dueOf(next, world.now());
    journal.put({
      type: "signal-escalated",
      path,
      round: asked.round + 1,
      ...(next.assignees === undefined ? {} : { assignees: next.assignees }),
      ...(until === undefined ? {} : { due: until }),
    });
    throw suspended(what, until);
  }
  try {
    return await received(path, await valueInstead(what, asked), { late: true }, tenure);
  } catch (error) {
    if (error instanceof Interruption) throw error;
    const failure = placed(error, path);
    const attempt = (run.attempts.get(path) ?? 0) + 1;
    const took = world.now() - asked.at;
    const record = recordError(failure, path);
    journal.put({
      type: "step-failed",
      path,
      kind: what.place,
      attempt,
      in: input.ref,
      error: record,
      took,
    });
    throw failure;
  }
}

type Origin = Pick<EntryOf<"signal-received">, "id" | "by" | "sentAt" | "late">;

async function received(path: Path, kept: Kept, origin: Origin, { journal }: Tenure): Promise<Value> {
  const seq = journal.put({ type: "signal-received", path, output: kept.entry, ...origin }, kept.blob);
  await journal.sync();
  return { json: kept.json, ref: seq };
}

/** Signals that do not fit were refused when they were sent; whoever got past that changes nothing. */
async function firstFitting(
  what: Expectation,
  asked: Awaited | undefined,
  tenure: Tenure,
): Promise<{ readonly signal: Signal; readonly kept: Kept } | undefined> {
  const { path, schema } = what;
  const closed = closing(what, asked);
  for (const signal of await tenure.signalsAt(path)) {
    if (closed !== undefined && signal.at >= closed) continue;
    if (!tenure.claim(signal.id)) continue;
    const answer = await check(schema, decode(signal.data));
    if (answer.ok) return { signal, kept: keep(answer.value, `answer to ${path}`, path) };
    tenure.disclaim(signal.id);
  }
  return undefined;
}

/** From when on nothing is taken any more: the time of those who are asked last. Until then more people may answer. */
function closing({ rounds }: Expectation, asked: Awaited | undefined): number | undefined {
  return asked === undefined || asked.round + 1 < rounds.length ? undefined : asked.due;
}

async function ask(what: Expectation, { journal, world }: Tenure): Promise<Interruption> {
  const { path, kind, given, rounds } = what;
  const { prompt, context } = await what.words();
  const [first] = rounds;
  const due = dueOf(first, world.now());
  journal.put({
    type: "signal-awaited",
    path,
    prompt,
    ...(kind === "signal" ? { kind } : {}),
    ...(first?.assignees === undefined ? {} : { assignees: first.assignees }),
    ...(context === undefined ? {} : { context: encode(context, `context of ${path}`, path).json }),
    ...(given === undefined ? {} : { answer: schemaFact(given) }),
    ...(due === undefined ? {} : { due }),
  });
  return suspended(what, due);
}

const dueOf = (round: Round | undefined, now: number): number | undefined =>
  round?.ms === undefined ? undefined : now + round.ms;

const suspended = ({ path, kind }: Expectation, due: number | undefined): Interruption =>
  Interruption.suspended([{ path, kind, ...(due === undefined ? {} : { due }) }]);

/** @throws TimeoutError where there is nothing instead; InvalidOutputError when it does not fit. */
async function valueInstead({ path, kind, schema, wayOut }: Expectation, asked: Awaited): Promise<Kept> {
  if (wayOut === undefined) {
    const what = kind === "human" ? "nobody has answered" : "nothing has been sent to";
    const since = new Date(asked.at).toISOString();
    throw new TimeoutError(`${what} ${path} in time: it was waited for since ${since}`, {
      path,
      retryable: true,
      hint: "Resuming the run asks anew. To go on without an answer, give the place an onTimeout or a fallback.",
    });
  }
  const answer = await check(schema, wayOut.value);
  if (!answer.ok) throw new InvalidOutputError(misfit("answer", path, answer.issues), { path });
  return keep(answer.value, `answer to ${path}`, path);
}
