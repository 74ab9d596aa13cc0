/** Before any test: the tests of the command and of the dashboard run what is built, so it is built when a source is newer. */
import { execFileSync } from "node:child_process";
import { globSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

/** Where processes that tests begin keep what they have compiled, for those that come after. */
export const compiled = join(root, "node_modules/.cache/compiled");

/** What is built of which sources, by which command of node_modules. */
const products = [
  {
    built: "dist/cli/main.js",
    sources: "{src/**/*.ts,rolldown.config.ts}",
    by: ["rolldown/bin/cli.mjs", "-c"],
  },
  {
    built: "dist/dashboard/index.html",
    sources: "dashboard/**/*.{ts,tsx,css,svg,html}",
    by: ["vite/bin/vite.js", "build", "dashboard", "--logLevel", "warn"],
  },
] as const;

export default function buildOnce(): void {
  rmSync(compiled, { recursive: true, force: true }); // half of it would be of temporary folders, which are gone
  for (const { built, sources, by } of products) {
    const since = statSync(join(root, built), { throwIfNoEntry: false })?.mtimeMs ?? 0;
    const names = globSync(sources, { cwd: root }).filter((name) => !name.endsWith(".test.ts"));
    const newest = Math.max(...names.map((name) => statSync(join(root, name)).mtimeMs));
    if (newest <= since) continue;
    const [tool, ...args] = by;
    const env = { ...process.env, NODE_ENV: "production" }; // what is tested is what is published
    execFileSync(process.execPath, [join("node_modules", tool), ...args], { cwd: root, env, stdio: "pipe" });
  }
}
