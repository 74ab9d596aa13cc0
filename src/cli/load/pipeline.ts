import { resolve } from "node:path";
import type { Node } from "../../core/node.ts";
import type { Step } from "../../core/step.ts";
import { CommandError } from "../letter.ts";
import { loadModule, type Module } from "./module.ts";
import { underOverlay } from "./overlay.ts";

/** A pipeline and where it came from. */
export interface Loaded {
  // What it takes and gives is the file's business; values are checked when they come.
  readonly step: Step<unknown, unknown>;
  readonly node: Node;
  /** Absolute. */
  readonly file: string;
  readonly export: string;
}

/**
 * The pipeline of a file: the export of that name; else the default one, the one named `pipeline`, or the only one. What its
 * overlay has in force is over it.
 *
 * @throws CommandError; InvalidOptionError for an overlay that does not fit.
 */
export const loadPipeline = async (path: string, name?: string): Promise<Loaded> =>
  underOverlay(await loadWritten(path, name));

/** The same as it is written. @throws CommandError */
export async function loadWritten(path: string, name?: string): Promise<Loaded> {
  const file = resolve(path);
  const module = await loadModule(file);
  const found = name ?? choose(module, path);
  const step = module[found];
  if (!isStep(step)) throw noPipeline(module, path, `it exports no pipeline named "${found}"`);
  return { step, node: step.node, file, export: found };
}

function choose(module: Module, path: string): string {
  for (const name of ["default", "pipeline"]) if (isStep(module[name])) return name;
  const candidates = Object.keys(module).filter((name) => isStep(module[name]));
  if (candidates.length === 1) return candidates[0] as string;
  if (candidates.length === 0) throw noPipeline(module, path, "it exports no pipeline");
  throw new CommandError(
    "no-pipeline",
    `${path} exports several pipelines and steps (${candidates.join(", ")}), and none is the default or named "pipeline"`,
    `Say which: --export ${candidates[0]}`,
  );
}

function noPipeline(module: Module, path: string, what: string): CommandError {
  const names = Object.keys(module).filter((name) => module[name] !== undefined);
  const list =
    names.length === 0
      ? "nothing"
      : names.map((name) => (isStep(module[name]) ? `${name} (a pipeline)` : name)).join(", ");
  return new CommandError(
    "no-pipeline",
    `${path} cannot be run: ${what}; its exports: ${list}`,
    'Export one: export default pipeline("name", step("first", (input: string) => …));',
  );
}

/** By its shape: what else there is may come from another copy of Flujo. */
export function isStep(value: unknown): value is Step<unknown, unknown> {
  const node: unknown =
    typeof value === "object" && value !== null && "node" in value ? value.node : undefined;
  return typeof node === "object" && node !== null && "kind" in node && typeof node.kind === "string";
}
