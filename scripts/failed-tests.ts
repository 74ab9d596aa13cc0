/** What the last `npm run test` found wrong, a few lines each: from the report that vitest.config.ts asks for. */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { testReport } from "../vitest.config.ts";

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

const mostLines = 4;
const mostCharacters = 160;

/** No results when there is no report: the tests never began. */
function results(): Report["testResults"] {
  try {
    return (JSON.parse(readFileSync(testReport, "utf8")) as Report).testResults; // vitest wrote it
  } catch {
    return [];
  }
}

/** Those that did not run, since what they take is not on this machine: see `tests/not-run.ts`. */
export function testsNotRun(): readonly string[] {
  return results().flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(
        ({ fullName, status }) =>
          status === "skipped" || status === "pending" || fullName.includes("NOT TESTED"),
      )
      .map(({ fullName }) => `${relative(process.cwd(), name)}: ${fullName}`),
  );
}

export function failedTests(): readonly string[] {
  return results().flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name);
    const failed = assertionResults.filter((one) => one.status === "failed");
    // A file that could not be loaded has no tests, and a message of its own.
    if (failed.length === 0) return status === "failed" ? [file, ...briefly(message)] : [];
    return failed.flatMap(({ fullName, failureMessages }) => [
      `${file}: ${fullName}`,
      ...failureMessages.flatMap(briefly),
    ]);
  });
}

const briefly = (message: string): string[] =>
  message
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.includes("node_modules"))
    .slice(0, mostLines)
    .map((line) => `    ${line.slice(0, mostCharacters)}`);
