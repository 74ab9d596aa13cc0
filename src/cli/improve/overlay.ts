/** The overlay of a pipeline, as the commands of `flujo improve` look at it and change it. */
import { basename } from "node:path";
import type { Command } from "commander";
import type { AnyStep } from "../../core/step.ts";
import { rootOf } from "../../engine/root.ts";
import { documentOf, type Values, valuesOf } from "../../evals/improve/document.ts";
import { type OverlayFile, withApplied } from "../../evals/improve/overlay-file.ts";
import { changeOverlayFile, readOverlayFile } from "../../evals/improve/overlay-on-disk.ts";
import type { PatchFile } from "../../evals/improve/patch-file.ts";
import { overlayPath } from "../load/overlay.ts";
import type { Loaded } from "../load/pipeline.ts";
import { readSettings } from "../settings.ts";
import { onlyWritten, type PipelineFlags } from "./only-pipeline.ts";

/** A pipeline as it is written, and the file of its overlay. */
export interface Overlaid {
  readonly written: Loaded;
  /** The pipeline's name. */
  readonly name: string;
  /** The values as they are written. */
  readonly base: Values;
  readonly path: string;
  readonly file: OverlayFile;
}

/** Which pipeline a command is about. */
export const aboutPipeline = (command: Command): Command =>
  command
    .option("--pipeline <file>", "the pipeline (default: the only one of this folder)")
    .option("--export <name>", "the export of that file (default: default, or pipeline)");

/** @param name of the pipeline, where it is known. */
export async function overlaidPipeline(flags: PipelineFlags, name?: string): Promise<Overlaid> {
  const written = await onlyWritten(await readSettings({}), flags, name);
  const path = overlayPath(written.file);
  const file = await readOverlayFile(path);
  return { written, name: rootOf(written.node).pipeline.name, base: baseOf(written.step), path, file };
}

const baseOf = (step: AnyStep): Values => valuesOf(documentOf(step)) as Values; // by place and field

/**
 * Puts a patch in force over a pipeline.
 *
 * @returns a sentence.
 * @throws InvalidOptionError when it does not fit, was not promoted, or is in force already.
 */
export async function putInForce(
  { base, path }: Pick<Overlaid, "base" | "path">,
  patch: PatchFile,
  { force = false }: { readonly force?: boolean } = {},
): Promise<string> {
  await changeOverlayFile(path, (file) => withApplied(file, patch, { at: now(), base, force }));
  return `The patch ${patch.id} is in force for "${patch.pipeline}": ${basename(path)} has it, beside the source, which stays as it is.`;
}

export const now = (): string => new Date().toISOString();
