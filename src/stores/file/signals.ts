/** The signals of a run: `signals/00000001.json` and so on, in the order they were sent. */
import { closeSync, fdatasyncSync } from "node:fs";
import { join } from "node:path";
import { StoreCorruptError } from "../../core/errors.ts";
import type { Signal } from "../../ports/store.ts";
import { makeFolderIn, makeOnce, namesIn, readIfThere, syncFolder, unlessMissing } from "./disk.ts";
import { decodeLine, encodeLine } from "./line.ts";
import { parse } from "./segment.ts";

const signalsIn = (folder: string): string => join(folder, "signals");

/**
 * Each place can be taken once. Whoever finds it taken looks again: perhaps by the same signal.
 *
 * @returns false when the run's folder is taken away at this moment: it is not made anew for a signal.
 */
export function send(folder: string, signal: Signal, synced: boolean): boolean {
  return unlessMissing(() => keep(folder, signal, synced)) ?? false;
}

function keep(folder: string, signal: Signal, synced: boolean): true {
  const folders = makeFolderIn(folder, "signals");
  for (;;) {
    const sent = signals(folder);
    if (sent.some(({ id }) => id === signal.id)) return true;
    const place = String(sent.length + 1).padStart(8, "0");
    const file = makeOnce(join(signalsIn(folder), `${place}.json`), encodeLine(signal));
    if (file === undefined) continue;
    try {
      if (synced) fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
    if (synced) unlessMissing(() => folders.forEach(syncFolder)); // whoever takes the folder away now has counted it
    return true;
  }
}

/** How many signals a run was sent. */
export const sentTo = (folder: string): number => placesIn(folder).length;

const placesIn = (folder: string): string[] =>
  (namesIn(signalsIn(folder)) ?? []).filter((name) => /^\d+\.json$/.test(name));

/** @throws StoreCorruptError naming the file. */
export function signals(folder: string): Signal[] {
  const found: Signal[] = [];
  for (const name of placesIn(folder).sort()) {
    const path = join(signalsIn(folder), name);
    const line = readIfThere(path);
    if (line === undefined) return signals(folder); // the folder was taken away in between, and is perhaps back by now
    const body = decodeLine(line.subarray(0, -1));
    if (body === undefined) {
      throw new StoreCorruptError(`the signal file ${path} is damaged`, {
        hint: "Restore it from a copy, or delete it and send the signal again.",
      });
    }
    found.push(parse<Signal>(body));
  }
  return found;
}
