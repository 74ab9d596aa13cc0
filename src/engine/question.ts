/** What an operation asks a person, at its own path. */
import { decode } from "../core/codec.ts";
import { questionPath } from "../core/paths.ts";
import type { Question } from "../core/run-record.ts";
import { check, type Schema } from "../core/schema.ts";
import { closingOf, type Words } from "../core/waiting.ts";
import type { Attempt } from "./durable.ts";
import { asking, type Inquiry, instead } from "./inquiry.ts";
import { type Kept, keep, open } from "./values.ts";

/** A question whose answer is a `T`. */
export interface OperationInquiry<T> extends Inquiry {
  readonly asks: Question["asks"];
  readonly schema: Schema<unknown, T>;
}

/** Writes the question down. @throws Interruption: the run waits. */
export function askPerson({ tenure }: Attempt, inquiry: OperationInquiry<unknown>, words: Words): never {
  throw asking(inquiry, words, { asks: inquiry.asks }, tenure);
}

/**
 * The answer to a question: as recorded; or the first fitting one sent to it in time, recorded; or, once its time is up,
 * what is declared for that.
 *
 * @throws Interruption when there is none yet; TimeoutError when there will be none.
 */
export async function answerTo<T>(
  attempt: Attempt,
  inquiry: OperationInquiry<T>,
  question: Question,
): Promise<T> {
  const { tenure } = attempt;
  const { path, schema } = inquiry;
  if (question.answer !== undefined) return (await open(question.answer, tenure.store)) as T; // recorded below
  const closed = closingOf(question);
  for (const signal of await tenure.mail.at(questionPath(path, question.seq))) {
    if (closed !== undefined && signal.at >= closed) continue;
    const answer = await check(schema, decode(signal.data));
    if (!answer.ok) continue; // refused when it was sent; whoever got past that changes nothing
    const { by, at: sentAt } = signal;
    const kept = keep(answer.value, `answer to ${path}`, path);
    return answered(attempt, inquiry, question, kept, { ...(by === undefined ? {} : { by }), sentAt });
  }
  const kept = await instead(inquiry, question, tenure);
  return answered(attempt, inquiry, question, kept, { late: true });
}

async function answered<T>(
  { tenure: { journal, store } }: Attempt,
  { path }: OperationInquiry<T>,
  { seq }: Question,
  kept: Kept,
  from: { readonly by?: string; readonly sentAt?: number; readonly late?: true },
): Promise<T> {
  journal.put({ type: "question-answered", path, of: seq, output: kept.entry, ...from }, kept.blob);
  await journal.sync();
  return (await open(kept.json, store)) as T; // as its schema says
}
