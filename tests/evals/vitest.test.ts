/** `flujo/vitest` in a vitest of its own, on the built package, as people have it. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const root = join(import.meta.dirname, "../..");

interface Outcome {
  readonly code: number | null;
  /** What came of each test, by its group and name. */
  readonly tests: ReadonlyMap<string, string>;
  readonly failures: ReadonlyMap<string, string>;
}

interface Report {
  readonly testResults: readonly {
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

async function vitestOn(file: string): Promise<Outcome> {
  const { VITEST: _, VITEST_WORKER_ID: __, VITEST_POOL_ID: ___, ...env } = process.env;
  const folder = mkdtempSync(join(tmpdir(), "flujo-vitest-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const told = join(folder, "report.json");
  const args = [
    "run",
    "--config",
    "tests/fixtures/vitest/config.ts",
    "--reporter=json",
    `--outputFile=${told}`,
    file,
  ];
  const child = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", ...args], {
    cwd: root,
    env: { ...env, NO_COLOR: "1" },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  if (!existsSync(told)) throw new Error(`vitest reported nothing: ${said}`);
  const report = JSON.parse(readFileSync(told, "utf8")) as Report; // what its reporter writes
  const all = report.testResults.flatMap(({ assertionResults }) => assertionResults);
  if (all.length === 0) throw new Error(report.testResults.map(({ message }) => message).join("\n"));
  return {
    code,
    tests: new Map(all.map(({ fullName, status }) => [fullName, status])),
    failures: new Map(all.map(({ fullName, failureMessages }) => [fullName, failureMessages.join("\n")])),
  };
}

test("testCases declares a test a case, and passes when the scorers or a check are content", async () => {
  const { code, tests, failures } = await vitestOn("passing.cases.ts");
  expect([...failures].filter(([, text]) => text !== "")).toEqual([]);
  expect([...tests.keys()]).toEqual([
    ...["ant", "bee", "cat"].map((id) => `letters.jsonl ${id}`),
    ...["ant", "bee", "cat"].map((id) => `with a check ${id}`),
    "on the whole every case was tried",
    "on the whole an experiment is judged as well",
  ]);
  expect(code).toBe(0);
});

test("what fails says why: scores, feedback, the run's error, the budget, the interval", async () => {
  const { code, tests, failures } = await vitestOn("failing.cases.ts");
  expect(code).toBe(1);
  const failed = [...tests]
    .filter(([name, status]) => status === "failed" && !name.startsWith("bad "))
    .map(([name]) => name);
  expect(failed).toEqual([
    "scored word 4",
    "scored boom",
    "poor word 3",
    "checked word 1",
    "scores too little",
    "is worse",
    "is not known",
    "is no experiment",
  ]);
  const says = (name: string) => failures.get(name) ?? "";
  expect(says("scored word 4")).toContain("the score is 0.000");
  expect(says("scored word 4")).toContain("calm 0.000: it lost its nerve");
  expect(says("scored word 4")).toContain("it returned: what?");
  expect(says("scored boom")).toContain("there is no boom");
  expect(says("poor word 3")).toMatch(/budget|limit/);
  expect(says("checked word 1")).toContain("something else");
  expect(says("scores too little")).toContain("expected a score of at least 0.9; the mean score is 0.6");
  expect(says("scores too little")).toMatch(/word 2, trial 1: 0\.000\n\s+exact 0\.000: /);
  expect(says("scores too little")).toContain("… and 2 more");
  expect(says("is worse")).toContain("expected it to be no worse; the difference is -0.400");
  expect(says("is worse")).toContain("word 2: 1.000 before, 0.000 after");
  expect(says("is not known")).toContain("the cases do not tell");
  expect(says("is no experiment")).toContain("there are no records of trials in it");
});
