/**
 * Packs Flujo, installs the tarball in an empty folder, and uses it there as a stranger would, on every Node it
 * promises: `npm run test:package`. Needs `npm run build` first, and the npm registry.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
const nodes = join(root, "node_modules/.cache/flujo-nodes");
/** The floor that package.json names, and the newest of each line since. */
const releases = ["22.13.0", "22", "24", "26"];

/** Imports every door and runs a durable pipeline; prints what it found. */
const program = `
import * as flujo from "flujo";
import { memory } from "flujo/memory";
import { file } from "flujo/file";
import { sqlite } from "flujo/sqlite";
import { postgres } from "flujo/postgres";
import { redis } from "flujo/redis";
import { pgBoss } from "flujo/pg-boss";
import { bullmq } from "flujo/bullmq";
import { restate } from "flujo/restate";
import { client } from "flujo/client";
import { email } from "flujo/sinks";
import { initTelemetry, telemetry } from "flujo/telemetry";
import { exact, meanInterval } from "flujo/evals";
import { testStore } from "flujo/testing";

const double = flujo.step("double", (n) => n * 2);
const doubled = flujo.pipeline("doubled", flujo.mapOver("each", double));
for (const store of [memory(), file("journals"), sqlite("flujo.db")]) {
  const runner = new flujo.Flujo(doubled, { store }); // Node 22 does not know "await using"
  const first = await runner.run([1, 2, 3], { runId: "packed-" + process.versions.node });
  const again = await runner.run([1, 2, 3], { runId: "packed-" + process.versions.node });
  if (first.status !== "completed") throw first.error;
  if (first.output.join() !== "2,4,6" || again.output.join() !== "2,4,6") throw new Error("wrong output");
  await runner[Symbol.asyncDispose]();
}
if (typeof client({ url: "http://127.0.0.1:1" }).runs.start !== "function") throw new Error("flujo/client has no client");
const plans = await new flujo.Flujo(doubled).schedules();
await plans.set("daily", { cron: "@daily", timeZone: "Europe/Madrid", input: [1] });
if ((await plans.list())[0]?.next == null) throw new Error("a schedule has no next tick");
if (typeof testStore !== "function") throw new Error("flujo/testing has no testStore");
const packages = {
  "openai:m": "@ai-sdk/openai",
  "anthropic:m": "@ai-sdk/anthropic",
  "google:m": "@ai-sdk/google",
  "vertex:m": "@ai-sdk/google-vertex",
  "ollama:m": "@ai-sdk/openai-compatible",
};
for (const [model, name] of Object.entries(packages)) {
  const { hint } = await flujo.models().examine(model, { price: false });
  if (hint !== "npm install " + name) throw new Error(model + " does not say what to install: " + hint);
}
const mail = email({ server: "smtp://127.0.0.1:1", from: "a@example.com", to: "b@example.com" });
const event = { type: "run-completed", seq: 1, at: "2030-01-01T00:00:00.000Z", path: "/", output: 1, from: 0 };
const delivery = { id: "evt_1", runId: "r", pipeline: "p", facts: {}, event, costUsd: "0", attempt: 1 };
const unsent = await mail.deliver(delivery, new AbortController().signal).catch((error) => error);
if (unsent?.hint !== "npm install nodemailer") throw new Error("email does not say what to install: " + unsent);
const far = await postgres("postgres://127.0.0.1:1/x").list({}).catch((error) => error.hint);
if (far !== "npm install pg") throw new Error("flujo/postgres does not say what to install: " + far);
const away = await redis("redis://127.0.0.1:1/0").list({}).catch((error) => error.hint);
if (away !== "npm install ioredis") throw new Error("flujo/redis does not say what to install: " + away);
const job = { runId: "r", pipeline: "p", fingerprint: "f" };
for (const [name, queue] of [["pg-boss", pgBoss("postgres://127.0.0.1:1/x")], ["bullmq", bullmq("redis://127.0.0.1:1")]]) {
  const untold = await queue.submit(job).catch((error) => error.hint);
  if (untold !== "npm install " + name) throw new Error("flujo/" + name + " does not say what to install: " + untold);
}
const idle = { queues: ["q"], concurrency: 1, take: async () => "done", onTrouble: () => {} };
const unworked = await restate("restate://127.0.0.1:1").work(idle).catch((error) => error.hint);
if (unworked !== "npm install @restatedev/restate-sdk") throw new Error("flujo/restate does not say what to install: " + unworked);
const none = await initTelemetry().catch((error) => error.hint);
if (none !== "npm install @opentelemetry/sdk-node") throw new Error("initTelemetry does not say what to install: " + none);
const lone = await import("flujo/vitest").catch((error) => error);
if (!String(lone.message).includes("vitest")) throw new Error("flujo/vitest does not name what is missing: " + lone);
if (exact().name !== "exact" || meanInterval([{ score: 1 }, { score: 0 }]).mean !== 0.5) throw new Error("evals");
const watched = new flujo.Flujo(doubled, { instrument: telemetry() });
if ((await watched.run([1])).status !== "completed") throw new Error("telemetry without an SDK hurts");
console.log("fine");
`;

const hello = `
import { pipeline, step } from "flujo";
export default pipeline("hello", step("greet", (name: string) => "Hello, " + name + "!"));
`;

const run = (command: string, args: readonly string[], cwd: string): string =>
  execFileSync(command, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    shell: process.platform === "win32" && command === "npm",
  });

/** The binaries of Node that the matrix needs, from npm's plain packages (no install scripts), kept between runs. */
function nodeBinaries(): readonly string[] {
  const system = process.platform === "win32" ? "win" : process.platform;
  const name = `node-${system}-${process.arch}`;
  const binaries = releases.map((release) => join(nodes, `node_modules/node${release}/bin/node`));
  if (!binaries.every((binary) => existsSync(binary))) {
    mkdirSync(nodes, { recursive: true });
    writeFileSync(join(nodes, "package.json"), '{ "private": true }');
    const wanted = releases.map((release) => `node${release}@npm:${name}@${release}`);
    run("npm", ["install", "--no-audit", "--no-fund", ...wanted], nodes);
  }
  return binaries;
}

function expectSame(what: string, found: string, wanted: string): void {
  if (found !== wanted)
    throw new Error(`${what}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(found)}`);
}

const binaries = nodeBinaries();
const folder = mkdtempSync(join(tmpdir(), "flujo-package-"));
try {
  run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", folder], root);
  writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }');
  writeFileSync(join(folder, "program.js"), program);
  writeFileSync(join(folder, "hello.ts"), hello);
  const tarball = readdirSync(folder).find((name) => name.endsWith(".tgz"));
  run("npm", ["install", "--no-audit", "--no-fund", `./${tarball}`], folder);
  const cli = join(folder, "node_modules/flujo/bin/flujo.js");
  for (const node of binaries) {
    const release = run(node, ["--version"], folder).trim();
    expectSame(`imports on ${release}`, run(node, ["program.js"], folder), "fine\n");
    expectSame(
      `CLI on ${release}`,
      run(node, [cli, "run", "hello.ts", "--input", "Flujo", "--quiet"], folder),
      "Hello, Flujo!\n",
    );
    console.log(`packed and installed, flujo works on Node ${release}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
