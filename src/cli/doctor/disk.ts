import { accessSync, constants, existsSync, statfsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Finding, findingsOn } from "./finding.ts";

const about = findingsOn("disk");

/** By Linux's numbers for them (statfs(2)): where locks do not hold, or syncs do not reach a disk. */
const shares: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB"],
  [0x01021997, "9P"],
  [0x0000564c, "NCP"],
  [0x5346414f, "AFS"],
  [0x00c36400, "Ceph"],
]);
const inMemory: ReadonlyMap<number, string> = new Map([
  [0x01021994, "tmpfs"],
  [0x858458f6, "ramfs"],
]);

const gigabyte = 2 ** 30;

/** The disk that a file or folder is on, or will be. */
export function disk(path: string): Finding[] {
  const place = firstThere(resolve(path));
  const { type, bavail, bsize } = statfsSync(place);
  return [writing(place), kind(place, type), space(place, bavail * bsize)];
}

/** The path itself, or the folder above it that there is. */
const firstThere = (path: string): string =>
  existsSync(path) || path === dirname(path) ? path : firstThere(dirname(path));

function writing(place: string): Finding {
  try {
    accessSync(place, constants.W_OK);
    return about.fine(`${place} may be written`);
  } catch {
    return about.fault(
      `${place} may not be written`,
      "Change its rights, or name another place with --store.",
    );
  }
}

function kind(place: string, type: number): Finding {
  const share = process.platform === "linux" ? shares.get(type) : undefined;
  const memory = process.platform === "linux" ? inMemory.get(type) : undefined;
  if (share !== undefined) {
    return about.fault(
      `${place} is on a network share (${share}), where locks do not hold`,
      "Keep the store on a local disk, or in Postgres: --store postgres://…",
    );
  }
  return memory === undefined
    ? about.fine(`${place} is on no network share`)
    : about.advice(
        `${place} is in memory (${memory}): it is gone when the machine stops`,
        "Keep the store on a disk.",
      );
}

function space(place: string, bytes: number): Finding {
  const free = `${place} has ${(bytes / gigabyte).toFixed(1)} GB free`;
  const remedy = "Make room, or remove old runs: flujo lens prune.";
  if (bytes < gigabyte / 10) return about.fault(free, remedy);
  return bytes < gigabyte ? about.advice(free, remedy) : about.fine(free);
}
