/** A patch with all that speaks for it: what `flujo improve` hands over, and what an overlay file keeps. */
import { hash } from "node:crypto";
import { canonical } from "../../core/canonical.ts";
import { InvalidOptionError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { decimalUsd } from "../../core/limits.ts";
import type { Overlay } from "../../core/overlay.ts";
import type { Split } from "../dataset/case.ts";
import { patchBetween, type Values, valuesOf } from "./document.ts";
import type { Improvement } from "./improvement.ts";
import { applied, misfitText } from "./pinned.ts";
import type { Promotion } from "./promotion.ts";

/** A patch of a pipeline, as `flujo.patch.json` has it. */
export interface PatchFile {
  readonly version: 1;
  /** A hash of the pipeline's name and the patch. */
  readonly id: string;
  readonly pipeline: string;
  /** Of the version it was made for. */
  readonly fingerprint: string;
  /** RFC 6902, over the values of the pipeline's document: first what pins the values it changes, then the changes. */
  readonly patch: Overlay;
  /** Takes it back, in the same form. */
  readonly inverse: Overlay;
  /** Absent of a patch written by hand. */
  readonly evidence?: Evidence;
}

/** What speaks for a patch, or against it. */
export interface Evidence {
  readonly dataset: { readonly name: string; readonly hash: string };
  /** How many cases each split had. */
  readonly cases: { readonly [split in Split]: number };
  readonly scorers: readonly string[];
  /** What the test split said: the gain with its interval, slices, what a case costs before and after. */
  readonly promotion: Promotion;
  /** Where it comes from: from the pipeline as it was to the patch. */
  readonly lineage: readonly Ancestor[];
  /** The model that was asked for better texts; null: rules proposed. */
  readonly reflector: string | null;
  readonly seed: number;
  /** Cases tried in the search. */
  readonly rollouts: number;
  /** What finding it cost, in US dollars. */
  readonly costUsd: string;
}

/** One of those that a patch was made of. */
export interface Ancestor {
  readonly id: string;
  readonly parents: readonly string[];
  readonly by: string;
  readonly note: string;
  /** Its mean on the validation split, from 0 to 1; absent where it was not tried there. */
  readonly score?: number;
}

/**
 * The patch of what a search has found, with its inverse; undefined when nothing was better than the pipeline as it is.
 *
 * ```ts
 * const found = await readImprovement(sqlite(".flujo/flujo.db"), "greetings-1");
 * const file = found?.improvement && patchFileOf(found.improvement);
 * console.log(file?.id, file?.evidence?.promotion.verdict);
 * ```
 */
export function patchFileOf(improvement: Improvement): PatchFile | undefined {
  const { pipeline, fingerprint, document, best, promotion, dataset, cases, scorers } = improvement;
  const { reflector, seed, search, picoUsd } = improvement;
  if (promotion === undefined) return undefined;
  const values = valuesOf(document) as Values; // by place and field
  return patchFile({ pipeline, fingerprint, values }, best.patch, {
    ...{ dataset, cases, scorers, promotion, reflector, seed },
    lineage: lineageOf(improvement),
    rollouts: search.rollouts,
    costUsd: decimalUsd(BigInt(picoUsd)),
  });
}

/**
 * A patch over the values of a pipeline.
 *
 * @throws InvalidOptionError when it does not fit the values.
 */
export function patchFile(
  { pipeline, fingerprint, values }: { pipeline: string; fingerprint: string; values: Values },
  patch: Overlay,
  evidence?: Evidence,
): PatchFile {
  const after = applied(values, patch);
  if ("misfit" in after) throw new InvalidOptionError(`the patch does not fit: ${misfitText(after.misfit)}`);
  return {
    version: 1,
    id: patchId(pipeline, patch),
    pipeline,
    fingerprint,
    patch,
    inverse: patchBetween(after.values, values),
    ...(evidence === undefined ? {} : { evidence }),
  };
}

/** @returns 12 hex digits. */
const patchId = (pipeline: string, patch: Overlay): string =>
  hash("sha256", canonical([pipeline, patch] as unknown as Json)).slice(0, 12); // a patch is JSON

/** The parents of the best, theirs, and so on: in the order they came. */
function lineageOf({ base, best, candidates }: Improvement): Ancestor[] {
  const known = new Map(
    [base, best, ...candidates.map(({ candidate }) => candidate)].map((one) => [one.id, one]),
  );
  const scores = new Map(candidates.map(({ candidate, score }) => [candidate.id, score]));
  const wanted = new Set<string>();
  const look = (id: string): void => {
    if (wanted.has(id)) return;
    wanted.add(id);
    for (const parent of known.get(id)?.parents ?? []) look(parent);
  };
  look(best.id);
  return [...known.values()]
    .filter(({ id }) => wanted.has(id))
    .sort((a, b) => rankOf(a.id, base.id, best.id) - rankOf(b.id, base.id, best.id))
    .map(({ id, parents, by, note }) => {
      const score = scores.get(id);
      return { id, parents, by, note, ...(score === undefined ? {} : { score }) };
    });
}

/** The base first, the best last, the others as they came. */
const rankOf = (id: string, base: string, best: string): number => (id === base ? 0 : id === best ? 2 : 1);

/**
 * Reads a patch file.
 *
 * ```ts
 * const text = await readFile("flujo.patch.json", "utf8"); // of node:fs/promises
 * const { patch, evidence } = await parsePatchFile(text, "flujo.patch.json");
 * ```
 *
 * @param name of the file, for messages.
 * @throws InvalidOptionError that says what is wrong with it, and where.
 */
export async function parsePatchFile(text: string, name: string): Promise<PatchFile> {
  const { read } = await import("./patch-schema.ts"); // brings a schema library
  const file = read("patch", text, name);
  if (file.id === patchId(file.pipeline, file.patch)) return file;
  throw new InvalidOptionError(`${name} has been edited: its id ${file.id} is that of another patch`, {
    hint: "Take the file as flujo improve has written it, or write a prompt into the pipeline itself.",
  });
}

/**
 * The file's text.
 *
 * ```ts
 * const found = await readImprovement(sqlite(".flujo/flujo.db"), "greetings-1");
 * const file = found?.improvement && patchFileOf(found.improvement);
 * if (file !== undefined) console.log(patchFileText(file));
 * ```
 */
export const patchFileText = (file: PatchFile): string => `${JSON.stringify(file, null, 2)}\n`;
