/**
 * `npm run check`: everything CI runs, in the order that fails soonest. `npm run check -- lint typecheck` runs those
 * alone. Every part is an npm script of its own.
 */
import { spawnSync } from "node:child_process";
import { failedTests } from "./failed-tests.ts";

const parts = ["lint", "lint:unused", "build", "typecheck", "test", "lint:package", "test:package"];

const chosen = process.argv.length > 2 ? process.argv.slice(2) : parts;
const results = chosen.map((part) => {
  console.log(`\n--- npm run ${part}`);
  const begun = performance.now();
  const { status } = spawnSync("npm", ["run", "--silent", part], {
    stdio: "inherit",
    shell: process.platform === "win32",
  });
  return { part, passed: status === 0, seconds: (performance.now() - begun) / 1_000 };
});

console.log("");
for (const { part, passed, seconds } of results) {
  console.log(`${passed ? "passed" : "FAILED"}  ${part} (${seconds.toFixed(1)} s)`);
  // Once more, at the end, where whoever looks at a log looks first.
  if (part === "test" && !passed) for (const line of failedTests()) console.log(`        ${line}`);
}
const failed = results.filter(({ passed }) => !passed).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
