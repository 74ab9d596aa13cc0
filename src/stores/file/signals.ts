/** The signals of a run: `signals/00000001.json` and so on, in the order they were sent. */
import { closeSync, fdatasyncSync } from "node:fs";
import { join } from "node:path";
import { StoreCorruptError } from "../../core/errors.ts";
import type { Signal } from "../../ports/store.ts";
import { makeFolder, makeOnce, namesIn, readIfThere, syncFolder } from "./disk.ts";
import { decodeLine, encodeLine } from "./line.ts";
import { parse } from "./segment.ts";

const signalsIn = (folder: string): string => join(folder, "signals");

/** Each place can be taken once. Whoever finds it taken looks again: perhaps by the same signal. */
export function send(folder: string, signal: Signal, synced: boolean): void {
  const folders = makeFolder(signalsIn(folder));
  for (;;) {
    const sent = signals(folder);
    if (sent.some(({ id }) => id === signal.id)) return;
    const place = String(sent.length + 1).padStart(8, "0");
    const file = makeOnce(join(signalsIn(folder), `${place}.json`), encodeLine(signal));
    if (file === undefined) continue;
    try {
      if (synced) fdatasyncSync(file);
    } finally {
      closeSync(file);
    }
    if (synced) folders.forEach(syncFolder);
    return;
  }
}

/** How many signals a run was sent. */
export const sentTo = (folder: string): number => placesIn(folder).length;

const placesIn = (folder: string): string[] =>
  (namesIn(signalsIn(folder)) ?? []).filter((name) => /^\d+\.json$/.test(name));

/** @throws StoreCorruptError naming the file. */
export function signals(folder: string): Signal[] {
  const names = placesIn(folder).sort();
  return names.map((name) => {
    const path = join(signalsIn(folder), name);
    const line = readIfThere(path)?.subarray(0, -1);
    const body = line && decodeLine(line);
    if (body === undefined) {
      throw new StoreCorruptError(`the signal file ${path} is damaged`, {
        hint: "Restore it from a copy, or delete it and send the signal again.",
      });
    }
    return parse<Signal>(body);
  });
}
