/** Every example as a reader runs it: through the command, in a process of its own. Needs `npm run build`. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openaiServer } from "../src/testing/openai-server.ts";

const root = join(import.meta.dirname, "..");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "flujo-examples-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function flujo(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const own = {
    OPENAI_API_KEY: "",
    OPENAI_BASE_URL: "",
    FLUJO_STORE: `sqlite:${join(folder, "flujo.db")}`,
    ...env,
  };
  const options = { cwd: root, env: { ...process.env, ...own } };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ["bin/flujo.js", ...args], options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? undefined, signal: child.signalCode ?? undefined, stdout, stderr }),
    );
  });
}

test("all examples are tested here", () => {
  const files = readdirSync(join(root, "examples")).filter((name) => name.endsWith(".ts"));
  expect(files.sort()).toEqual(["financial-analyst.ts", "hello.ts", "survives-kill.ts"]);
});

test("hello greets, and prints nothing else to stdout", async () => {
  const { code, stdout } = await flujo(["run", "examples/hello.ts", "--input", "Flujo"]);
  expect(stdout).toBe("Hello, Flujo!\n");
  expect(code).toBe(0);
});

describe("financial-analyst", () => {
  const run = ["run", "examples/financial-analyst.ts"];

  test("without input or key it reports on every company, and says that no LLM wrote it", async () => {
    const { code, stdout } = await flujo([...run, "--run-id", "all"]);
    expect(code).toBe(0);
    expect(stdout).toContain("| Apple | $383.3 bn | -2.8% | $97.0 bn | 25.3% |");
    expect(stdout).toContain("| Microsoft | $211.9 bn | +6.9% | $72.4 bn | 34.1% |");
    expect(stdout).toContain("| Alphabet | $307.4 bn | +8.7% | $73.8 bn | 24.0% |");
    expect(stdout).toContain("| Amazon | $574.8 bn | +11.8% | $30.4 bn | 5.3% |");
    expect(stdout).toContain("| NVIDIA | $60.9 bn | +125.9% | $29.8 bn | 48.8% |");
    expect(stdout.match(/^\*.+, Form 10-K, fiscal year ended .+\*$/gm)).toHaveLength(5);
    expect(stdout).toContain("offline:extract, which is not an LLM");
  });

  test("run again under its id, it returns the same report without a call", async () => {
    const document = async () => JSON.parse((await flujo([...run, "--run-id", "all", "--json"])).stdout);
    const { status, spent, output } = await document();
    expect(status).toBe("completed");
    expect(spent.calls).toBe(5);
    expect(Number(spent.costUsd)).toBeGreaterThan(0);
    expect(Number(spent.costUsd)).toBeLessThan(0.15);
    expect((await document()).spent).toEqual(spent);
    expect(output).toContain("# What the annual reports say");
  });

  test("companies may be named; an unknown one is refused before anything runs", async () => {
    const two = await flujo([...run, "--input", "NVIDIA, Apple"]);
    expect(two.stdout.match(/^## .+$/gm)).toEqual(["## NVIDIA", "## Apple"]);
    const none = await flujo([...run, "--input", "Acme"]);
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain("NVIDIA");
  });

  test("with a key the sentences come from OpenAI, and the report says so", async () => {
    await using openai = await openaiServer({ reply: () => "It grew." });
    const env = { OPENAI_API_KEY: "sk-of-nobody", OPENAI_BASE_URL: openai.url };
    const { code, stdout } = await flujo([...run, "--input", "Amazon"], env);
    expect(code).toBe(0);
    expect(stdout).toContain("\nIt grew.\n");
    expect(stdout).toContain("The sentences above were written by openai:gpt-4o-mini.");
    expect(openai.requests).toHaveLength(1);
    expect(openai.requests[0]?.text).toContain("$574,785 million");
  });
});

test("survives-kill dies in its fourth step, and the same command again goes on there", async () => {
  const command = ["run", "examples/survives-kill.ts", "--run-id", "phoenix"];
  const first = await flujo(command);
  expect(first).toMatchObject({ signal: "SIGKILL", stdout: "" });
  expect(first.stderr).toContain("npx flujo resume phoenix");
  const second = await flujo(command);
  expect(second.code).toBe(0);
  const done = [...second.stdout.matchAll(/^\d\. (\w+) +process (\d+)$/gm)].map(([, name, pid]) => ({
    name,
    pid,
  }));
  expect(done.map(({ name }) => name)).toEqual(["dig", "sow", "water", "plant", "weed", "reap"]);
  const pids = done.map(({ pid }) => pid);
  expect(new Set(pids.slice(0, 3)).size).toBe(1);
  expect(new Set(pids.slice(3)).size).toBe(1);
  expect(pids[0]).not.toBe(pids[3]);
  expect(second.stdout).toContain("6 steps, each done once, by 2 processes.");
});
