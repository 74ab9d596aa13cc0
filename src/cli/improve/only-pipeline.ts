import { relative } from "node:path";
import { CommandError } from "../letter.ts";
import { type Loaded, loadPipeline } from "../load/pipeline.ts";
import type { Settings } from "../settings.ts";
import { pipelinesIn } from "../up/folder.ts";

/**
 * The pipeline that is named, or the only one of the folder, as `flujo up` finds it.
 *
 * @throws CommandError when there is none, or several.
 */
export async function onlyPipeline(
  settings: Settings,
  { pipeline: file, export: name }: { readonly pipeline?: string; readonly export?: string },
): Promise<Loaded> {
  if (file !== undefined) return loadPipeline(file, name);
  const folder = process.cwd();
  const { pipelines, broken } = await pipelinesIn(folder, settings.pipelines);
  const [first, second] = pipelines;
  if (first !== undefined && second === undefined) return first;
  if (first !== undefined) {
    const names = pipelines.map(({ name, file }) => `${name} (${relative(folder, file)})`).join(", ");
    throw new CommandError(
      "no-pipeline",
      `this folder has several pipelines: ${names}`,
      `Say which: --pipeline ${relative(folder, first.file)}`,
    );
  }
  const [fault] = broken;
  if (fault !== undefined) throw fault.error;
  throw new CommandError(
    "no-pipeline",
    "there is no pipeline in this folder, or in its folder pipelines",
    "Say which to improve: --pipeline FILE",
  );
}
