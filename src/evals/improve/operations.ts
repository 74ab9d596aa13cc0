/** The operations of a patch of strangers (RFC 6902): that they are such, point to what there is, and fit. */
import type { Operation } from "rfc6902";
import { isJsonObject, type Json } from "../../core/json.ts";
import type { ImprovablesDocument, Values } from "./document.ts";
import { kindOf, shown } from "./untrusted.ts";

const mostOperations = 200;

/** What is wrong, in sentences. */
export type Faults = { readonly faults: readonly string[] };

/** The operations, when each of them is one, and points to what there is. */
export function operationsIn(
  patch: Json,
  document: ImprovablesDocument,
): { readonly list: readonly Operation[] } | Faults {
  if (!Array.isArray(patch)) return { faults: [`a patch is a list of operations, not ${kindOf(patch)}`] };
  if (patch.length > mostOperations)
    return { faults: [`it has ${patch.length} operations; it takes ${mostOperations}`] };
  const faults = patch.flatMap((one: Json, i) =>
    wrongOperation(one, document).map((what) => `operation ${i + 1} ${what}`),
  );
  return faults.length > 0 ? { faults } : { list: patch as unknown as readonly Operation[] }; // each has been looked at
}

function wrongOperation(operation: Json, document: ImprovablesDocument): readonly string[] {
  if (!isJsonObject(operation)) return [`is ${kindOf(operation)}, not an object`];
  const { op, path, value, ...others } = operation;
  if (op !== "add" && op !== "replace" && op !== "remove" && op !== "test")
    return [`does ${shown(op)}; it may add, replace, remove or test`];
  const faults: string[] = [];
  const [odd] = Object.keys(others);
  if (odd !== undefined) faults.push(`has a field ${shown(odd)}, which is none of a patch`);
  if (op !== "remove" && value === undefined) faults.push("has no value");
  return [...faults, ...(typeof path === "string" ? wrongPath(path, op, document) : ["has no path"])];
}

function wrongPath(path: string, op: string, { places }: ImprovablesDocument): readonly string[] {
  if (!/^(\/([^~]|~[01])*)+$/.test(path)) return [`has the path ${shown(path)}, which is no JSON Pointer`];
  const [place = "", field, ...below] = path
    .slice(1)
    .split("/")
    .map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const fields = Object.hasOwn(places, place) ? places[place] : undefined;
  if (fields === undefined) return [`points to ${shown(place)}, where nothing can be changed`];
  if (field === undefined) return [`points to the whole of ${place}; it may change its fields`];
  const improvable = Object.hasOwn(fields, field) ? fields[field] : undefined;
  const known = Object.keys(fields).join(", ");
  if (improvable === undefined) return [`points to ${shown(field)} of ${place}, which has ${known}`];
  const odd = below.find((key) => key === "__proto__" || key === "constructor" || key === "prototype");
  if (below.length > 0 && (improvable.type !== "examples" || odd !== undefined))
    return [`points inside ${shown(field)} of ${place}; it may change it as a whole`];
  if (op === "test" || improvable.mayChange) return [];
  return [`changes ${shown(field)} of ${place}, which its owner does not let change`];
}

/** What comes of operations that are right, each upon what the one before it has left. */
export async function applying(
  base: Values,
  operations: readonly Operation[],
): Promise<{ readonly values: Values } | Faults> {
  const { applyPatch } = await import("rfc6902");
  const values = structuredClone(base);
  const failures = applyPatch(values, structuredClone(operations) as Operation[]); // both are its own
  const faults = failures.flatMap((failure, i) => {
    if (failure === null) return [];
    const { op, path } = operations[i] as Operation; // one for each
    return op === "test"
      ? [`operation ${i + 1} expects another value at ${path} than there is`]
      : [`operation ${i + 1} does not fit: there is nothing at ${path}`];
  });
  return faults.length > 0 ? { faults } : { values };
}
