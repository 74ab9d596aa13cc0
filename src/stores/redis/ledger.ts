import { type Account, decide, type LedgerAnswer, type LedgerRequest } from "../../core/account.ts";
import { isRunId } from "../../core/paths.ts";
import type { AccountFilter } from "../../ports/store.ts";
import { chosenAccounts, defaultAccountLimit } from "../../ports/store-rules.ts";
import type { Argument, Connection, Reply } from "./connection.ts";
import { tooBusy } from "./faults.ts";
import * as scripts from "./scripts.ts";

/** Accounts as they were when they were looked at, also those that were not there. */
export type Seen = ReadonlyMap<string, { readonly version: number; readonly account?: Account }>;

/**
 * Decides on what it sees, and has it kept if that still stands; else decides anew on what stands now. Somebody gets through
 * each time, and of one process only one request at a time takes part.
 */
export async function ledger(db: Connection, request: LedgerRequest): Promise<LedgerAnswer> {
  const owner = request.kind === "hold" ? request : undefined;
  if (owner !== undefined && !isRunId(owner.runId)) return { outcome: "fenced" };
  let seen = await see(db, scopesOf(request));
  for (const _ of attempts()) {
    const { answer, changed } = decide((scope) => seen.get(scope)?.account, request);
    if (changed.length === 0 && owner === undefined) return answer;
    const keys = [...accountKeys(db), ...(owner === undefined ? [] : [db.keys.run(owner.runId)])];
    const args = [...accountArguments(seen, changed), ...(owner === undefined ? [] : [owner.fence])];
    const [outcome, now] = (await db.script(scripts.settle, keys, args)) as readonly Reply[]; // that script's
    if (outcome === "kept") return answer;
    if (outcome === "fenced") return { outcome: "fenced" };
    seen = seenIn([...seen.keys()], now as readonly Reply[]); // as above
  }
  throw tooBusy();
}

/** A try each, and an end to them: only very many processes that change one account could come to it. */
export function* attempts(): Generator<number> {
  for (let attempt = 1; attempt <= mostAttempts; attempt += 1) yield attempt;
  throw tooBusy();
}
const mostAttempts = 1_000;

export async function see(db: Connection, scopes: readonly string[]): Promise<Seen> {
  if (scopes.length === 0) return new Map();
  const bodies = await db.call("HMGET", db.keys.accounts, ...scopes);
  return seenIn(scopes, bodies as readonly Reply[]); // an answer for each field
}

export const seenIn = (scopes: readonly string[], bodies: readonly Reply[]): Seen =>
  new Map(
    scopes.map((scope, i) => {
      const body = bodies[i];
      return [scope, typeof body === "string" ? versioned(body) : { version: 0 }];
    }),
  );

function versioned(body: string): { readonly version: number; readonly account: Account } {
  const space = body.indexOf(" ");
  // What was stored as an account comes back as one.
  return { version: Number(body.slice(0, space)), account: JSON.parse(body.slice(space + 1)) as Account };
}

/** In the order in which scripts expect them. */
export const accountKeys = ({ keys: { accounts, scopes, held } }: Connection): readonly string[] => [
  accounts,
  scopes,
  held,
];

/** What scripts take of accounts: which were seen in which version, and what becomes of some of them. */
export const accountArguments = (seen: Seen, changed: readonly Account[]): readonly Argument[] => [
  seen.size,
  ...[...seen].flatMap(([scope, { version }]) => [scope, version]),
  changed.length,
  ...changed.flatMap((account) => {
    const { scope, holds } = account;
    const version = (seen.get(scope)?.version ?? 0) + 1;
    return [scope, holds.length, `${version} ${JSON.stringify(account)}`];
  }),
];

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

export async function accounts(db: Connection, filter: AccountFilter): Promise<readonly Account[]> {
  const { scopes, heldBy, limit = defaultAccountLimit } = filter;
  const named =
    scopes !== undefined
      ? scopes
      : heldBy !== undefined
        ? await db.call("SMEMBERS", db.keys.held)
        : await db.call("ZRANGE", db.keys.scopes, 0, Math.max(limit - 1, 0));
  const seen = await see(db, [...new Set(named as readonly string[])]); // both answer with names
  const known = [...seen.values()].map(({ account }) => account);
  return chosenAccounts(
    known.filter((account) => account !== undefined),
    filter,
  );
}
