/**
 * Makes an application as its owner would: Flujo packed, a lock file, then what the Dockerfile of examples/deploy says, step by
 * step, and a run that is submitted and worked there: `npm run test:deploy`. Needs `npm run build` first, the npm registry, and Postgres.
 *
 * `--tool docker` (or podman, buildah): the image itself is built, too. `--base IMAGE`: from another base.
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { postgresServer } from "../servers/postgres.ts";
import { application, run } from "./application.ts";
import { ignored, instructions, words } from "./files.ts";

const { values } = parseArgs({ options: { tool: { type: "string" }, base: { type: "string" } } });

/** What the instructions make of it: the packages of the first stage, and in the second everything that is not ignored. */
function built(context: string, folder: string): void {
  const packages = join(folder, "packages");
  const app = join(folder, "app");
  for (const made of [packages, app]) mkdirSync(made);
  const wanted = /^package(-lock)?\.json$|\.tgz$/;
  for (const name of readdirSync(context).filter((one) => wanted.test(one)))
    cpSync(join(context, name), join(packages, name));
  for (const [name, rest] of instructions()) if (name === "RUN") run("sh", ["-c", rest], packages);
  const isIgnored = (name: string): boolean => ignored().some((one) => one.replace(/\.\*$/, "") === name);
  for (const name of readdirSync(context).filter((one) => !isIgnored(one)))
    cpSync(join(context, name), join(app, name), { recursive: true });
  cpSync(join(packages, "node_modules"), join(app, "node_modules"), {
    recursive: true,
    verbatimSymlinks: true,
  });
}

async function works(app: string): Promise<void> {
  const server = await postgresServer({ fsync: "on" });
  try {
    const env = { NODE_ENV: "production", FLUJO_STORE: server.url };
    const [, bin = ""] = words("ENTRYPOINT");
    const flujo = (...args: readonly string[]): string =>
      run(process.execPath, [bin.replace("/app/", `${app}/`), ...args], app, env);
    flujo("doctor");
    flujo("submit", "claims.ts", "--input-json", '{ "pages": 12 }', "--run-id", "claim");
    flujo("worker", "--for", "60s");
    const { status } = JSON.parse(flujo("lens", "show", "claim", "--json")).run;
    if (status !== "completed") throw new Error(`the run is ${status}`);
  } finally {
    await server.stop();
  }
}

const folder = mkdtempSync(join(tmpdir(), "flujo-image-"));
try {
  const context = join(folder, "context");
  application(context);
  built(context, folder);
  await works(join(folder, "app"));
  console.log("made as the Dockerfile says, the application works");
  if (values.tool !== undefined) {
    const base = values.base === undefined ? [] : ["--build-arg", `NODE=${values.base}`];
    run(values.tool, ["build", ...base, "--tag", "claims", context], context);
    console.log(`${values.tool} has built the image claims`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
