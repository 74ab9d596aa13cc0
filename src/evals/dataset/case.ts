import { hash } from "node:crypto";
import { canonical } from "../../core/canonical.ts";
import { isJsonObject, type Json, type JsonObject } from "../../core/json.ts";

/** The parts a dataset falls into: to learn from, to choose by, to prove with. */
export type Split = "train" | "validation" | "test";
export const splits: readonly Split[] = ["train", "validation", "test"];

/** One case of a dataset: what a pipeline is given, and what should come of it. */
export interface Case {
  /** Unique in its dataset. Default: a hash of what is asked and expected. */
  readonly id: string;
  readonly input: Json;
  /** Absent where scorers need none. */
  readonly expected?: Json;
  /** What cases have in common that makes them alike: a document, a customer, a conversation. Default: each stands alone. */
  readonly cluster?: string;
  /** Slices that are reported by themselves. */
  readonly tags?: readonly string[];
  /** Default: by a hash of the cluster, or of the id. */
  readonly split?: Split;
}

const fields = ["id", "input", "expected", "cluster", "tags", "split"];
const longestName = 200;

/** What a record of a file says as a case, or what is wrong with it: all of it, each with its field where it has one. */
export type ReadCase =
  | { readonly ok: true; readonly value: Case }
  | { readonly ok: false; readonly faults: readonly CaseFault[] };
export interface CaseFault {
  readonly field?: string;
  readonly what: string;
}

/** Reads one record. */
export function readCase(record: Json): ReadCase {
  if (!isJsonObject(record)) {
    return { ok: false, faults: [{ what: `a case is an object with an input, not ${kindOf(record)}` }] };
  }
  const faults = [...unknownFields(record), ...wrongFields(record)];
  if (faults.length > 0) return { ok: false, faults };
  const { id, input, expected, cluster, tags, split } = record;
  return {
    ok: true,
    value: {
      id: id === undefined ? contentId(record) : String(id),
      input: input as Json, // wrongFields has seen it
      ...(expected === undefined ? {} : { expected }),
      ...(cluster === undefined ? {} : { cluster: String(cluster) }),
      ...(tags === undefined ? {} : { tags: [...new Set(tags as readonly string[])] }), // as above
      ...(split === undefined ? {} : { split: split as Split }),
    },
  };
}

/** The id of a case that was given none. */
export function contentId({ input, expected }: JsonObject): string {
  const content = expected === undefined ? { input } : { input, expected };
  return hash("sha256", canonical(content as JsonObject)).slice(0, 12); // undefined fields are left out
}

function unknownFields(record: JsonObject): CaseFault[] {
  return Object.keys(record)
    .filter((field) => !fields.includes(field))
    .map((field) => ({ field, what: `a case has no field "${field}"; it has ${fields.join(", ")}` }));
}

function wrongFields({ id, input, cluster, tags, split }: JsonObject): CaseFault[] {
  const faults: CaseFault[] = [];
  if (input === undefined) faults.push({ what: "the input is missing" });
  for (const [field, name] of [
    ["id", id],
    ["cluster", cluster],
  ] as const) {
    if (name !== undefined && !isName(name)) {
      faults.push({ field, what: `${field} is a text of 1 to ${longestName} characters, or a number` });
    }
  }
  if (
    tags !== undefined &&
    !(Array.isArray(tags) && tags.every((tag) => typeof tag === "string" && isName(tag)))
  ) {
    faults.push({ field: "tags", what: "tags are a list of texts, none of them empty" });
  }
  if (split !== undefined && !splits.some((one) => one === split)) {
    faults.push({ field: "split", what: `split is ${splits.join(", ")}, not ${JSON.stringify(split)}` });
  }
  return faults;
}

const isName = (value: Json): boolean =>
  Number.isFinite(value) ||
  (typeof value === "string" && value !== "" && value.length <= longestName && value.isWellFormed());

const kindOf = (value: Json): string =>
  value === null ? "null" : Array.isArray(value) ? "a list" : `a ${typeof value}`;
