/**
 * A run is removed in two acts. Its folder is taken aside, under `leaving`, where nothing comes to it any more; then it is looked
 * at for the last time, and taken to `removed`, or back to where it was. Whoever needs a run that is aside puts it back: of him
 * and the process that removes it one is first, and the other one finds nothing to rename. So nobody is ever told that there is no
 * such run before it is certain, and a run whose remover has died is as it was.
 */
import { randomUUID } from "node:crypto";
import { renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { makeFolder, namesIn, syncFolder, unlessMissing } from "./disk.ts";
import { fencesIn } from "./segment.ts";
import { sentTo } from "./signals.ts";

const leavingIn = (root: string): string => join(root, "leaving");

/** Before a run's id, in the name of a folder that is aside: a name of its own for each removal. */
const markLength = randomUUID().length + 1;

/**
 * Should the process die once it has taken the folder to `removed`, the run is gone, and litter remains there.
 *
 * @param folder of the run.
 * @returns false when a newer lease was granted just before, more signals were sent than `heard`, or somebody needed the run: then
 *   the folder stands where it stood.
 */
export function removeRun(root: string, folder: string, fence: number, heard: number): boolean {
  const [leaving, removed] = [leavingIn(root), join(root, "removed")];
  makeFolder(leaving);
  makeFolder(removed);
  const mark = randomUUID();
  const aside = join(leaving, `${mark}.${basename(folder)}`);
  const gone = join(removed, mark);
  renameSync(folder, aside);
  const isLast = fencesIn(aside).at(-1) === fence && sentTo(aside) <= heard;
  if (!(isLast && move(aside, gone))) {
    move(aside, folder);
    return false;
  }
  for (const changed of [removed, leaving, dirname(folder)]) syncFolder(changed); // else it might be put back after power loss
  rmSync(gone, { recursive: true, force: true });
  return true;
}

/** Whether there is a run in this folder, also if it has to be put back there. */
export const isThere = (root: string, folder: string): boolean =>
  hasRun(folder) || putBack(root, folder) || hasRun(folder); // somebody else may just have put it back

const hasRun = (folder: string): boolean => fencesIn(folder).length > 0;

/** Puts a run's folder back where it was. False: it is not aside. */
function putBack(root: string, folder: string): boolean {
  const leaving = leavingIn(root);
  const name = namesIn(leaving)?.find((one) => one.slice(markLength) === basename(folder));
  return name !== undefined && move(join(leaving, name), folder);
}

/** Puts back all that removers have left aside that have died. */
export function putAllBack(root: string): void {
  for (const name of namesIn(leavingIn(root)) ?? [])
    putBack(root, join(root, "runs", name.slice(markLength)));
}

/** False: it is not there any more. */
const move = (from: string, to: string): boolean =>
  unlessMissing(() => {
    renameSync(from, to);
    return true;
  }) ?? false;
