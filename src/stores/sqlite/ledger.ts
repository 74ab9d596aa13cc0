import {
  type Account,
  decide,
  type LedgerAnswer,
  type LedgerRequest,
  type Posting,
} from "../../core/account.ts";
import type { AccountFilter } from "../../ports/store.ts";
import { chosenAccounts, defaultAccountLimit } from "../../ports/store-rules.ts";
import type { Database } from "./open.ts";

const owned = "SELECT 1 FROM run WHERE id = ? AND fence = ? AND owner IS NOT NULL";
const get = "SELECT body FROM accounts WHERE scope = ?";
const put = `INSERT INTO accounts(scope, holds, body) VALUES(?, ?, ?)
  ON CONFLICT(scope) DO UPDATE SET holds = excluded.holds, body = excluded.body`;
const all = "SELECT body FROM accounts ORDER BY scope LIMIT ?";
const held = "SELECT body FROM accounts WHERE holds > 0";

/** One transaction: the fence is looked up where the hold is written. */
export function ledger(db: Database, request: LedgerRequest): LedgerAnswer {
  return db.write(() => {
    const isStale = request.kind === "hold" && db.get(owned, request.runId, request.fence) === undefined;
    return isStale ? { outcome: "fenced" } : change(db, request);
  });
}

/** Settles inside the transaction of a commit. */
export function post(db: Database, postings: readonly Posting[]): void {
  change(db, { kind: "settle", postings });
}

function change(db: Database, request: LedgerRequest): LedgerAnswer {
  const { answer, changed } = decide((scope) => accountIn(db.get(get, scope)), request);
  for (const account of changed) db.run(put, account.scope, account.holds.length, JSON.stringify(account));
  return answer;
}

export function accounts(db: Database, filter: AccountFilter): readonly Account[] {
  const { scopes, heldBy, limit = defaultAccountLimit } = filter;
  const rows =
    scopes !== undefined
      ? scopes.map((scope) => db.get(get, scope))
      : heldBy !== undefined
        ? db.all(held)
        : db.all(all, limit);
  return chosenAccounts(
    rows.map(accountIn).filter((account) => account !== undefined),
    filter,
  );
}

/** What was stored as an account comes back as one. */
const accountIn = (row: ReturnType<Database["get"]>): Account | undefined =>
  row === undefined ? undefined : (JSON.parse(row.body as string) as Account);
