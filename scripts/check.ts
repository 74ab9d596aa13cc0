/**
 * `npm run check`: everything CI runs, in the order that fails soonest. `npm run check -- lint typecheck` runs those
 * alone. Every part is an npm script of its own.
 */
import { spawn } from "node:child_process";
import { failedTests, testsNotRun } from "./failed-tests.ts";

/** Parts that stand together run side by side: none of them keeps two cores busy alone. */
const groups = [
  ["lint", "lint:unused", "build", "typecheck"],
  ["test"],
  ["lint:package", "test:package"],
] as const;

type Part = (typeof groups)[number][number];

interface Result {
  readonly part: Part;
  readonly passed: boolean;
  readonly seconds: number;
}

const wanted = process.argv.slice(2);
const chosen = (part: Part): boolean => wanted.length === 0 || wanted.includes(part);
const parts: readonly Part[] = groups.flat();
const strangers = wanted.filter((name) => !parts.some((part) => part === name));
if (strangers.length > 0) {
  console.error(`No part of the check: ${strangers.join(", ")}. There are ${parts.join(", ")}.`);
  process.exit(2);
}

// What was built a moment ago is packed as it is, and not built once more.
const env = chosen("build") ? { ...process.env, npm_config_ignore_scripts: "true" } : process.env;

/** Says what a part says: at once when it is alone, else when it has ended. */
async function run(part: Part, isAlone: boolean): Promise<Result> {
  const title = `\n--- npm run ${part}`;
  if (isAlone) console.log(title);
  const begun = performance.now();
  const child = spawn("npm", ["run", "--silent", part], {
    stdio: isAlone ? "inherit" : ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32",
    env: part === "lint:package" ? env : process.env,
  });
  const said: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (piece: Buffer) => void said.push(piece));
  const passed = await new Promise<boolean>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code === 0));
  });
  if (!isAlone) process.stdout.write(`${title}\n${Buffer.concat(said).toString()}`);
  return { part, passed, seconds: (performance.now() - begun) / 1_000 };
}

const results: Result[] = [];
for (const group of groups) {
  const some = group.filter(chosen);
  results.push(...(await Promise.all(some.map((part) => run(part, some.length === 1)))));
}

console.log("");
for (const { part, passed, seconds } of results) {
  console.log(`${passed ? "passed" : "FAILED"}  ${part} (${seconds.toFixed(1)} s)`);
  // Once more, at the end, where whoever looks at a log looks first.
  if (part === "test" && !passed) for (const line of failedTests()) console.log(`        ${line}`);
  if (part === "test") for (const line of testsNotRun()) console.log(`        DID NOT RUN  ${line}`);
}
const failed = results.filter(({ passed }) => !passed).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
