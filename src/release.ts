/** Which package and commit code is of, read from files: no git is asked. */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Release } from "./core/outline.ts";

const known = new Map<string, Release | undefined>();

/**
 * The package and commit that a folder belongs to; undefined where neither is known. Looked up once per folder.
 *
 * @param folder where the code is. Default: the working directory.
 */
export function releaseAt(folder: string = process.cwd()): Release | undefined {
  const at = resolve(folder);
  if (!known.has(at)) {
    const name = nearest(at, packageIn);
    const commit = nearest(at, commitIn);
    const release = {
      ...(name === undefined ? {} : { package: name }),
      ...(commit === undefined ? {} : { commit }),
    };
    known.set(at, name === undefined && commit === undefined ? undefined : release);
  }
  return known.get(at);
}

/** What the innermost folder from here upward says. */
function nearest<T>(folder: string, look: (folder: string) => T | undefined): T | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const found = look(at);
    if (found !== undefined || dirname(at) === at) return found;
  }
}

function packageIn(folder: string): string | undefined {
  const text = read(join(folder, "package.json"));
  if (text === undefined) return undefined;
  try {
    const { name, version } = JSON.parse(text) as { name?: unknown; version?: unknown }; // looked at below
    if (typeof name !== "string") return undefined;
    return typeof version === "string" ? `${name}@${version}` : name;
  } catch {
    return undefined;
  }
}

function commitIn(folder: string): string | undefined {
  const git = gitFolder(folder);
  const head = git && read(join(git, "HEAD"))?.trim();
  if (git === undefined || head === undefined) return undefined;
  const ref = /^ref: (refs\/\S+)$/.exec(head)?.[1];
  if (ref === undefined) return hashIn(head);
  // A worktree keeps its HEAD apart, and shares the refs.
  const shared = read(join(git, "commondir"))?.trim();
  const folders = shared === undefined ? [git] : [git, resolve(git, shared)];
  for (const one of folders) {
    const commit = hashIn(read(join(one, ref))) ?? packed(read(join(one, "packed-refs")), ref);
    if (commit !== undefined) return commit;
  }
  return undefined;
}

/** `.git` is a folder, or a file that says where it is. */
function gitFolder(folder: string): string | undefined {
  const at = join(folder, ".git");
  if (read(join(at, "HEAD")) !== undefined) return at;
  const elsewhere = /^gitdir: (.+)$/m.exec(read(at) ?? "")?.[1];
  return elsewhere === undefined ? undefined : resolve(folder, elsewhere.trim());
}

const packed = (list: string | undefined, ref: string): string | undefined =>
  hashIn(list?.split("\n").find((line) => line.endsWith(` ${ref}`)));

const hashIn = (text: string | undefined): string | undefined => /^[0-9a-f]{40,64}\b/.exec(text ?? "")?.[0];

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined; // not there, or not ours to read: then nobody knows
  }
}
