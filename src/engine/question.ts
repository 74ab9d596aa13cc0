/** What an operation asks a person, at its own path. */
import { decode } from "../core/codec.ts";
import type { Question } from "../core/fold.ts";
import { type Path, questionPath } from "../core/paths.ts";
import { check, type Schema } from "../core/schema.ts";
import type { Attempt } from "./durable.ts";
import { Interruption } from "./interruption.ts";
import { keep, open } from "./values.ts";

/** Writes the question down. @throws Interruption: the run waits. */
export function askPerson({ tenure }: Attempt, path: Path, asks: Question["asks"], prompt: string): never {
  tenure.journal.put({ type: "signal-awaited", path, prompt, asks });
  throw Interruption.suspended([{ path, kind: "human" }]);
}

/**
 * The answer to a question: as recorded, or the first fitting one sent to it by now, recorded.
 *
 * @throws Interruption when there is none yet.
 */
export async function answerTo<T>(
  { tenure }: Attempt,
  path: Path,
  question: Question,
  schema: Schema<unknown, T>,
): Promise<T> {
  const { journal, store } = tenure;
  if (question.answer !== undefined) return (await open(question.answer, store)) as T; // recorded below
  for (const signal of await tenure.signalsAt(questionPath(path, question.seq))) {
    const answer = await check(schema, decode(signal.data));
    if (!answer.ok) continue; // refused when it was sent; whoever got past that changes nothing
    const kept = keep(answer.value, `answer to ${path}`, path);
    const { by, at: sentAt } = signal;
    const from = { ...(by === undefined ? {} : { by }), sentAt };
    journal.put(
      { type: "question-answered", path, of: question.seq, output: kept.entry, ...from },
      kept.blob,
    );
    await journal.sync();
    return answer.value as T; // as its schema says
  }
  throw Interruption.suspended([{ path, kind: "human" }]);
}
