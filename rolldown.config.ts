import { readFileSync } from "node:fs";
import { defineConfig } from "rolldown";

const { dependencies } = JSON.parse(readFileSync("package.json", "utf8")) as { dependencies: object };

const doors = [
  "index",
  "stores/memory",
  "stores/file",
  "stores/sqlite",
  "stores/postgres",
  "client/index",
  "events/sinks",
  "telemetry/index",
  "evals/index",
  "testing/index",
  "cli/main",
];

/**
 * A few files instead of a hundred: what `import "flujo"` and the command line cost at start is mostly opening files. For
 * the same reason one small library is built in: see THIRD-PARTY-NOTICES.md.
 */
export default defineConfig({
  input: Object.fromEntries(doors.map((door) => [door, `src/${door}.ts`])),
  platform: "node",
  external: [
    /^node:/,
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
  ],
  output: {
    dir: "dist",
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: "chunks/[name]-[hash].js",
    sourcemap: true,
    codeSplitting: {
      groups: [
        {
          name: "engine",
          test: /src\/(core|engine|budget|agents|ports|lens\/(graph|inbox|journal|readable)|links|events\/(?!sinks)|flujo\.ts|node-world|stores\/memory)/,
        },
        // What `flujo run` needs; the other commands stay apart.
        {
          name: "run",
          test: /node_modules\/commander|src\/cli\/(?!live|report|price|dry-run|lens\/|commands\/(?!run))/,
        },
      ],
    },
  },
});
