/** Something that is asked, at a place or by an operation: how it is written down, and what comes when its time is up. */
import { encode } from "../core/codec.ts";
import type { EntryOf } from "../core/entries.ts";
import { InvalidOutputError, TimeoutError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Path } from "../core/paths.ts";
import { check, misfit, type Schema } from "../core/schema.ts";
import type { Asked, Round, Terms, Words } from "../core/waiting.ts";
import { Interruption } from "./interruption.ts";
import type { Tenure } from "./tenure.ts";
import { type Kept, keep } from "./values.ts";

/** What is asked, and under which terms. */
export interface Inquiry {
  readonly path: Path;
  readonly kind: "human" | "signal";
  /** What fits as an answer. */
  readonly schema: Schema;
  readonly terms: Terms;
}

/** What its kind adds to the entry of a question. */
type Mark = Pick<EntryOf<"signal-awaited">, "asks" | "answer">;

/** Writes it down. Returns the interruption that has the run wait. */
export function asking(
  { path, kind, terms: { rounds } }: Inquiry,
  { prompt, context }: Words,
  mark: Mark,
  { journal, world }: Tenure,
): Interruption {
  const [first] = rounds;
  const due = dueOf(first, world.now());
  journal.put({
    type: "signal-awaited",
    path,
    prompt,
    ...mark,
    ...(kind === "signal" ? { kind } : {}),
    ...(first?.assignees === undefined ? {} : { assignees: first.assignees }),
    ...(context === undefined ? {} : { context: jsonOf(context, path) }),
    ...(due === undefined ? {} : { due }),
    ...(rounds.length > 1 ? { rounds: rounds.length } : {}),
  });
  return waitingFor({ path, kind }, due);
}

const jsonOf = (context: unknown, path: Path): Json => encode(context, `context of ${path}`, path).json;

/**
 * What is gone on with when nobody has answered: not before those who are asked have had their time, and then only when
 * nobody is left to be asked.
 *
 * @throws Interruption: it is still waited for. TimeoutError where nothing is declared; InvalidOutputError when it does not fit.
 */
export async function instead(inquiry: Inquiry, asked: Asked, { journal, world }: Tenure): Promise<Kept> {
  const { path, terms } = inquiry;
  const { due } = asked;
  if (due === undefined || world.now() < due) throw waitingFor(inquiry, due);
  const round = asked.round + 1;
  const next = terms.rounds[round];
  if (next === undefined) return declared(inquiry, asked);
  const until = dueOf(next, world.now());
  journal.put({
    type: "signal-escalated",
    path,
    of: asked.seq,
    round,
    ...(next.assignees === undefined ? {} : { assignees: next.assignees }),
    ...(until === undefined ? {} : { due: until }),
  });
  throw waitingFor(inquiry, until);
}

async function declared({ path, kind, schema, terms: { wayOut } }: Inquiry, { at }: Asked): Promise<Kept> {
  if (wayOut === undefined) {
    const what = kind === "human" ? "nobody has answered" : "nothing has been sent to";
    throw new TimeoutError(`${what} ${path} in time: it was waited for since ${new Date(at).toISOString()}`, {
      path,
      retryable: true,
      hint: "Resuming the run asks anew. To go on without an answer, give the place an onTimeout or a fallback.",
    });
  }
  const answer = await check(schema, wayOut.value);
  if (!answer.ok) throw new InvalidOutputError(misfit("answer", path, answer.issues), { path });
  return keep(answer.value, `answer to ${path}`, path);
}

const dueOf = (round: Round | undefined, now: number): number | undefined =>
  round?.ms === undefined ? undefined : now + round.ms;

const waitingFor = ({ path, kind }: Pick<Inquiry, "path" | "kind">, due: number | undefined): Interruption =>
  Interruption.suspended([{ path, kind, ...(due === undefined ? {} : { due }) }]);
