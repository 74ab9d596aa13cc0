import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
// Inside the repository, so that package names resolve from there.
const cache = join(root, "node_modules/.cache");

/** One complaint of the compiler; `line` and `column` from 1. */
export interface Diagnostic {
  readonly line: number;
  readonly column: number;
  /** All its lines, from the most general to the reason. */
  readonly message: string;
}

/** Sources by file name. */
type Sources = { readonly [name: string]: string };

/** Compiles one source as strictly as the project's own; its imports are written as from `tests/types/`. */
export function compile(source: string): readonly Diagnostic[] {
  return compileAll({ "source.mts": source })("source.mts");
}

/**
 * Compiles sources, each a module of its own, in one run of the compiler.
 *
 * @param beside other sources they import.
 * @returns what the compiler says of one of them.
 */
export function compileAll(sources: Sources, beside: Sources = {}): (name: string) => readonly Diagnostic[] {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "flujo-types-"));
  const files = Object.keys(sources);
  try {
    for (const [name, text] of Object.entries({ ...beside, ...sources }))
      writeFileSync(join(folder, name), text.replaceAll('"../../src/', '"../../../src/'));
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const config = { extends: "../../../tsconfig.json", include: [], files };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { stdout, stderr, error } = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], {
      encoding: "utf8",
    });
    if (error || stderr) throw error ?? new Error(stderr);
    const complaints = diagnosticsIn(stdout);
    const elsewhere = complaints.filter(({ file }) => !files.includes(file));
    if (elsewhere.length > 0) throw new Error(stdout);
    return (name) => complaints.filter(({ file }) => file === name).map(({ diagnostic }) => diagnostic);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `source.mts(26,13): error TS2345: Argument of …` and the indented lines under it. */
function diagnosticsIn(output: string): { readonly file: string; readonly diagnostic: Diagnostic }[] {
  const starts = [...output.matchAll(/^(?:\S*\/)?([^\s(]+)\((\d+),(\d+)\): error TS\d+: /gm)];
  const told = output.match(/\berror TS\d+/g)?.length ?? 0;
  if (told !== starts.length) throw new Error(output);
  return starts.map((start, i) => ({
    file: start[1] as string, // it matched
    diagnostic: {
      line: Number(start[2]),
      column: Number(start[3]),
      message: output.slice(start.index + start[0].length, starts[i + 1]?.index).trimEnd(),
    },
  }));
}
