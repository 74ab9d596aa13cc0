/** The shared ledger: all accounts in one value, so that each change is atomic over all of them. */
import { type Account, decide, type LedgerAnswer, type LedgerRequest } from "../../core/account.ts";
import { StoreCorruptError } from "../../core/errors.ts";
import { change, type Place, present } from "./versions.ts";

interface Ledger {
  readonly accounts: readonly Account[];
}

const placeIn = (folder: string): Place => ({ folder, name: "ledger", damaged });

export const accountsIn = (folder: string): readonly Account[] =>
  present<Ledger>(placeIn(folder))?.accounts ?? [];

/** Decides a request on all accounts as they are. */
export function changeLedger(folder: string, request: LedgerRequest, synced: boolean): LedgerAnswer {
  return change<Ledger, LedgerAnswer>(placeIn(folder), synced, (ledger) => {
    const accounts = new Map(ledger?.accounts.map((account) => [account.scope, account]));
    const { answer, changed } = decide((scope) => accounts.get(scope), request);
    if (changed.length === 0) return { answer };
    for (const account of changed) accounts.set(account.scope, account);
    return { answer, value: { accounts: [...accounts.values()] } };
  });
}

const damaged = (path: string): StoreCorruptError =>
  new StoreCorruptError(`the ledger file ${path} is damaged`, {
    hint: "Restore it from a copy. The journals of the runs say what each of them spent.",
  });
