/**
 * The overlay in force: patches that were applied to pipelines, in order, with what speaks for them, and those that were
 * taken back. It stands beside the pipeline's source and is reviewed as that is. Nothing is ever taken out of it.
 */
import { InvalidOptionError } from "../../core/errors.ts";
import type { Overlay } from "../../core/overlay.ts";
import { patchBetween, type Values } from "./document.ts";
import type { PatchFile } from "./patch-file.ts";
import { applied, misfitText } from "./pinned.ts";

/** What `q3.overlay.json` holds. */
export interface OverlayFile {
  readonly version: 1;
  /** By the pipeline's name, from the oldest on. */
  readonly pipelines: { readonly [pipeline: string]: readonly OverlayEntry[] };
}

export type OverlayEntry =
  | { readonly kind: "applied"; readonly at: string; readonly patch: PatchFile }
  /** `id`: the patch that was taken back. */
  | { readonly kind: "reverted"; readonly at: string; readonly id: string };

export const emptyOverlayFile: OverlayFile = { version: 1, pipelines: {} };

/** All that has happened to a pipeline, the oldest first. */
export const historyOf = ({ pipelines }: OverlayFile, pipeline: string): readonly OverlayEntry[] =>
  Object.hasOwn(pipelines, pipeline) ? (pipelines[pipeline] ?? []) : [];

/**
 * The patches in force, in the order they were applied.
 *
 * ```ts
 * const file = await readOverlayFile("pipelines/greet.overlay.json");
 * for (const { id, evidence } of patchesInForce(file, "hello")) console.log(id, evidence?.promotion.why);
 * ```
 */
export function patchesInForce(file: OverlayFile, pipeline: string): readonly PatchFile[] {
  const patches: PatchFile[] = [];
  for (const entry of historyOf(file, pipeline)) {
    if (entry.kind === "applied") patches.push(entry.patch);
    else {
      const at = patches.findLastIndex(({ id }) => id === entry.id);
      if (at >= 0) patches.splice(at, 1);
    }
  }
  return patches;
}

/** What patches make of the values of a pipeline as it is written. */
export interface Standing {
  /** One change for each field, from the values as they are written; pins are left out, they have held. */
  readonly overlay: Overlay;
  readonly values: Values;
}

/**
 * Puts patches over values, each over what the one before it has left.
 *
 * @throws InvalidOptionError when what a patch pins is not there.
 */
export function standing(patches: readonly PatchFile[], base: Values): Standing {
  let values = base;
  for (const { id, patch } of patches) {
    const after = applied(values, patch);
    if ("misfit" in after)
      throw new InvalidOptionError(`${misfitText(after.misfit)} when the patch ${id} was made`);
    values = after.values;
  }
  return { overlay: patchBetween(base, values).filter(({ op }) => op !== "test"), values };
}

/** When, and over which values: those of the pipeline as it is written. */
export interface Change {
  /** ISO date. */
  readonly at: string;
  readonly base: Values;
  /** Take also a patch that its evidence does not speak for. */
  readonly force?: boolean;
}

/**
 * The file with a patch applied.
 *
 * @throws InvalidOptionError when it is in force already, was not promoted, or does not fit what is in force.
 */
export function withApplied(
  file: OverlayFile,
  patch: PatchFile,
  { at, base, force = false }: Change,
): OverlayFile {
  const { id, pipeline, evidence } = patch;
  const patches = patchesInForce(file, pipeline);
  if (patches.some((one) => one.id === id))
    throw new InvalidOptionError(`the patch ${id} is in force already for "${pipeline}"`);
  const verdict = evidence?.promotion.verdict ?? "promote";
  if (verdict !== "promote" && !force) {
    throw new InvalidOptionError(
      `the patch ${id} was not promoted (${verdict}): ${evidence?.promotion.why}`,
      {
        hint: "Apply it against its evidence with --force, or try more cases.",
      },
    );
  }
  standing([...patches, patch], base);
  return withEntry(file, pipeline, { kind: "applied", at, patch });
}

/**
 * The file with a patch taken back.
 *
 * @param id of the patch, or its beginning. Default: the last in force.
 * @throws InvalidOptionError when there is none of that id in force, or a later one builds on it.
 */
export function withReverted(
  file: OverlayFile,
  pipeline: string,
  { at, base }: Change,
  id?: string,
): { readonly file: OverlayFile; readonly reverted: PatchFile } {
  const patches = patchesInForce(file, pipeline);
  const reverted = id === undefined ? patches.at(-1) : patchOf(patches, id);
  if (reverted === undefined) {
    const which = id === undefined ? "no patch" : `no patch ${id}`;
    const known = patches.map((one) => one.id).join(", ");
    throw new InvalidOptionError(`${which} is in force for "${pipeline}"`, {
      hint: known === "" ? "flujo improve history shows what was." : `In force: ${known}.`,
    });
  }
  const rest = patches.filter((one) => one !== reverted);
  const later = rest.slice(patches.indexOf(reverted)); // those after it
  const broken = later.find(
    (_, i) => !isFitting([...rest.slice(0, rest.length - later.length), ...later.slice(0, i + 1)], base),
  );
  if (broken !== undefined) {
    throw new InvalidOptionError(
      `the patch ${broken.id} builds on ${reverted.id}, which is to be taken back`,
      {
        hint: `Take back ${broken.id} first, or all that are in force: flujo improve revert --all.`,
      },
    );
  }
  return { file: withEntry(file, pipeline, { kind: "reverted", at, id: reverted.id }), reverted };
}

/** A patch by its id, or by the beginning of it when that is of one alone. */
export function patchOf(patches: readonly PatchFile[], id: string): PatchFile | undefined {
  const found = patches.filter((one) => one.id.startsWith(id));
  return found.find((one) => one.id === id) ?? (found.length === 1 ? found[0] : undefined);
}

function isFitting(patches: readonly PatchFile[], base: Values): boolean {
  let values = base;
  for (const { patch } of patches) {
    const after = applied(values, patch);
    if ("misfit" in after) return false;
    values = after.values;
  }
  return true;
}

const withEntry = (file: OverlayFile, pipeline: string, entry: OverlayEntry): OverlayFile => ({
  ...file,
  pipelines: { ...file.pipelines, [pipeline]: [...historyOf(file, pipeline), entry] },
});
