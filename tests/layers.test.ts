import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";
import { describe, expect, test } from "vitest";

/**
 * Who may import whom, by folder of src/ (the files directly in src/ are the front door). A folder that is not
 * listed has no place in the house yet: draw its arrows here and in docs/architecture.md.
 */
const arrows: { readonly [folder: string]: readonly string[] } = {
  core: [],
  budget: ["core"],
  ports: ["core"],
  engine: ["ports", "core", "budget"],
  agents: ["engine", "ports", "core", "budget"],
  stores: ["ports", "core"],
  dispatch: ["ports", "core"],
  events: ["ports", "core"],
  lens: ["ports", "core"],
  evals: ["lens", "agents", "engine", "ports", "core"],
  vitest: ["", "evals", "engine", "stores", "core"],
  links: ["engine", "ports", "core"],
  schedules: ["ports", "core"],
  telemetry: ["ports", "core"],
  server: ["lens", "evals", "links", "schedules", "engine", "events", "ports", "core"],
  client: ["lens", "evals", "events", "engine", "core"], // types alone: see below
  testing: ["ports", "core", "engine", "agents", "stores", "events", "evals"],
  "": ["agents", "engine", "events", "ports", "core", "stores", "links", "schedules", "server"],
  cli: [
    "",
    "evals",
    "agents",
    "engine",
    "events",
    "ports",
    "core",
    "budget",
    "stores",
    "lens",
    "links",
    "schedules",
    "telemetry",
    "server",
    "dispatch",
  ],
};

/** What `import "flujo"` must not load before it is needed. */
const heavy =
  /^(ai|@ai-sdk\/(?!provider$).*|node:sqlite|@opentelemetry\/.*|jiti|jose|commander|nodemailer|pg|pg-boss|bullmq|@restatedev\/.*|ioredis|croner|hono|@hono\/.*|typebox|@clack\/.*)$/;

interface Import {
  readonly to: string;
  readonly when: "load" | "late" | "types";
}
/** Import graph: files relative to src/, with `/` between folders. */
type Graph = ReadonlyMap<string, readonly Import[]>;

/** The imports of one TypeScript source. Template literals may hold sample programs, so they are blanked. */
function importsOf(source: string): Import[] {
  const code = source.replace(
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|`(?:\\[\s\S]|[^`\\])*`|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g,
    (part) => (part.startsWith("/") ? " " : part.startsWith("`") && part.includes("\n") ? "``" : part),
  );
  const found: Import[] = [];
  for (const [, keyword, clause, to] of code.matchAll(
    /^[ \t]*(import|export)\b([^"'`;=()]*?)["']([^"'\n]+)["']/gm,
  )) {
    if (keyword === "export" && !/\bfrom\s*$/.test(clause as string)) continue;
    found.push({ to: to as string, when: /^\s*type\b(?!\s+from)/.test(clause as string) ? "types" : "load" });
  }
  for (const [, before, to] of code.matchAll(/(\btypeof\s+)?\bimport\(\s*["'`]([^"'`]+)["'`]/g)) {
    found.push({ to: to as string, when: before === undefined ? "late" : "types" });
  }
  return found;
}

/** Relative imports as paths from src/; package names as they are. */
const resolve = (from: string, to: string): string =>
  to.startsWith(".") ? posix.join(posix.dirname(from), to) : to;

const folderOf = (file: string): string => (file.includes("/") ? (file.split("/")[0] as string) : "");
/** `stores/sqlite.ts`, `stores/sqlite/rows.ts` -> `sqlite`. */
const storeOf = (file: string): string => (file.split("/")[1] ?? "").replace(/\.ts$/, "");

/** Every import that goes against an arrow, as a sentence. */
function wrongWays(graph: Graph): string[] {
  const wrong: string[] = [];
  for (const [file, imports] of graph) {
    const folder = folderOf(file);
    const allowed = arrows[folder];
    if (allowed === undefined) {
      wrong.push(`${file}: the folder ${folder} has no arrows`);
      continue;
    }
    for (const { to } of imports) {
      if (to.startsWith("..")) {
        wrong.push(`${file}: ${to} lies outside src`);
        continue;
      }
      if (!to.endsWith(".ts")) continue;
      const target = folderOf(to);
      if (target !== folder && !allowed.includes(target)) wrong.push(`${file} -> ${to}`);
      if (folder === "stores" && target === "stores" && storeOf(file) !== storeOf(to)) {
        wrong.push(`${file} -> ${to}: stores know nothing of one another`);
      }
      if (file.startsWith("events/sinks/") && target === "events") {
        wrong.push(`${file} -> ${to}: sinks know neither one another nor the outbox`);
      }
    }
  }
  return wrong;
}

/** The first cycle among imports that run at load, as `a -> b -> a`. */
function cycleIn(graph: Graph): string | undefined {
  const done = new Set<string>();
  const walk = (file: string, above: readonly string[]): string | undefined => {
    const start = above.indexOf(file);
    if (start >= 0) return [...above.slice(start), file].join(" -> ");
    if (done.has(file)) return undefined;
    for (const { to, when } of graph.get(file) ?? []) {
      const cycle = when === "load" ? walk(to, [...above, file]) : undefined;
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const cycle = walk(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Everything that loading `entry` loads. */
function loadedBy(entry: string, graph: Graph): ReadonlySet<string> {
  const loaded = new Set([entry]);
  for (const file of loaded) {
    for (const { to, when } of graph.get(file) ?? []) if (when === "load") loaded.add(to);
  }
  return loaded;
}

function graphOf(files: { readonly [file: string]: string }): Graph {
  return new Map(
    Object.entries(files).map(([file, source]) => [
      file,
      importsOf(source).map(({ to, when }) => ({ to: resolve(file, to), when })),
    ]),
  );
}

function sourcesIn(folder: string): { [file: string]: string } {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return Object.fromEntries(
    files
      .filter((file) => /\.tsx?$/.test(file) && !/\.(test|test-d|d)\.ts$/.test(file))
      .map((file) => [relative(".", file).replaceAll(sep, "/"), readFileSync(join(folder, file), "utf8")]),
  );
}

const house = graphOf(sourcesIn(join(import.meta.dirname, "../src")));

test("the sources were found", () => {
  expect(house.size).toBeGreaterThan(10);
  expect([...house.values()].flat().length).toBeGreaterThan(10);
});

test("every import follows the arrows", () => {
  expect(wrongWays(house)).toEqual([]);
});

test("every arrow is followed by an import", () => {
  const followed = new Set(
    [...house].flatMap(([file, imports]) => imports.map(({ to }) => `${folderOf(file)} -> ${folderOf(to)}`)),
  );
  const drawn = Object.entries(arrows).flatMap(([from, all]) => all.map((to) => `${from} -> ${to}`));
  expect(drawn.filter((arrow) => !followed.has(arrow))).toEqual([]);
});

describe("docs/architecture.md", () => {
  const page = readFileSync(join(import.meta.dirname, "../docs/architecture.md"), "utf8");
  const folders = Object.keys(arrows).filter((folder) => folder !== "");

  test("names every folder of src/", () => {
    expect(folders.filter((folder) => !page.includes(`\n  ${folder}/ `))).toEqual([]);
  });

  test("draws the arrows, but for some of those to core, ports and budget, where nearly all of them lead", () => {
    const [, drawing = ""] = /```mermaid\nflowchart BT\n([\s\S]*?)```/.exec(page) ?? [];
    const drawn = new Map(
      [...drawing.matchAll(/^ {2}(\w+)(?:\["[^"]*"\])? (?:-->|-\. types \.->) (.+)$/gm)].map(
        ([, from, to]) => [
          from === "front" ? "" : (from as string),
          (to as string).split(" & ").map((one) => (one === "front" ? "" : one)),
        ],
      ),
    );
    const ground = ["core", "ports", "budget"];
    for (const [from, all] of Object.entries(arrows)) {
      const shown = drawn.get(from) ?? [];
      expect(
        shown.filter((to) => !all.includes(to)),
        `${from} has arrows that are not allowed`,
      ).toEqual([]);
      const missing = all.filter((to) => !ground.includes(to) && !shown.includes(to));
      expect(missing, `${from} lacks arrows`).toEqual([]);
    }
  });
});

test("no import cycle at load", () => {
  expect(cycleIn(house)).toBeUndefined();
});

test("the dashboard speaks only HTTP: of src/ it takes types, which are gone when it runs", () => {
  const pages = graphOf(sourcesIn(join(import.meta.dirname, "../dashboard/src")));
  const taken = [...pages].flatMap(([file, imports]) => imports.map(({ to, when }) => ({ file, to, when })));
  const outside = taken.filter(({ to }) => to.startsWith(".."));
  expect(outside.length).toBeGreaterThan(5);
  expect(outside.filter(({ when }) => when !== "types")).toEqual([]);
});

test('import "flujo" loads neither a model SDK nor a database driver', () => {
  expect(house.has("index.ts")).toBe(true);
  expect([...loadedBy("index.ts", house)].filter((name) => heavy.test(name))).toEqual([]);
});

test("flujo/client loads nothing but itself, and what reads server-sent events", () => {
  const loaded = [...loadedBy("client/index.ts", house)].filter((name) => !name.startsWith("client/"));
  expect(loaded).toEqual(["eventsource-parser/stream"]);
});

test("the check sees imports of every form, and none in comments or sample programs", () => {
  const source = [
    'import a from "./a.ts";',
    'import type { B } from "./b.ts";',
    "import {",
    "  c,",
    '} from "./c.ts";',
    'export * from "./d.ts";',
    'export type { E } from "./e.ts";',
    'import "./f.ts";',
    'const g = await import("./g.ts");',
    'let h: typeof import("./h.ts");',
    '// import "./no.ts";',
    "/* export * from './no.ts'; */",
    'const sample = `\nimport { step } from "./no.ts";\n`;',
    'export const text = "from ./no.ts";',
  ].join("\n");
  expect(importsOf(source)).toEqual([
    { to: "./a.ts", when: "load" },
    { to: "./b.ts", when: "types" },
    { to: "./c.ts", when: "load" },
    { to: "./d.ts", when: "load" },
    { to: "./e.ts", when: "types" },
    { to: "./f.ts", when: "load" },
    { to: "./g.ts", when: "late" },
    { to: "./h.ts", when: "types" },
  ]);
});

test("the check refuses arrows that point the wrong way", () => {
  const graph = graphOf({
    "core/node.ts": 'import type { Store } from "../ports/store.ts";',
    "engine/run.ts": 'import { sqlite } from "../stores/sqlite.ts";\nimport { node } from "../core/node.ts";',
    "stores/file.ts": 'import { rows } from "./sqlite.ts";',
    "stores/sqlite/rows.ts": 'import { open } from "./open.ts";',
    "events/sinks/slack.ts": 'import { post } from "./webhook.ts";',
    "attic/box.ts": "",
    "cli/run.ts": 'import { sqlite } from "../stores/sqlite.ts";\nimport { out } from "../../bin/out.ts";',
  });
  expect(wrongWays(graph)).toEqual([
    "core/node.ts -> ports/store.ts",
    "engine/run.ts -> stores/sqlite.ts",
    "stores/file.ts -> stores/sqlite.ts: stores know nothing of one another",
    "events/sinks/slack.ts -> events/sinks/webhook.ts: sinks know neither one another nor the outbox",
    "attic/box.ts: the folder attic has no arrows",
    "cli/run.ts: ../bin/out.ts lies outside src",
  ]);
});

test("the check finds cycles at load, not those of types or late imports", () => {
  const around = (back: string) =>
    graphOf({ "core/a.ts": 'import "./b.ts";', "core/b.ts": 'import "./c.ts";', "core/c.ts": back });
  expect(cycleIn(around('import { a } from "./a.ts";'))).toBe(
    "core/a.ts -> core/b.ts -> core/c.ts -> core/a.ts",
  );
  expect(cycleIn(around('import type { A } from "./a.ts";'))).toBeUndefined();
  expect(cycleIn(around('const a = () => import("./a.ts");'))).toBeUndefined();
});

test("the check finds what a front door loads through other files", () => {
  const graph = graphOf({
    "index.ts": 'export { f } from "./flujo.ts";\nimport type { T } from "ai";',
    "flujo.ts": 'import { DatabaseSync } from "node:sqlite";\nconst sdk = () => import("@ai-sdk/openai");',
  });
  expect([...loadedBy("index.ts", graph)].filter((name) => heavy.test(name))).toEqual(["node:sqlite"]);
});
