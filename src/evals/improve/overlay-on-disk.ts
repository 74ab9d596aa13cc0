/** Overlay files on disk: `q3.overlay.json` beside `q3.ts`. Written whole or not at all, by one process at a time. */
import { open, readFile, rename, unlink } from "node:fs/promises";
import { basename } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { InvalidOptionError } from "../../core/errors.ts";
import { emptyOverlayFile, type OverlayFile } from "./overlay-file.ts";
import { isRunnable } from "./overlay-shape.ts";
import { jsonIn } from "./untrusted.ts";

/**
 * Reads an overlay file; one that is not there says nothing.
 *
 * ```ts
 * const { pipelines } = await readOverlayFile("pipelines/greet.overlay.json");
 * ```
 *
 * @throws InvalidOptionError that says what is wrong with it.
 */
export async function readOverlayFile(path: string): Promise<OverlayFile> {
  const text = await textOf(path);
  if (text === undefined) return emptyOverlayFile;
  const { read } = await import("./patch-schema.ts"); // brings a schema library
  return read("overlay", text, basename(path));
}

/**
 * The same, for whoever only puts in force what it holds: evidence is not looked at.
 *
 * @throws InvalidOptionError
 */
export async function readRunnable(path: string): Promise<OverlayFile> {
  const text = await textOf(path);
  const json = text === undefined ? undefined : jsonIn(text, basename(path));
  return json !== undefined && isRunnable(json) ? json : readOverlayFile(path); // which says what is wrong
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined; // Node's errors have a code
    throw new InvalidOptionError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Changes an overlay file: reads it, and puts what comes of it in its place, in one move. Whoever reads it meanwhile reads the
 * old one or the new one.
 *
 * @throws InvalidOptionError while another process is at it.
 */
export async function changeOverlayFile(
  path: string,
  change: (file: OverlayFile) => OverlayFile | Promise<OverlayFile>,
): Promise<OverlayFile> {
  const lock = `${path}.lock`;
  const held = await taken(lock);
  try {
    const file = await change(await readOverlayFile(path));
    // The lock becomes the file: nobody can have taken it in between.
    await held.writeFile(`${JSON.stringify(file, null, 2)}\n`);
    await held.sync();
    await held.close();
    await rename(lock, path);
    return file;
  } catch (error) {
    await held.close().catch(() => {});
    await unlink(lock).catch(() => {});
    throw error;
  }
}

/** Others are waited for so often, and so many milliseconds each time. */
const tries = 50;
const pauseMs = 20;

/** The lock, which only one can make. */
async function taken(lock: string) {
  for (let left = tries; ; left -= 1) {
    try {
      return await open(lock, "wx");
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
        throw new InvalidOptionError(`${lock} cannot be written: ${(error as Error).message}`, {
          cause: error,
        });
      }
      if (left === 0) {
        throw new InvalidOptionError(`another process is changing ${basename(lock, ".lock")}`, {
          hint: `Try again. If no other flujo is at work, one was ended in the middle: remove ${lock}.`,
        });
      }
      await pause(pauseMs);
    }
  }
}
