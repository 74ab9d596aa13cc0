/**
 * The shared ledger: all accounts in one file, `ledger/ledger-00000012.json` of version 12. A change makes the next
 * version, which one process can; who comes second reads again and decides anew. So each change is atomic over all
 * accounts and all processes.
 *
 * Old versions are removed, lowest first. A process that slept may therefore make a version that there was before, and
 * must not believe it. Its version counts when the very one it was decided on is still there: had its own number been
 * used and removed, that one would have been removed earlier.
 */
import { randomUUID } from "node:crypto";
import { closeSync, fdatasyncSync } from "node:fs";
import { join } from "node:path";
import { type Account, decide, type LedgerAnswer, type LedgerRequest } from "../../core/account.ts";
import { StoreCorruptError } from "../../core/errors.ts";
import { discard, makeFolder, makeOnce, namesIn, readIfThere, syncFolder } from "./disk.ts";
import { decodeLine, encodeLine } from "./line.ts";
import { parse } from "./segment.ts";

/** Versions kept beside the newest, for whoever is just reading one. */
const versionsKept = 16;

const pathOf = (folder: string, version: number): string =>
  join(folder, `ledger-${String(version).padStart(8, "0")}.json`);

/** The versions there are, oldest first. */
function versionsIn(folder: string): number[] {
  const found = (namesIn(folder) ?? []).map((name) => /^ledger-(\d+)\.json$/.exec(name)?.[1]);
  return found.flatMap((version) => (version === undefined ? [] : [Number(version)])).sort((a, b) => a - b);
}

interface Version {
  readonly number: number;
  /** Tells this file from one that a sleeper made in its place. */
  readonly id: string;
  readonly accounts: readonly Account[];
}

const nothing: Version = { number: 0, id: "", accounts: [] };

/** The newest version; one that has just been removed has a newer one beside it. */
function newest(folder: string): Version {
  for (;;) {
    const number = versionsIn(folder).at(-1);
    if (number === undefined) return nothing;
    const version = read(folder, number);
    if (version !== undefined) return version;
  }
}

function read(folder: string, number: number): Version | undefined {
  const line = readIfThere(pathOf(folder, number));
  if (line === undefined) return undefined;
  const body = decodeLine(line.subarray(0, -1));
  if (body === undefined) throw damaged(pathOf(folder, number));
  return { ...parse<Omit<Version, "number">>(body), number };
}

export const accountsIn = (folder: string): readonly Account[] => newest(folder).accounts;

/** Decides a request on the newest version, and makes the next one of it. */
export function changeLedger(folder: string, request: LedgerRequest, synced: boolean): LedgerAnswer {
  for (;;) {
    const base = newest(folder);
    const accounts = new Map(base.accounts.map((account) => [account.scope, account]));
    const { answer, changed } = decide((scope) => accounts.get(scope), request);
    if (changed.length === 0) return answer;
    for (const account of changed) accounts.set(account.scope, account);
    if (makeVersion(folder, base, [...accounts.values()], synced)) return answer;
  }
}

function makeVersion(folder: string, base: Version, accounts: readonly Account[], synced: boolean): boolean {
  const folders = makeFolder(folder);
  const number = base.number + 1;
  const file = makeOnce(pathOf(folder, number), encodeLine({ id: randomUUID(), accounts }));
  if (file === undefined) return false;
  try {
    if (!isFirst(folder, base)) return false;
    if (synced) fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
  if (synced) folders.forEach(syncFolder);
  for (const old of versionsIn(folder)) if (old <= number - versionsKept) discard(pathOf(folder, old));
  return true;
}

/** Whether the version just made on `base` is the first of its number. The first of all has no other to go by. */
function isFirst(folder: string, base: Version): boolean {
  if (base.number === 0) return (versionsIn(folder).at(-1) ?? 0) <= versionsKept;
  return read(folder, base.number)?.id === base.id;
}

const damaged = (path: string): StoreCorruptError =>
  new StoreCorruptError(`the ledger file ${path} is damaged`, {
    hint: "Restore it from a copy. The journals of the runs say what each of them spent.",
  });
