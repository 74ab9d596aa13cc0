import * as nodeModule from "node:module";

let done = false;

/** From now on `flujo` means this Flujo, whoever imports it, and imports of a TypeScript file find it by its usual names. */
export function redirect(): void {
  if (done) return;
  done = true;
  hushStripping();
  nodeModule.registerHooks({
    resolve(specifier, context, next) {
      if (specifier === "flujo" || specifier.startsWith("flujo/")) {
        return next(specifier, { ...context, parentURL: import.meta.url }); // a package may import itself by name
      }
      const found = resolveLoosely(specifier, (name) => next(name, context));
      return isUsersTypeScript(found.url) ? { ...found, format: "module-typescript" } : found;
    },
  });
}

/** Whatever `type` the package.json around it says: a pipeline's file has imports and exports. */
const isUsersTypeScript = (url: string): boolean =>
  /^file:.*\.ts$/.test(url) && !url.includes("/node_modules/");

/** `./steps` and `./steps.js` may stand for `./steps.ts`, as bundlers and `tsc` have taught people to write. */
function resolveLoosely<T>(specifier: string, resolve: (name: string) => T): T {
  try {
    return resolve(specifier);
  } catch (error) {
    if (!/^(\.|\/|file:)/.test(specifier)) throw error;
    for (const name of namesFor(specifier)) {
      try {
        return resolve(name);
      } catch {} // the first error names what the user wrote
    }
    throw error;
  }
}

function namesFor(specifier: string): readonly string[] {
  const script = /\.([cm]?)js$/.exec(specifier);
  if (script) return [specifier.replace(/\.([cm]?)js$/, ".$1ts")];
  return [".ts", ".mts", ".js", ".mjs", "/index.ts", "/index.js"].map((end) => specifier + end);
}

/** Older Nodes warn that stripping types is experimental; that one warning is kept from the user, no other. */
function hushStripping(): void {
  const emitWarning = process.emitWarning;
  process.emitWarning = (...warning: [string | Error, ...unknown[]]): void => {
    if (!/^Type Stripping is an experimental feature/.test(String(warning[0])))
      Reflect.apply(emitWarning, process, warning);
  };
}
