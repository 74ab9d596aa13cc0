import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "rolldown";

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as { dependencies: object };

const doors = [
  "index",
  "stores/memory",
  "stores/file",
  "stores/sqlite",
  "stores/postgres",
  "stores/redis",
  "dispatch/pg-boss",
  "dispatch/bullmq",
  "dispatch/restate",
  "client/index",
  "events/sinks",
  "telemetry/index",
  "evals/index",
  "vitest/index",
  "testing/index",
  "cli/main",
];

/**
 * What commander takes of Node's modules that are dear to load (`node:util` brings worker threads along) and that only
 * its help and its errors need: each loads when it is called.
 */
const late: { readonly [module: string]: string } = {
  "node:util":
    'export const stripVTControlCharacters = (text) => process.getBuiltinModule("node:util").stripVTControlCharacters(text);',
  "node:child_process":
    'export default { spawn: (...how) => process.getBuiltinModule("node:child_process").spawn(...how) };',
  "node:process": "export default globalThis.process;",
};

const lateBuiltins: Plugin = {
  name: "late-builtins",
  resolveId: (id, importer) =>
    id in late && importer?.includes("/commander/") ? { id: `late:${id}` } : undefined,
  load: (id) => (id.startsWith("late:") ? late[id.slice("late:".length)] : undefined),
};

/**
 * A few files instead of a hundred: what `import "flujo"` and the command line cost at start is mostly opening files. For
 * the same reason one small library is built in: see THIRD-PARTY-NOTICES.md.
 */
export default defineConfig({
  input: Object.fromEntries(doors.map((door) => [door, `src/${door}.ts`])),
  platform: "node",
  plugins: [lateBuiltins],
  external: [
    ...Object.keys(dependencies),
    /^@ai-sdk\//,
    /^@opentelemetry\//,
    /^hono\//,
    /^csv-parse\//,
    /^pure-rand\//,
    /^typebox\//,
    /^@hono\//,
    /^eventsource-parser\//,
    "nodemailer",
    "pg",
    "vitest",
    "ioredis",
    "pg-boss",
    "bullmq",
    "@restatedev/restate-sdk",
    "ioredis",
  ],
  output: {
    dir: "dist",
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
    sourcemap: true,
    comments: { jsdoc: false }, // editors read them in the declarations
    codeSplitting: {
      groups: [
        // What `import "flujo"` loads, with what stores share; and what `flujo run` loads beside it. All else comes when it is called for.
        { name: "engine", test: /src\/(index|ports\/(walk|run-row))\.ts$/ },
        { name: "run", test: /src\/cli\/main\.ts$/ },
      ],
    },
  },
});
