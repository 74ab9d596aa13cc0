import { randomUUID } from "node:crypto";
import { renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolder, syncFolder } from "./disk.ts";
import { fencesIn } from "./segment.ts";
import { sentTo } from "./signals.ts";

/**
 * Takes a run's folder away in one act, then removes what was in it. Should the process die in between, the run is gone, and
 * litter remains under `removed`.
 *
 * @returns false when a newer lease was granted just before, or more signals were sent than `heard`: then the folder stands
 *   where it stood.
 */
export function removeRun(root: string, folder: string, fence: number, heard: number): boolean {
  const removed = join(root, "removed");
  makeFolder(removed);
  const aside = join(removed, randomUUID());
  renameSync(folder, aside);
  if (fencesIn(aside).at(-1) !== fence || sentTo(aside) > heard) {
    renameSync(aside, folder);
    return false;
  }
  syncFolder(dirname(folder));
  rmSync(aside, { recursive: true, force: true });
  return true;
}
