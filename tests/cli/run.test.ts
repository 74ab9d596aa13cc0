import { describe, expect, test } from "vitest";
import { Folder, pipelines } from "./command.ts";

const hello = new URL("../../examples/hello.ts", import.meta.url).pathname;

describe("flujo run", () => {
  test("prints the result on stdout and nothing else there", async () => {
    const { code, stdout, stderr } = await new Folder().flujo("run", hello, "--input", "Flujo");
    expect(stdout).toBe("Hello, Flujo!\n");
    expect(stderr).toContain("hello completed");
    expect(code).toBe(0);
  });

  test("--quiet leaves stderr empty", async () => {
    const { stdout, stderr } = await new Folder().flujo("run", pipelines, "--input", "x", "--quiet");
    expect({ stdout, stderr }).toEqual({ stdout: "X\n", stderr: "" });
  });

  test("a streamed answer is the result alone on stdout, and no line per piece elsewhere", async () => {
    const folder = new Folder();
    const input = "Ships sail. The sea is wide and the sea is deep.";
    const { stdout, stderr } = await folder.flujo(
      ...["run", pipelines, "--export", "told", "--run-id", "t", "--input", input],
    );
    expect(stdout).toBe("The sea is wide and the sea is deep.\n");
    expect(stderr.split("\n").filter((line) => line.includes("sea"))).toEqual([]);
    const { document } = await folder.json("run", pipelines, "--export", "told", "--run-id", "t");
    expect(document.output).toBe("The sea is wide and the sea is deep.");
  });

  test("anything but a text is printed as JSON, dates, maps, sets and bigints made readable", async () => {
    const { stdout } = await new Folder().flujo("run", pipelines, "--export", "rich");
    expect(JSON.parse(stdout)).toEqual({
      at: "1970-01-01T00:00:00.000Z",
      big: "12",
      map: { a: 1 },
      set: [1],
    });
    expect((await new Folder().flujo("run", pipelines, "--export", "nothing")).stdout).toBe("");
  });

  test("--json prints one document with everything about the run", async () => {
    const { code, document } = await new Folder().json("run", pipelines, "--input", "x", "--run-id", "one");
    expect(document).toEqual({
      runId: "one",
      pipeline: "shout",
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
      status: "completed",
      output: "X",
      error: null,
      waitingFor: [],
      until: null,
      spent: { costUsd: "0", inputTokens: 0, outputTokens: 0, calls: 0 },
      prices: [],
      durationMs: expect.any(Number),
    });
    expect(code).toBe(0);
  });

  test("the input is a text, a file's text, standard input's, or JSON", async () => {
    const folder = new Folder();
    folder.write("in.txt", "from a file");
    const run = ["run", pipelines, "--quiet"];
    expect((await folder.flujo(...run, "--input", "@in.txt")).stdout).toBe("FROM A FILE\n");
    expect((await folder.start([...run, "--input", "-"], { input: "piped" }).ended).stdout).toBe("PIPED\n");
    expect((await folder.flujo("run", pipelines, "--export", "count", "--input-json", "21")).stdout).toBe(
      "42\n",
    );
  });

  test("NUL bytes and lone surrogates pass through", async () => {
    const folder = new Folder();
    folder.write("nul.txt", "a\0b");
    expect((await folder.flujo("run", pipelines, "--input", "@nul.txt")).stdout).toBe("A\0B\n");
    const { document } = await folder.json("run", pipelines, "--input-json", '"\\ud800"');
    expect(document.output).toBe("\ud800");
  });

  test("--state-json sets fields of the initial state", async () => {
    const run = ["run", pipelines, "--export", "notes"];
    expect((await new Folder().flujo(...run)).stdout).toBe("0\n");
    expect((await new Folder().flujo(...run, "--state-json", '{ "seen": ["a", "b"] }')).stdout).toBe("2\n");
  });

  test("the same run id again returns the recorded result; with another input or pipeline it is refused", async () => {
    const folder = new Folder();
    await folder.flujo("run", pipelines, "--input", "x", "--run-id", "one");
    const again = await folder.flujo("run", pipelines, "--run-id", "one", "--quiet");
    expect(again).toEqual({ code: 0, stdout: "X\n", stderr: "" });
    const other = await folder.flujo("run", pipelines, "--export", "rich", "--run-id", "one");
    expect(other.stderr).toContain('it is one of the pipeline "shout", not of "rich"');
    expect(other.code).toBe(2);
  });

  test("a failed run exits 1, names the place, and says how to go on", async () => {
    const folder = new Folder();
    const { code, stdout, stderr } = await folder.flujo(
      "run",
      pipelines,
      "--export",
      "failing",
      "--run-id",
      "f",
    );
    expect(stderr).toContain("/failing/second failed: Error: it broke");
    expect(stderr).toContain("flujo resume f");
    expect(stdout).toBe("");
    expect(code).toBe(1);
    const { document } = await folder.json("run", pipelines, "--export", "failing", "--run-id", "f");
    expect(document).toMatchObject({
      status: "failed",
      output: null,
      error: { code: "step-failed", path: "/failing/second" },
    });
  });

  test("what is told to do next names the store that was named, and nothing where the run was kept in memory", async () => {
    const folder = new Folder();
    const run = ["run", pipelines, "--export", "failing", "--run-id", "f"];
    const named = await folder.flujo(...run, "--store", "file:my runs");
    expect(named.stderr).toContain("What it finished is kept: flujo resume f --store 'file:my runs' tries");
    const gone = await folder.flujo(...run, "--store", "memory:");
    expect(gone.stderr).toContain("kept in memory only and is gone");
    expect(gone.stderr).not.toContain("flujo resume");
    for (const [name, input] of [
      ["asking", '"Hi"'],
      ["summaries", '["One. Two."]'],
    ] as const) {
      const more = ["--budget", "$0.000000001", "--input-json", input, "--store", "memory:"];
      const { stderr } = await folder.flujo("run", pipelines, "--export", name, ...more);
      expect(stderr).toContain("kept in memory only and is gone");
      expect(stderr).not.toMatch(/flujo resume [0-9a-f]/);
    }
  });

  test("a waiting run exits 3 and shows what it asks", async () => {
    const folder = new Folder();
    const { code, stderr } = await folder.flujo("run", pipelines, "--export", "asking", "--input", "Hi");
    expect(stderr).toContain('/asking/approve  Send "Hi"?');
    expect(code).toBe(3);
    const { document } = await folder.json("run", pipelines, "--export", "asking", "--input", "Hi");
    expect(document).toMatchObject({ status: "waiting", waitingFor: ["/asking/approve"], error: null });
  });

  test("a tool that waits for a person's leave does so, too", async () => {
    const folder = new Folder();
    const run = ["run", pipelines, "--export", "clerk", "--input", "Hi", "--run-id", "c"];
    const { code, stderr } = await folder.flujo(...run);
    const path = "/clerk/serve:tool%3Arefund#0";
    expect(stderr).toContain(`${path}  Refund A7?`);
    expect(code).toBe(3);
    const { document } = await folder.json("lens", "show", "c");
    expect(document.run).toMatchObject({ status: "waiting", waitingFor: [{ path, prompt: "Refund A7?" }] });
  });

  test("a halted run exits 4, keeps what it paid for, and goes on with a larger budget", async () => {
    const folder = new Folder();
    const input = JSON.stringify(
      Array.from({ length: 4 }, (_, i) => `Sentence ${i} is here. ${"And more. ".repeat(20)}`),
    );
    const run = ["run", pipelines, "--export", "summaries", "--run-id", "s", "--input-json", input];
    const halted = await folder.json(...run, "--budget", "$0.00003");
    expect(halted.document).toMatchObject({ status: "halted", error: { code: "budget-exceeded" } });
    expect(Number(halted.document.spent.costUsd)).toBeLessThanOrEqual(0.00003);
    expect(halted.document.spent.calls).toBe(2);
    const source = "declared by Flujo for its offline demo model";
    expect(halted.document.prices).toEqual([{ model: "offline:extract", source, date: "2026-11-01" }]);
    expect(halted.code).toBe(4);
    const resumed = await folder.flujo("resume", "s", "--budget", "$1.00");
    expect(JSON.parse(resumed.stdout)).toHaveLength(4);
    expect((await folder.json("lens", "show", "s")).document.run.spent.calls).toBe(4);
    expect(resumed.stderr).toContain("offline:extract is not an LLM");
    expect(resumed.stderr).toContain(`offline:extract is charged by ${source} of 2026-11-01.`);
    expect(resumed.code).toBe(0);
  });

  test("what a halted run is told to go on with is enough for a call", async () => {
    const folder = new Folder();
    const run = ["run", pipelines, "--export", "summaries", "--run-id", "s", "--input-json", '["One. Two."]'];
    const { stderr } = await folder.flujo(...run, "--budget", "$0");
    expect(stderr).toContain("To go on: flujo resume s --budget '$0.01'");
    expect((await folder.flujo("resume", "s", "--budget", "$0.01")).code).toBe(0);
  });

  test("--max-tokens halts as well, and leaves the pipeline's other limits in force", async () => {
    const { code, document } = await new Folder().json(
      ...["run", pipelines, "--export", "summaries", "--input-json", '["One. Two."]', "--max-tokens", "10"],
    );
    expect(document.error.message).toContain("of 10 are used");
    expect(code).toBe(4);
  });

  test("a step that waits for what cannot happen ends the command, and does not pass for success", async () => {
    const { code, stderr } = await new Folder().flujo("run", pipelines, "--export", "stuck", "--run-id", "s");
    expect(stderr).toContain("a step waits for something that can no longer happen");
    expect(code).toBe(1);
  });

  test.each([
    ["a promise nobody awaits", 'Promise.reject(new Error("let go"))', /p\.ts:\d+:\d+ Error: let go/],
    ["a throw in a timer", 'setTimeout(() => { throw new Error("let go"); })', /p\.ts:\d+:\d+ Error: let go/],
    ["a rejection that is no error", 'Promise.reject("let go")', /let go/],
  ])("%s stops the run with its place, and what is finished is kept", async (_, stray, expected) => {
    const folder = new Folder();
    folder.write(
      "p.ts",
      `import { pipeline, step } from "flujo";
      export default pipeline("p", step("a", () => 1).to("b", async () => {
        if (!process.env.FINE) ${stray};
        await new Promise((resolve) => setTimeout(resolve, process.env.FINE ? 0 : 20_000));
        return "done";
      }));`,
    );
    const { code, document } = await folder.json("run", "p.ts", "--run-id", "s");
    expect(document).toMatchObject({ runId: "s", pipeline: "p", status: "interrupted" });
    expect(document.error).toMatchObject({ code: "uncaught", message: expect.stringMatching(expected) });
    expect(code).toBe(1);
    const { stdout, stderr } = await folder.start(["resume", "s"], { env: { FINE: "1" } }).ended;
    expect(stdout).toBe("done\n");
    expect(stderr).not.toContain("/p/a");
  });

  test("a step that ends the process does not pass for success", async () => {
    const folder = new Folder();
    folder.write("p.ts", 'import { step } from "flujo";\nexport default step("a", () => process.exit(0));\n');
    const { code, stdout, stderr } = await folder.flujo("run", "p.ts");
    expect(stderr).toContain("called process.exit");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });

  test("what a file leaves open does not keep the command from ending", async () => {
    const folder = new Folder();
    const file = folder.write(
      "open.ts",
      'import { step } from "flujo";\nsetInterval(() => {}, 1e6);\nexport default step("a", () => "done");\n',
    );
    expect((await folder.flujo("run", file)).stdout).toBe("done\n");
  });

  test("a reader that goes away is no error", async () => {
    const folder = new Folder();
    const running = folder.start(["run", pipelines, "--export", "large", "--input-json", "5000000"]);
    running.hangUp();
    const { code, stderr } = await running.ended;
    expect(stderr).not.toContain("EPIPE");
    expect(code).toBe(0);
  });
});

describe("flujo.config.ts, FLUJO_STORE and --store", () => {
  const config =
    'import { defineConfig } from "flujo";\nexport default defineConfig({ store: "file:from-config" });\n';

  test("the flag comes before the environment, the environment before the file", async () => {
    const folder = new Folder();
    folder.write("flujo.config.ts", config);
    const run = (id: string, ...more: string[]) => [
      "run",
      pipelines,
      "--input",
      "x",
      "--run-id",
      id,
      ...more,
    ];
    await folder.flujo(...run("a"));
    await folder.start(run("b"), { env: { FLUJO_STORE: "file:from-env" } }).ended;
    await folder.start(run("c", "--store", "file:from-flag"), { env: { FLUJO_STORE: "file:from-env" } })
      .ended;
    const listed = async (store: string) =>
      (await folder.json("lens", "list", "--store", store)).document.runs.map(
        (one: { runId: string }) => one.runId,
      );
    expect(await listed("file:from-config")).toEqual(["a"]);
    expect(await listed("file:from-env")).toEqual(["b"]);
    expect(await listed("file:from-flag")).toEqual(["c"]);
  });

  test("its models and prices are used, its budget limits new runs", async () => {
    const folder = new Folder();
    folder.write("flujo.config.ts", 'export default { budget: "$0.000000001" };\n');
    const { code } = await folder.flujo(
      "run",
      pipelines,
      "--export",
      "summaries",
      "--input-json",
      '["One. Two."]',
    );
    expect(code).toBe(4);
  });

  test("one that cannot be loaded is named", async () => {
    const folder = new Folder();
    folder.write("flujo.config.ts", "export const nothing = 1;\n");
    const { code, stderr } = await folder.flujo("run", pipelines, "--input", "x");
    expect(stderr).toContain("flujo.config.ts exports no configuration");
    expect(code).toBe(2);
  });

  test("its store may be one that it made; what is none is named", async () => {
    const folder = new Folder();
    folder.write(
      "flujo.config.ts",
      'import { sqlite } from "flujo/sqlite";\nexport default { store: sqlite("own.db") };\n',
    );
    await folder.flujo("run", pipelines, "--input", "x", "--run-id", "mine");
    expect((await folder.json("lens", "list", "--store", "sqlite:own.db")).document.runs).toHaveLength(1);
    folder.write("flujo.config.ts", "export default { store: 5 };\n");
    const { code, stderr } = await folder.flujo("run", pipelines, "--input", "x");
    expect(stderr).toMatch(/the store in .*flujo\.config\.ts is none/);
    expect(code).toBe(2);
  });
});
