/** What of an overlay file a run goes by, looked at without a schema library: that takes longer to load than to run. */
import { isJsonObject, type Json } from "../../core/json.ts";
import type { OverlayFile } from "./overlay-file.ts";

/** Whether patches of a file can be put in force. Evidence is not looked at. */
export const isRunnable = (file: Json): file is Json & OverlayFile =>
  isJsonObject(file) &&
  file.version === 1 &&
  isJsonObject(file.pipelines) &&
  Object.values(file.pipelines).every((entries) => Array.isArray(entries) && entries.every(isEntry));

function isEntry(entry: Json): boolean {
  if (!isJsonObject(entry)) return false;
  if (entry.kind === "reverted") return typeof entry.id === "string";
  const { patch: file } = entry;
  if (entry.kind !== "applied" || !isJsonObject(file)) return false;
  return typeof file.id === "string" && Array.isArray(file.patch) && file.patch.every(isOperation);
}

function isOperation(operation: Json): boolean {
  if (!isJsonObject(operation)) return false;
  const { op, path, value } = operation;
  const isChange = op === "test" || op === "add" || op === "replace" ? value !== undefined : op === "remove";
  return isChange && typeof path === "string" && wholeField.test(path);
}

/** A pointer to a field of a place. */
export const wholeField = /^\/[^/]+\/[^/]+$/;
