/** An application as its owner would make it: the folder of examples/deploy, with Flujo as a package of its own and a lock file. */
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { example } from "./files.ts";

const root = join(import.meta.dirname, "../..");

/** What it says, unless that is to be seen. */
export const run = (
  command: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): string =>
  execFileSync(command, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, ...env },
  });

/** Needs `npm run build` first, and the npm registry. */
export function application(context: string): void {
  cpSync(example, context, { recursive: true });
  run("npm", ["pack", "--silent", "--ignore-scripts", "--pack-destination", context], root);
  const tarball = readdirSync(context).find((name) => name.endsWith(".tgz"));
  const file = join(context, "package.json");
  const description = JSON.parse(readFileSync(file, "utf8"));
  description.dependencies.flujo = `file:${tarball}`;
  writeFileSync(file, JSON.stringify(description, null, 2));
  run("npm", ["install", "--package-lock-only", "--no-audit", "--no-fund"], context);
}
