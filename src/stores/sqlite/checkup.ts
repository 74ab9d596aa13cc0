import { StoreCorruptError } from "../../core/errors.ts";
import { storeError } from "./faults.ts";
import { inspect, quietly } from "./open.ts";

/**
 * Looks the database of a store through, as before it is copied; only reads, and makes nothing. Gigabytes take seconds,
 * in which this process does nothing else.
 *
 * ```ts
 * import { checkUp } from "flujo/sqlite";
 *
 * checkUp(".flujo/flujo.db");
 * ```
 *
 * @throws StoreCorruptError for one that is damaged, or none of ours, and StoreNewerError.
 */
export function checkUp(path: string): void {
  const { DatabaseSync } = quietly(() => process.getBuiltinModule("node:sqlite"));
  try {
    const db = new DatabaseSync(path, { readOnly: true });
    try {
      inspect(db, path);
      const found = db.prepare("PRAGMA quick_check(1)").get()?.quick_check;
      if (found !== "ok") {
        throw new StoreCorruptError(`${path} is damaged: ${found}`, {
          hint: "Restore it from a copy, or save what can be read: sqlite3 FILE .recover",
        });
      }
    } finally {
      db.close();
    }
  } catch (error) {
    throw storeError(error, path);
  }
}
