/** The few things one can trust a file system with, and how to make each of them last. */
import { randomUUID } from "node:crypto";
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { systemCode } from "./faults.ts";

export const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** The file's bytes; undefined when it is not there. */
export function readIfThere(path: string): Buffer | undefined {
  return unlessMissing(() => readFileSync(path));
}

/** The names in a folder; undefined when it is not there. */
export function namesIn(folder: string): string[] | undefined {
  return unlessMissing(() => readdirSync(folder));
}

/** What work comes to; undefined when a file or folder it needs is not there. */
export function unlessMissing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (systemCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes all bytes at a place of an open file; the system may take them in parts. */
export function writeAt(file: number, bytes: Buffer, position: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(file, bytes, done, bytes.length - done, position + done);
}

/** Makes the names in a folder last. Where folders cannot be synced (Windows), the file system sees to it. */
export function syncFolder(folder: string): void {
  try {
    const file = openSync(folder, "r");
    try {
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (!["EISDIR", "EPERM", "EINVAL", "EACCES"].includes(systemCode(error) ?? "")) throw error;
  }
}

/** Makes a folder where it is missing, and names the folders to sync so that it lasts. */
export function makeFolder(folder: string): string[] {
  const first = mkdirSync(folder, { recursive: true });
  const above = first === undefined ? folder : dirname(first);
  const changed = [folder];
  for (let at = folder; at !== above && at !== dirname(at); at = dirname(at)) changed.push(dirname(at));
  return changed;
}

/** The same in a folder that must be there. */
export function makeFolderIn(folder: string, name: string): string[] {
  const made = join(folder, name);
  try {
    mkdirSync(made);
  } catch (error) {
    if (systemCode(error) !== "EEXIST") throw error;
    return [made];
  }
  return [made, folder];
}

/** Puts a whole file in its place: a reader sees the old one or the new one, never a part. */
export function replace(path: string, bytes: Buffer, synced: boolean): void {
  const folders = makeFolder(dirname(path));
  const { draft, file } = makeDraft(path);
  try {
    try {
      writeAt(file, bytes, 0);
      if (synced) fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    discard(draft);
    throw error;
  }
  if (synced) folders.forEach(syncFolder);
}

/**
 * Makes a file that must not exist, with its content, in one act: of several processes one succeeds, and nobody ever
 * sees the file without what it says. The caller syncs it.
 *
 * @returns the open file; undefined when there is one already.
 */
export function makeOnce(path: string, bytes: Buffer): number | undefined {
  const { draft, file } = makeDraft(path);
  try {
    writeAt(file, bytes, 0);
    linkSync(draft, path);
    return file;
  } catch (error) {
    closeSync(file);
    if (systemCode(error) === "EEXIST") return undefined;
    throw error;
  } finally {
    discard(draft);
  }
}

function makeDraft(path: string): { draft: string; file: number } {
  const draft = join(dirname(path), `.${randomUUID()}.draft`);
  return { draft, file: openSync(draft, "wx+") };
}

export function discard(path: string): void {
  try {
    unlinkSync(path);
  } catch {} // a left-over is only litter
}
