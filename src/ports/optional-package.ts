import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MissingPackageError } from "../core/errors.ts";

/**
 * Imports an optional package: as Flujo itself sees it, else as the user's folder does, because Flujo may be
 * installed globally.
 *
 * @throws MissingPackageError naming the command that installs it.
 */
export async function importPackage(name: string, folder = process.cwd()): Promise<Record<string, unknown>> {
  const places = [
    () => name,
    () => pathToFileURL(createRequire(join(folder, "package.json")).resolve(name)).href,
  ];
  for (const place of places) {
    try {
      const module: unknown = await import(place());
      if (isRecord(module)) return module;
    } catch (error) {
      if (!isMissing(error, name)) {
        throw new MissingPackageError(
          `the package ${name} is installed but does not load: ${String(error)}`,
          {
            cause: error,
            hint: `npm install ${name}@latest`,
          },
        );
      }
    }
  }
  throw new MissingPackageError(`the package ${name} is not installed`, { hint: `npm install ${name}` });
}

/** Missing itself, not one of the packages it needs. */
const isMissing = (error: unknown, name: string): boolean =>
  isRecord(error) &&
  (error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND") &&
  String(error.message).includes(`'${name}'`);

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
