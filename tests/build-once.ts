/** Before any test: the tests of the command run what is built, so it is built when a source is newer. */
import { execFileSync } from "node:child_process";
import { globSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

export default function buildOnce(): void {
  const built = statSync(join(root, "dist/cli/main.js"), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = globSync("src/**/*.ts", { cwd: root }).filter((name) => !name.endsWith(".test.ts"));
  const newest = Math.max(...sources.map((name) => statSync(join(root, name)).mtimeMs));
  if (newest <= built) return;
  execFileSync(process.execPath, ["node_modules/rolldown/bin/cli.mjs", "-c"], { cwd: root, stdio: "pipe" });
}
