/** What is kept beside the runs: blobs by their hash, and cached results. */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import type { Blob, CacheRecord } from "../../ports/store.ts";
import { exists, readIfThere, replace, syncFolder } from "./disk.ts";
import { decodeLine, encodeLine } from "./line.ts";
import { parse } from "./segment.ts";

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** A hash in hex is a fine file name; anything else is hashed into one. */
function blobPath(root: string, hash: string): string {
  const name = /^[0-9a-f]{16,128}$/.test(hash) ? hash : sha256(hash);
  return join(root, "blobs", name.slice(0, 2), name);
}

/** Blobs this process knows to be safe; past so many it forgets them, and looks again. */
const maxRemembered = 10_000;

/** A function that makes blobs last. One that is there already is not written again. */
export function blobKeeper(root: string, synced: boolean): (blob: Blob) => void {
  const safe = new Set<string>();
  return ({ hash, text }) => {
    if (safe.has(hash)) return;
    const path = blobPath(root, hash);
    if (!exists(path)) replace(path, Buffer.from(text), synced);
    else if (synced) syncFolder(dirname(path)); // whoever put it there may be about to
    if (safe.size >= maxRemembered) safe.clear();
    safe.add(hash);
  };
}

export const blob = (root: string, hash: string): string | undefined =>
  readIfThere(blobPath(root, hash))?.toString();

const cachePath = (root: string, key: string): string => join(root, "cache", `${sha256(key)}.json`);

/** A damaged record is none: a cache may forget. */
export function cacheGet(root: string, key: string, now: number): CacheRecord | undefined {
  const line = readIfThere(cachePath(root, key))?.subarray(0, -1);
  const body = line && decodeLine(line);
  const record = body && parse<CacheRecord>(body);
  return record?.expiresAt !== undefined && record.expiresAt <= now ? undefined : record;
}

export function cachePut(root: string, key: string, record: CacheRecord): void {
  replace(cachePath(root, key), encodeLine(record), false);
}
