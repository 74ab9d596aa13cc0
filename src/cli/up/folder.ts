/** What an application folder serves: the pipelines that its files export. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { bare } from "../../core/node.ts";
import { rootOf } from "../../engine/root.ts";
import { CommandError } from "../letter.ts";
import { loadModule } from "../load/module.ts";
import { overlayPath, underOverlay } from "../load/overlay.ts";
import { isStep, type Loaded } from "../load/pipeline.ts";

/** A pipeline by its name. */
export interface Offered extends Loaded {
  readonly name: string;
}

/** What a folder holds. */
export interface Inventory {
  readonly pipelines: readonly Offered[];
  /** Files that were to be served and cannot be, with why. */
  readonly broken: readonly { readonly file: string; readonly error: unknown }[];
}

/** A file to be looked into; one that was `named` is to export a pipeline. */
interface Candidate {
  readonly file: string;
  readonly named: boolean;
}

const isModule = (name: string): boolean =>
  /\.[cm]?[jt]sx?$/.test(name) && !/^\.|\.(d|test|spec|config)\.[cm]?[jt]sx?$/.test(name);

/**
 * Loads the pipelines of a folder, each with what its overlay has in force.
 *
 * @param named files, and folders of files, to look into. Default: those of the folder, and of `pipelines` in it, that
 *   name Flujo and export something; the others are not even loaded.
 * @throws CommandError for a name of nothing, and for two pipelines of one name.
 */
export const pipelinesIn = (
  folder: string,
  named: string | readonly string[] | undefined,
): Promise<Inventory> => inventoryOf(folder, named, underOverlay);

/** The same as they are written. @throws CommandError */
export const writtenIn = (
  folder: string,
  named: string | readonly string[] | undefined,
): Promise<Inventory> => inventoryOf(folder, named, async (one) => one);

async function inventoryOf(
  folder: string,
  named: string | readonly string[] | undefined,
  finished: (one: Offered) => Promise<Offered>,
): Promise<Inventory> {
  const candidates = named === undefined ? usual(folder) : [named].flat().flatMap((name) => at(folder, name));
  const pipelines = new Map<string, Offered>();
  const broken: { readonly file: string; readonly error: unknown }[] = [];
  const steps = new Set<unknown>();
  for (const { file, named } of candidates) {
    let offered: readonly Offered[];
    try {
      offered = await offeredBy(file);
    } catch (error) {
      broken.push({ file, error });
      continue;
    }
    if (named && offered.length === 0) broken.push({ file, error: exportsNone(file) });
    for (const one of offered) {
      if (steps.has(one.step)) {
        // The same pipeline, exported again by another file: it is of the one that has its overlay.
        if (existsSync(overlayPath(file))) pipelines.set(one.name, one);
        continue;
      }
      steps.add(one.step);
      const other = pipelines.get(one.name);
      if (other !== undefined) throw twoOf(other, one, folder);
      pipelines.set(one.name, one);
    }
  }
  const ready: Offered[] = [];
  for (const one of pipelines.values()) {
    try {
      ready.push(await finished(one));
    } catch (error) {
      broken.push({ file: one.file, error });
    }
  }
  return { pipelines: ready, broken };
}

function usual(folder: string): Candidate[] {
  const files = [...modulesIn(folder), ...modulesIn(join(folder, "pipelines"))];
  return files.filter(mayOffer).map((file) => ({ file, named: false }));
}

/** Whether a file may export a pipeline, by its text: a script that only uses Flujo is not to be run. */
function mayOffer(file: string): boolean {
  const text = readFileSync(file, "utf8");
  return /["'`]flujo(\/[\w-]+)?["'`]/.test(text) && /\bexports?\b/.test(text);
}

function at(folder: string, name: string): Candidate[] {
  const path = resolve(folder, name);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) {
    throw new CommandError(
      "cannot-load",
      `pipelines in flujo.config.ts names ${name}, and there is no ${path}`,
      "Name files, or folders of files, as the folder of flujo.config.ts sees them.",
    );
  }
  if (found.isDirectory()) return modulesIn(path).map((file) => ({ file, named: false }));
  return [{ file: path, named: true }];
}

/** The modules directly in a folder, by name; none where there is no such folder. */
function modulesIn(folder: string): string[] {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return [];
  const files = readdirSync(folder, { withFileTypes: true });
  return files
    .filter((entry) => entry.isFile() && isModule(entry.name))
    .map(({ name }) => join(folder, name))
    .sort();
}

/** The pipelines a file exports. Of several of one name the default counts, then the one exported as `pipeline`. */
async function offeredBy(file: string): Promise<readonly Offered[]> {
  const module = await loadModule(file);
  const names = Object.keys(module).sort((a, b) => rankOf(a) - rankOf(b));
  const offered = new Map<string, Offered>();
  for (const name of names) {
    const step = module[name];
    if (!isStep(step) || bare(step.node).kind !== "pipeline") continue;
    const { pipeline } = rootOf(step.node);
    const one = { name: pipeline.name, step, node: step.node, file, export: name };
    const other = offered.get(one.name);
    if (other === undefined) offered.set(one.name, one);
    else if (rankOf(name) === last && other.step !== step) throw twoOf(other, one, "");
  }
  return [...offered.values()];
}

const ranks = ["default", "pipeline"];
const last = ranks.length;
const rankOf = (name: string): number => (ranks.includes(name) ? ranks.indexOf(name) : last);

const exportsNone = (file: string): CommandError =>
  new CommandError(
    "no-pipeline",
    `${file} exports no pipeline`,
    'Export one: export default pipeline("name", …);',
  );

function twoOf(one: Offered, other: Offered, folder: string): CommandError {
  const where = ({ file, export: name }: Offered): string => `${relative(folder, file)} (${name})`;
  return new CommandError(
    "cannot-load",
    `two pipelines have the name "${one.name}": ${where(one)} and ${where(other)}`,
    "Rename one of them, or say in flujo.config.ts which files are served: pipelines: [ … ]",
  );
}
