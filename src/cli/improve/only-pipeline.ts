import { relative } from "node:path";
import { rootOf } from "../../engine/root.ts";
import { CommandError } from "../letter.ts";
import { underOverlay } from "../load/overlay.ts";
import { type Loaded, loadWritten } from "../load/pipeline.ts";
import type { Settings } from "../settings.ts";
import { writtenIn } from "../up/folder.ts";

export interface PipelineFlags {
  readonly pipeline?: string;
  readonly export?: string;
}

/**
 * The pipeline that is named, or the only one of the folder, as `flujo up` finds it; what its overlay has in force is over it.
 *
 * @throws CommandError when there is none, or several; InvalidOptionError for an overlay that does not fit.
 */
export const onlyPipeline = async (settings: Settings, flags: PipelineFlags): Promise<Loaded> =>
  underOverlay(await onlyWritten(settings, flags));

/**
 * The same as it is written.
 *
 * @param name of the pipeline, where it is known: then it may be one of several.
 * @throws CommandError
 */
export async function onlyWritten(
  settings: Settings,
  { pipeline: file, export: exported }: PipelineFlags,
  name?: string,
): Promise<Loaded> {
  if (file !== undefined) {
    const loaded = await loadWritten(file, exported);
    const found = rootOf(loaded.node).pipeline.name;
    if (name === undefined || found === name) return loaded;
    throw new CommandError(
      "no-pipeline",
      `${file} has the pipeline "${found}", and the patch is one of "${name}"`,
    );
  }
  const folder = process.cwd();
  const { pipelines, broken } = await writtenIn(folder, settings.pipelines);
  const wanted = name === undefined ? pipelines : pipelines.filter((one) => one.name === name);
  const [first, second] = wanted;
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined) {
    const names = wanted.map(({ name, file }) => `${name} (${relative(folder, file)})`).join(", ");
    throw new CommandError(
      "no-pipeline",
      `this folder has several pipelines: ${names}`,
      `Say which: --pipeline ${relative(folder, first.file)}`,
    );
  }
  const [fault] = broken;
  if (fault !== undefined) throw fault.error;
  const which = name === undefined ? "no pipeline" : `no pipeline "${name}"`;
  throw new CommandError(
    "no-pipeline",
    `there is ${which} in this folder, or in its folder pipelines`,
    "Say which: --pipeline FILE",
  );
}
