/** What is in force over the pipelines of a source file stands beside it: `q3.overlay.json` beside `q3.ts`. */
import { existsSync } from "node:fs";
import { basename, extname } from "node:path";
import { say } from "../terminal.ts";
import type { Loaded } from "./pipeline.ts";

/** `flows/q3.ts` → `flows/q3.overlay.json` */
export const overlayPath = (source: string): string =>
  `${source.slice(0, source.length - extname(source).length)}.overlay.json`;

/**
 * The pipeline with the patches over it that are in force for it, which is said.
 *
 * @throws InvalidOptionError when they do not fit it any more.
 */
export async function underOverlay<One extends Loaded>(loaded: One): Promise<One> {
  const path = overlayPath(loaded.file);
  if (!existsSync(path)) return loaded;
  const { underOverlayFile } = await import("../../evals/improve/with-overlay-file.ts");
  const { step, patches } = await underOverlayFile(loaded.step, path);
  if (patches.length === 0) return loaded;
  const ids = patches.map(({ id }) => id).join(", ");
  say(`${basename(path)} is in force: ${patches.length === 1 ? "the patch" : "the patches"} ${ids}.`);
  return { ...loaded, step, node: step.node };
}
