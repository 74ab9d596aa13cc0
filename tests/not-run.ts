/** Says once all tests are over which of them did not run, since what they take is not on this machine. */
import { relative } from "node:path";
import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node";

export class NotRun implements Reporter {
  #isPart = false;

  onInit({ config }: Vitest): void {
    this.#isPart = config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const missed = modules.flatMap((module) =>
      [...module.children.allTests()]
        .filter((test) => isStandIn(test) || (!this.#isPart && isSkipped(test)))
        .map((test) => `${relative(process.cwd(), module.moduleId)}: ${test.fullName}`),
    );
    if (missed.length === 0) return;
    console.warn(
      [
        `\n*** DID NOT RUN (${missed.length}): what they take is not on this machine. ***`,
        ...missed,
        "",
      ].join("\n"),
    );
  }
}

/** It stands for tests that were not even made: see `databases()`. */
const isStandIn = (test: TestCase): boolean => test.annotations().some(({ type }) => type === "warning");
const isSkipped = (test: TestCase): boolean => test.result().state === "skipped";
