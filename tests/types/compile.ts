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

/**
 * Compiles one source as strictly as the project's own; its imports are written as from `tests/types/`.
 *
 * @param beside other sources it imports, by file name.
 */
export function compile(
  source: string,
  beside: { readonly [name: string]: string } = {},
): readonly Diagnostic[] {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "flujo-types-"));
  try {
    writeFileSync(join(folder, "source.mts"), source.replaceAll('"../../src/', '"../../../src/'));
    for (const [name, text] of Object.entries(beside)) writeFileSync(join(folder, name), text);
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    const config = { extends: "../../../tsconfig.json", include: [], files: ["source.mts"] };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
    const tsc = join(root, "node_modules/typescript/bin/tsc");
    const { stdout, stderr, error } = spawnSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], {
      encoding: "utf8",
    });
    if (error || stderr) throw error ?? new Error(stderr);
    return diagnosticsIn(stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `source.mts(26,13): error TS2345: Argument of …` and the indented lines under it. */
function diagnosticsIn(output: string): readonly Diagnostic[] {
  const starts = [...output.matchAll(/^\S*?source\.mts\((\d+),(\d+)\): error TS\d+: /gm)];
  const elsewhere = output
    .split("\n")
    .filter((line) => / error TS\d+/.test(line) && !line.includes("source.mts("));
  if (elsewhere.length > 0) throw new Error(elsewhere.join("\n"));
  return starts.map((start, i) => ({
    line: Number(start[1]),
    column: Number(start[2]),
    message: output.slice(start.index + start[0].length, starts[i + 1]?.index).trimEnd(),
  }));
}
