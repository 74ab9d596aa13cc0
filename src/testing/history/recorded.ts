import { FlujoError } from "../../core/errors.ts";
import type { Append, Store } from "../../ports/store.ts";
import { type AppendAsked, type Kind, type Kinds, lineOf } from "./call.ts";

export interface RecordedOptions {
  /** The name of this process, unlike any other's. */
  readonly process: string;
  /** A clock that all processes of the history share, and that never goes back. */
  readonly now: () => number;
  /** Must have kept the line when it returns, whatever becomes of the process. */
  readonly write: (line: string) => void;
}

/** A journal this long is not read as a whole. */
const whole = 100_000;

/** A store that writes down what is asked of it and what it answers: appends, whole journals, leases, and the shared ledger. */
export function recorded(store: Store, { process, now, write }: RecordedOptions): Store {
  let calls = 0;
  async function told<K extends Kind, T>(
    kind: K,
    asked: Kinds[K]["asked"],
    work: () => Promise<T>,
    answerOf: (answer: T) => Kinds[K]["answer"],
  ): Promise<T> {
    const id = `${process} ${calls++}`;
    const say = (answer: Kinds[K]["answer"]): void => write(`${lineOf({ id, end: now(), answer })}\n`);
    write(`${lineOf({ id, start: now(), kind, asked })}\n`);
    try {
      const answer = await work();
      say(answerOf(answer));
      return answer;
    } catch (error) {
      if (kind === "commit" && FlujoError.isInstance(error) && error.code === "store-corrupt") say("refused");
      if (isUnsent(error)) write(`${lineOf({ id, unsent: true })}\n`);
      throw error;
    }
  }
  const same = <T>(answer: T): T => answer;
  return {
    ...store,
    commit: (appends) => told("commit", appends.map(asked), () => store.commit(appends), same),
    read(runId, from, limit) {
      const work = () => store.read(runId, from, limit);
      if (from > 0 || limit < whole) return work();
      return told("read", runId, work, (entries) => entries?.map((entry) => JSON.stringify(entry)) ?? null);
    },
    acquire: (request) => told("acquire", request, () => store.acquire(request), same),
    ledger: (request) => told("ledger", request, () => store.ledger(request), same),
    accounts(filter) {
      const work = () => store.accounts(filter);
      const { scopes, heldBy } = filter;
      return scopes === undefined || heldBy !== undefined ? work() : told("accounts", scopes, work, same);
    },
  };
}

/** Nobody was there to be asked, or did not listen yet: Postgres and Redis say so while they start. */
const isUnsent = (error: unknown): boolean =>
  error instanceof Error && /ECONNREFUSED|the database system is|LOADING/.test(error.message);

const asked = ({ runId, fence, entries, postings = [] }: Append): AppendAsked => ({
  ...{ runId, fence, postings },
  from: entries[0]?.seq ?? 0,
  entries: entries.map((entry) => JSON.stringify(entry)),
});
