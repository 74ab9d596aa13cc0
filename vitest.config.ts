import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";
import { compiled } from "./tests/build-once.ts";
import { NotRun } from "./tests/not-run.ts";

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

/** Where a run of the tests leaves what it found, for `npm run check` to say at its end. */
export const testReport = fileURLToPath(new URL("node_modules/.cache/tests.json", import.meta.url));

/** The files that take longest, the longest first: begun last, one of them alone would keep everybody waiting at the end. */
const longest = [
  "src/testing/simulation.test.ts",
  "tests/adversary/adversary.test.ts",
  "tests/scale/chaos.test.ts",
  "tests/dashboard/reach.test.ts",
  "tests/mutants/mutants.test.ts",
  "src/testing/simulation/shared.test.ts",
  "tests/evals/eval.test.ts",
  "tests/scale/engine.test.ts",
  "tests/scale/worker.test.ts",
  "tests/up/serving.test.ts",
  "tests/dashboard/live.test.ts",
];

/** Those first, and the others as ever: by how long they took last time, or by their size. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const at = longest.findIndex((file) => moduleId.endsWith(file));
      return at < 0 ? longest.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  resolve: {
    // The examples and end-to-end pipelines import the package by name; under test that is the source itself.
    alias: [
      { find: /^flujo$/, replacement: source("index.ts") },
      { find: /^flujo\/(client|evals|telemetry|testing|vitest)$/, replacement: source("$1/index.ts") },
      { find: /^flujo\/sinks$/, replacement: source("events/sinks.ts") },
      { find: /^flujo\/(memory|file|sqlite|postgres|redis)$/, replacement: source("stores/$1.ts") },
      { find: /^flujo\/(pg-boss|bullmq|restate)$/, replacement: source("dispatch/$1.ts") },
    ],
  },
  test: {
    include: ["src/**/*.test.ts", "dashboard/src/**/*.test.ts", "tests/**/*.test.ts"],
    globalSetup: ["tests/build-once.ts"],
    sequence: { sequencer: LongestFirst },
    // Copies of the sources, one for each guard that is taken out: Node loads them faster than they are transformed here.
    server: { deps: { external: [/flujo-mutant-/] } },
    // Many tests begin processes that load the sources: compiled once, they load in a quarter of the time.
    env: { NODE_COMPILE_CACHE: compiled },
    reporters: ["default", ["json", { outputFile: testReport }], new NotRun()],
    // No test is about time: these only end what is stuck, also where the machine is slow and busy with other things.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 120_000 } },
    // Much of the suite waits for processes and servers: with a worker a core, both cores of two idle for a third of the time.
    maxWorkers: Math.ceil(availableParallelism() * 1.5),
  },
});
