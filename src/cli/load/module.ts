/**
 * Loads the user's TypeScript as it is. `flujo` in it means this very Flujo, so that steps, errors and schemas are of one
 * instance. Node's own type stripping does it where it can; a file that needs more goes through jiti.
 */
import { statSync } from "node:fs";
import * as nodeModule from "node:module";
import { extname } from "node:path";
import { pathToFileURL } from "node:url";
import { CommandError } from "../letter.ts";
import { loadFault } from "./fault.ts";
import { redirect } from "./redirect.ts";

export type Module = { readonly [name: string]: unknown };

/** Syntax that is more than types: enums, parameter properties, namespaces, decorators, JSX. */
const beyondStripping = new Set(["ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX", "ERR_UNKNOWN_FILE_EXTENSION"]);
const nativeExtensions = new Set([".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"]);

/** @throws CommandError that names the file, and where in it something is wrong. */
export async function loadModule(file: string): Promise<Module> {
  checkFile(file);
  try {
    if (!canStrip() || !nativeExtensions.has(extname(file))) return await loadWithJiti(file);
    redirect();
    return (await import(pathToFileURL(file).href)) as Module; // a module is an object of its exports
  } catch (error) {
    if (!beyondStripping.has((error as { code?: string }).code ?? "")) throw await faultOf(error, file);
  }
  try {
    return await loadWithJiti(file);
  } catch (error) {
    throw loadFault(error, file);
  }
}

function checkFile(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw new CommandError("cannot-load", `there is no file ${file}`);
  if (!found.isFile())
    throw new CommandError(
      "cannot-load",
      `${file} is not a file`,
      "Name the file that exports the pipeline.",
    );
}

/** Node from 22.18 strips types, and from 22.15 lets `flujo` be redirected in the same thread. */
function canStrip(): boolean {
  return Boolean(process.features.typescript) && "registerHooks" in nodeModule;
}

const doors = [
  "flujo",
  "flujo/memory",
  "flujo/file",
  "flujo/sqlite",
  "flujo/postgres",
  "flujo/redis",
  "flujo/pg-boss",
  "flujo/bullmq",
  "flujo/restate",
  "flujo/sinks",
  "flujo/telemetry",
  "flujo/evals",
  "flujo/testing",
];

async function loadWithJiti(file: string): Promise<Module> {
  const { createJiti } = await import("jiti");
  const own = await Promise.all(doors.map(async (name) => [name, await ownModule(name)] as const));
  const virtualModules = Object.fromEntries(own.filter(([, module]) => module !== undefined));
  return await createJiti(file, {
    virtualModules,
    interopDefault: false,
    sourceMaps: true,
    jsx: true,
  }).import<Module>(file);
}

/** A package may import itself by name: these are the modules this command is made of. A door that does not open is left. */
async function ownModule(name: string): Promise<unknown> {
  try {
    return await import(import.meta.resolve(name));
  } catch {
    return undefined; // whoever imports it will hear why
  }
}

/** V8 keeps the place of a syntax error to itself; a parser that is asked again tells it. */
async function faultOf(error: unknown, file: string): Promise<CommandError> {
  const first = loadFault(error, file);
  if (!(error instanceof SyntaxError) || /:\d+:\d+ /.test(first.message)) return first;
  try {
    await loadWithJiti(file);
  } catch (again) {
    const second = loadFault(again, file);
    if (/:\d+:\d+ /.test(second.message)) return second;
  }
  return first;
}
