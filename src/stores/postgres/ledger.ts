import { type Account, decide, type LedgerAnswer, type LedgerRequest } from "../../core/account.ts";
import { isRunId } from "../../core/paths.ts";
import type { AccountFilter, Append } from "../../ports/store.ts";
import { chosenAccounts, defaultAccountLimit } from "../../ports/store-rules.ts";
import type { Database } from "./database.ts";
import { firm } from "./syncing.ts";
import type { Client, Row } from "./transaction.ts";

/** One transaction, in which nobody else changes these accounts; the fence stands until it ends. */
export function ledger(db: Database, request: LedgerRequest): Promise<LedgerAnswer> {
  return db.transaction(async (client) => {
    // What people change is synced. Holds are as safe as the reservation that follows them.
    await client.query(
      request.kind === "amend" ? `WITH ${firm} SELECT FROM firm` : "SET LOCAL synchronous_commit = off",
    );
    const known = await shut(db, client, scopesOf(request));
    if (request.kind === "hold" && !(await isOwned(db, client, request.runId, request.fence)))
      return { outcome: "fenced" };
    return change(db, client, known, request);
  });
}

/** Adds appends, and settles what those among them settle that were added. */
export function settling(
  db: Database,
  appends: readonly Append[],
  append: (client: Client) => Promise<ReadonlySet<number>>,
): Promise<ReadonlySet<number>> {
  return db.transaction(async (client) => {
    const all = appends.flatMap(({ postings = [] }) => postings);
    // Accounts before runs, here as in a hold: nobody waits in a ring.
    const known = await shut(db, client, [...new Set(all.map(({ scope }) => scope))]);
    const added = await append(client);
    const postings = appends.flatMap(({ postings = [] }, i) => (added.has(i + 1) ? postings : []));
    await change(db, client, known, { kind: "settle", postings });
    return added;
  });
}

type Known = ReadonlyMap<string, Account>;

async function shut(db: Database, client: Client, scopes: readonly string[]): Promise<Known> {
  const rows = await client.query(`SELECT scope, body FROM ${db.schema}.shut($1)`, [scopes]);
  return new Map(rows.map((row) => [String(row.scope), accountIn(row)]));
}

async function isOwned(db: Database, client: Client, runId: string, fence: number): Promise<boolean> {
  if (!isRunId(runId)) return false;
  const sql = `SELECT 1 FROM ${db.schema}.run WHERE id = $1 AND fence = $2 AND owner IS NOT NULL FOR SHARE`;
  return (await client.query(sql, [runId, fence])).length > 0;
}

async function change(
  db: Database,
  client: Client,
  known: Known,
  request: LedgerRequest,
): Promise<LedgerAnswer> {
  const { answer, changed } = decide((scope) => known.get(scope), request);
  if (changed.length > 0) {
    await client.query(`SELECT ${db.schema}.keep($1, $2, $3)`, [
      changed.map(({ scope }) => scope),
      changed.map(({ holds }) => holds.length),
      changed.map((account) => JSON.stringify(account)),
    ]);
  }
  return answer;
}

/** All that a request may change. */
function scopesOf(request: LedgerRequest): readonly string[] {
  switch (request.kind) {
    case "hold":
      return request.accounts.map(({ scope }) => scope);
    case "settle":
      return [...new Set(request.postings.map(({ scope }) => scope))];
    case "leave":
      return request.scopes;
    case "amend":
      return [request.scope];
  }
}

export async function accounts(db: Database, filter: AccountFilter): Promise<readonly Account[]> {
  const { scopes, heldBy, limit = defaultAccountLimit } = filter;
  const all = `SELECT scope, body FROM ${db.schema}.account`;
  const rows =
    scopes !== undefined
      ? await db.query(`${all} WHERE scope = ANY ($1)`, [scopes])
      : heldBy !== undefined
        ? await db.query(`${all} WHERE holds > 0`)
        : await db.query(`${all} ORDER BY scope LIMIT $1`, [limit]);
  return chosenAccounts(rows.map(accountIn), filter);
}

/** What was stored as an account comes back as one. */
const accountIn = ({ body }: Row): Account => JSON.parse(body as string) as Account;
