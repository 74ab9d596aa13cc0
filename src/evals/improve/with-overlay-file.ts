import { basename } from "node:path";
import { FlujoError, InvalidOptionError } from "../../core/errors.ts";
import { nodeOf, type Step } from "../../core/step.ts";
import { rootOf } from "../../engine/root.ts";
import { withOverlay } from "../../engine/with-overlay.ts";
import { documentOf, type Values, valuesOf } from "./document.ts";
import { patchesInForce, standing } from "./overlay-file.ts";
import { readRunnable } from "./overlay-on-disk.ts";
import type { PatchFile } from "./patch-file.ts";

/**
 * The pipeline with the patches over it that an overlay file has in force for it: what `flujo run` does, for programs.
 *
 * ```ts
 * const flujo = new Flujo(await withOverlayFile(greet, "pipelines/greet.overlay.json"));
 * ```
 *
 * @param path of the file; one that is not there has nothing in force.
 * @throws InvalidOptionError when the file is none, or the pipeline is not what a patch was made for any more.
 */
export const withOverlayFile = async <In, Out, State>(
  step: Step<In, Out, State>,
  path: string,
): Promise<Step<In, Out, State>> => (await underOverlayFile(step, path)).step;

/** The same, and which patches these are. */
export async function underOverlayFile<In, Out, State>(
  step: Step<In, Out, State>,
  path: string,
): Promise<{ readonly step: Step<In, Out, State>; readonly patches: readonly PatchFile[] }> {
  const file = await readRunnable(path);
  const { name } = rootOf(nodeOf(step, "what withOverlayFile was given")).pipeline;
  const patches = patchesInForce(file, name);
  if (patches.length === 0) return { step, patches };
  try {
    const { overlay } = standing(patches, valuesOf(documentOf(step)) as Values); // by place and field
    return { step: await withOverlay(step, overlay), patches };
  } catch (error) {
    if (!FlujoError.isInstance(error)) throw error;
    const file = basename(path);
    throw new InvalidOptionError(`${file} does not fit the pipeline "${name}" any more: ${error.message}`, {
      hint: `The source has been edited since. Take the patches back (flujo improve revert --all) and improve it anew, or undo the edit.`,
      cause: error,
    });
  }
}
