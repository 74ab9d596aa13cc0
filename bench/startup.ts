/** What starting costs: `import "flujo"`, and the command line, beside a bare start of Node. */
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { inFolder, inTurns, node, root, timed } from "./measure.ts";

const program = (code: string) => ["--input-type=module", "-e", code];

/** What `import "flujo"` must not load: model SDKs and database drivers, by package or by Node's own name. */
const heavy =
  /\/node_modules\/(ai|@ai-sdk\/(?!provider\/)[^/]+|better-sqlite3|pg|ioredis|redis|libsql|@libsql\/[^/]+)\/|^node:sqlite$/;

export interface Importing {
  readonly nodeMs: number;
  /** Beyond a bare start of Node. */
  readonly importMs: number;
  readonly modules: number;
  /** Of the modules that `import "flujo"` loads, those it should not. */
  readonly heavy: readonly string[];
}

export async function importing(): Promise<Importing> {
  const times = await inTurns(9, {
    node: () => timed(() => node(program("0"))),
    imported: () => timed(() => node(program('await import("flujo")'))),
  });
  const loaded: string[] = JSON.parse(node(program(listModules)));
  return {
    nodeMs: times.node.median,
    importMs: times.imported.median - times.node.median,
    modules: loaded.length,
    heavy: loaded.filter((name) => heavy.test(name)),
  };
}

/** A program that imports flujo and prints the URL of every module that loads. */
const listModules = `
import { registerHooks } from "node:module";
const urls = [];
registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context); } });
await import("flujo");
if (process.moduleLoadList.includes("NativeModule sqlite")) urls.push("node:sqlite");
console.log(JSON.stringify(urls));
`;

export interface CommandLine {
  readonly ms: number;
  /** How many bare starts of Node it takes. */
  readonly times: number;
  /** The same, while Node's compile cache is empty: the first time after an install. */
  readonly firstTimes: number;
}

/** `flujo run examples/hello.ts --input Flujo`, again and again in one store. */
export async function commandLine(): Promise<CommandLine> {
  const cli = join(root, "bin/flujo.js");
  const hello = join(root, "examples/hello.ts");
  for (const file of [cli, hello])
    if (!existsSync(file)) throw new Error(`there is no ${relative(root, file)}`);
  return await inFolder(async (folder) => {
    const store = `sqlite:${join(folder, "cli.db")}`;
    const run = (cache: string): Promise<number> =>
      timed(() => {
        const env = { FLUJO_STORE: store, NODE_COMPILE_CACHE: join(folder, cache) };
        const said = node([cli, "run", hello, "--input", "Flujo"], env);
        if (said.trim() !== "Hello, Flujo!")
          throw new Error(`examples/hello.ts said ${JSON.stringify(said)}`);
      });
    let firsts = 0;
    const times = await inTurns(9, {
      node: () => timed(() => node(program("0"))),
      cli: () => run("cache"),
      first: () => run(`cache-${firsts++}`),
    });
    const over = (one: { readonly median: number }): number => one.median / times.node.median;
    return { ms: times.cli.median, times: over(times.cli), firstTimes: over(times.first) };
  });
}
