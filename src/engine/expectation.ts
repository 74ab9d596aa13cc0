/** What a place waits for that only somebody outside can give: a person's answer, an event. */
import { decode } from "../core/codec.ts";
import type { EntryOf } from "../core/entries.ts";
import { placed, recordError, reviveError } from "../core/error-record.ts";
import { schemaFact } from "../core/fingerprint.ts";
import type { Path } from "../core/paths.ts";
import { check, type Schema } from "../core/schema.ts";
import { type Asked, closingOf, type Words } from "../core/waiting.ts";
import type { Signal } from "../ports/store.ts";
import type { Frame } from "./frame.ts";
import { asking, type Inquiry, instead } from "./inquiry.ts";
import { Interruption } from "./interruption.ts";
import type { Tenure } from "./tenure.ts";
import { type Kept, keep, type Value } from "./values.ts";

/** What a place waits for, and until when. */
export interface Expectation extends Inquiry {
  /** The kind of the place. */
  readonly place: string;
  /** The schema the author gave. */
  readonly given: Schema | undefined;
  /** What is asked. Made once, when nothing has been sent yet. */
  readonly words: () => Promise<Words>;
}

/**
 * The first fitting signal sent to a place; or, once its time is up, its way out. A signal sent before the time was up
 * counts, however late the run is resumed.
 *
 * @throws Interruption while there is neither; TimeoutError when the way out is to fail.
 */
export async function expected(what: Expectation, input: Value, frame: Frame): Promise<Value> {
  const { path } = what;
  const { tenure } = frame;
  const { run, journal, world } = tenure;
  const done = run.completed.get(path);
  if (done !== undefined) {
    if (tenure.rehearsal !== undefined) await tenure.rehearsal.answered(what, tenure);
    return { json: done.output, ref: done.seq };
  }
  const failed = run.failures.get(path);
  if (failed !== undefined && failed.seq > frame.freshFrom) throw reviveError(failed.error, tenure.runId);
  frame.stop.check();
  const asked = run.awaited.get(path);
  const taken = await firstFitting(what, asked, tenure);
  if (taken !== undefined) {
    const { id, by, at } = taken.signal;
    return received(path, taken.kept, { id, ...(by === undefined ? {} : { by }), sentAt: at }, tenure);
  }
  if (asked === undefined) {
    const { given, words } = what;
    throw asking(what, await words(), given === undefined ? {} : { answer: schemaFact(given) }, tenure);
  }
  try {
    return await received(path, await instead(what, asked, tenure), { late: true }, tenure);
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
  asked: Asked | undefined,
  tenure: Tenure,
): Promise<{ readonly signal: Signal; readonly kept: Kept } | undefined> {
  const { path, schema } = what;
  const closed = closing(what, asked);
  for (const signal of await tenure.mail.at(path)) {
    if (closed !== undefined && signal.at >= closed) continue;
    if (!tenure.mail.claim(signal.id)) continue;
    const answer = await check(schema, decode(signal.data));
    if (answer.ok) return { signal, kept: keep(answer.value, `answer to ${path}`, path) };
    tenure.mail.disclaim(signal.id);
  }
  return undefined;
}

/** From when on nothing is taken any more, by the terms of the place as it is now. */
const closing = ({ terms: { rounds } }: Expectation, asked: Asked | undefined): number | undefined =>
  asked === undefined ? undefined : closingOf({ ...asked, rounds: rounds.length });
