/** What a start opens: its time is mostly files, Node's dear modules and code that nobody calls, and these can be counted. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { bin, Folder } from "./command.ts";

const root = join(import.meta.dirname, "../..");

/** Runs before the program, and says at its end what was opened by then. */
const watch = `
import { writeFileSync } from "node:fs";
import { registerHooks } from "node:module";
const bare = new Set(process.moduleLoadList);
const files = [];
registerHooks({ load: (url, context, next) => { files.push(url); return next(url, context); } });
process.on("exit", () => {
  const builtins = process.moduleLoadList.filter((name) => !bare.has(name));
  writeFileSync(process.env.OPENED, JSON.stringify({ files, builtins }));
});
`;

interface Opened {
  /** Files, from the root of the repository, their hashes left out. */
  readonly files: readonly string[];
  /** Sources of src/ that are in them. */
  readonly sources: readonly string[];
  /** Modules of Node, of those a bare start has not. */
  readonly builtins: readonly string[];
}

function opened(...args: readonly string[]): Opened {
  const folder = new Folder();
  const report = join(folder.path, "opened.json");
  const preload = pathToFileURL(folder.write("watch.mjs", watch)).href;
  const store = `sqlite:${join(folder.path, "flujo.db")}`;
  const { FORCE_COLOR: _, ...env } = process.env;
  execFileSync(process.execPath, ["--import", preload, ...args], {
    cwd: root,
    env: { ...env, OPENED: report, FLUJO_STORE: store },
    stdio: "pipe",
  });
  const { files, builtins } = JSON.parse(readFileSync(report, "utf8"));
  const paths = files.filter((url: string) => url.startsWith("file:")).map(pathOf);
  return {
    files: paths.map((path: string) => path.replace(/-[\w-]{8}\.js$/, ".js")),
    sources: paths.flatMap(sourcesIn),
    builtins: builtins.map((name: string) => name.replace(/^NativeModule /, "")),
  };
}

const pathOf = (url: string): string => relative(root, fileURLToPath(url)).replaceAll("\\", "/");

/** What a built file was made of, by its source map. A door that hands on has none. */
function sourcesIn(path: string): readonly string[] {
  if (!existsSync(join(root, `${path}.map`))) return [];
  const { sources } = JSON.parse(readFileSync(join(root, `${path}.map`), "utf8"));
  return sources.map((source: string) => source.replace(/^(\.\.\/)+/, ""));
}

/** Thirty milliseconds for `http`, which brings a whole client along; two to four for each of the others. */
const dear = ["http", "undici", "child_process", "worker_threads", "internal/util/parse_args/parse_args"];
const dearIn = ({ builtins }: Opened): readonly string[] =>
  builtins.filter((name) => dear.some((one) => name.split("/").includes(one) || name === one));

/** What most runs never call. */
const laterSources =
  /^src\/(server|evals|telemetry|schedules|client|testing|events\/sinks|stores\/file|cli\/(up|evals|lens))\/|closed-network|pipeline-schedules|cli\/commands\/(?!run\.ts)/;
const laterIn = ({ sources }: Opened): readonly string[] =>
  sources.filter((source) => laterSources.test(source));

const importing = (): Opened => opened("--input-type=module", "-e", 'await import("flujo")');
const running = (): Opened => opened(bin, "run", "examples/hello.ts", "--input", "Flujo");

test('import "flujo" opens two files, and no package', () => {
  expect(importing().files).toEqual(["dist/index.js", "dist/chunks/engine.js"]);
});

test("flujo run opens its own files, the store and the pipeline, and no package", () => {
  expect(running().files.toSorted()).toEqual([
    "bin/flujo.js",
    "dist/chunks/engine.js",
    "dist/chunks/run.js",
    "dist/cli/main.js",
    "dist/index.js",
    "dist/stores/sqlite.js",
    "examples/hello.ts",
  ]);
});

test("neither loads code for what it was not asked", () => {
  const [imported, run] = [importing(), running()];
  expect(imported.sources).toContain("src/flujo.ts");
  expect(run.sources).toContain("src/cli/commands/run.ts");
  expect(laterIn(imported)).toEqual([]);
  expect(laterIn(run)).toEqual([]);
});

test("neither loads the modules of Node that are dear", () => {
  const [imported, run] = [importing(), running()];
  expect(imported.builtins).toContain("crypto");
  expect(run.builtins).toContain("sqlite");
  expect(dearIn(imported)).toEqual([]);
  expect(dearIn(run)).toEqual([]);
});

test("the watch sees what it is there to find", () => {
  const found = opened(
    "--input-type=module",
    "-e",
    'import "node:http"; import "flujo/evals"; import "jose";',
  );
  expect(dearIn(found)).toContain("http");
  expect(laterIn(found)).not.toEqual([]);
  expect(found.files.some((file) => file.startsWith("node_modules/jose/"))).toBe(true);
});
