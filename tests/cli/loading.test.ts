import { mkdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Folder, pipelines } from "./command.ts";

/** Under Node's own type stripping, and, where a Node has none, under jiti. */
const ways = [
  ["stripped", {}],
  ["by jiti", { NODE_OPTIONS: "--no-experimental-strip-types" }],
] as const;

describe.each(ways)("a user's file, %s", (_, env) => {
  const load = (source: string, ...more: string[]) => {
    const folder = new Folder();
    const file = folder.write("p.ts", source);
    return folder.start(["run", file, "--quiet", "--store", "memory:", ...more], { env }).ended;
  };

  test("has the same Flujo as the command, through every door", async () => {
    const { stdout } = await load(`
      import { FlujoError, InvalidOptionError, pipeline, step } from "flujo";
      import { memory } from "flujo/memory";
      import { sqlite } from "flujo/sqlite";
      export default pipeline("p", step("a", () => {
        try { step("", () => 1); } catch (error) {
          return [error instanceof FlujoError, error instanceof InvalidOptionError, typeof memory, typeof sqlite];
        }
      }));`);
    expect(JSON.parse(stdout)).toEqual([true, true, "function", "function"]);
  });

  test("finds its neighbours with and without an extension, in a folder of any module type", async () => {
    const folder = new Folder();
    folder.write("package.json", '{ "type": "commonjs" }');
    folder.write("part.ts", 'export const part: string = "part";\n');
    mkdirSync(`${folder.path}/lib`);
    folder.write("lib/index.ts", 'export const lib: string = "lib";\n');
    const file = folder.write(
      "p.ts",
      'import { step } from "flujo";\nimport { part } from "./part";\nimport { part as again } from "./part.js";\nimport { lib } from "./lib";\nexport default step("a", () => part + again + lib);\n',
    );
    const { stdout, stderr } = await folder.start(["run", file, "--quiet"], { env }).ended;
    expect({ stdout, stderr }).toEqual({ stdout: "partpartlib\n", stderr: "" });
  });

  test("may have enums and parameter properties", async () => {
    const { stdout } = await load(`
      import { step } from "flujo";
      enum Kind { A = "a" }
      class Named { constructor(readonly name: string) {} }
      export default step("a", () => Kind.A + new Named("b").name);`);
    expect(stdout).toBe("ab\n");
  });

  test.each([
    ["a syntax error", "export const a: number = 1;\nconst b = ;\n", /p\.ts:2:11 SyntaxError: /],
    [
      "a name declared twice",
      "let x: number = 1;\nlet x: number = 2;\n",
      /p\.ts:2:5 SyntaxError: .*'x' has already been declared/,
    ],
    ["a throw", 'export const a = 1;\nthrow new Error("not today");\n', /p\.ts:2:7 Error: not today/],
    [
      "a package that is missing",
      'import x from "no-such-package";\nexport default x;\n',
      /p\.ts:1:15 .*no-such-package[\s\S]*npm install no-such-package/,
    ],
    [
      "a wrong option",
      'import { step } from "flujo";\n\nexport default step("a", () => 1).timeout("1 minute" as never);\n',
      /p\.ts:3:\d+ InvalidOptionError: "1 minute" is not a duration/,
    ],
  ])("with %s is refused, and the place is named", async (_name, source, expected) => {
    const { code, stdout, stderr } = await load(source);
    expect(stderr).toMatch(expected);
    expect(stderr).not.toContain("    at ");
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

describe("which export is run", () => {
  const run = (source: string, ...more: string[]) => {
    const folder = new Folder();
    folder.write("p.ts", `import { step } from "flujo";\n${source}\n`);
    return folder.flujo("run", "p.ts", "--quiet", ...more);
  };

  test("the default one, else `pipeline`, else the only one, or the one named", async () => {
    const both =
      'export const pipeline = step("p", () => "named"); export const other = step("o", () => "other");';
    expect((await run(`${both} export default step("d", () => "default");`)).stdout).toBe("default\n");
    expect((await run(both)).stdout).toBe("named\n");
    expect((await run('export const only = step("o", () => "only"); export const n = 1;')).stdout).toBe(
      "only\n",
    );
    expect((await run(both, "--export", "other")).stdout).toBe("other\n");
  });

  test("none, several, or a wrong name: the exports are listed", async () => {
    const none = await run("export const a = 1; export const b = () => 2;");
    expect(none.stderr).toContain("it exports no pipeline; its exports: a, b");
    expect(none.code).toBe(2);
    const several = await run('export const a = step("a", () => 1); export const b = step("b", () => 1);');
    expect(several.stderr).toContain("--export a");
    expect(several.code).toBe(2);
    const wrong = await run('export default step("a", () => 1);', "--export", "c");
    expect(wrong.stderr).toContain('it exports no pipeline named "c"; its exports: default (a pipeline)');
    expect(wrong.code).toBe(2);
  });

  test("a missing file, a folder and a file of another kind are named", async () => {
    const folder = new Folder();
    const missing = await folder.json("run", "nowhere.ts");
    expect(missing.document).toMatchObject({
      runId: null,
      status: "refused",
      error: { code: "cannot-load" },
    });
    expect(missing.document.error.message).toContain("there is no file");
    expect(missing.code).toBe(2);
    expect(await folder.flujo("run", ".")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is not a file"),
    });
    folder.write("p.yaml", "steps: []\n");
    expect(await folder.flujo("run", "p.yaml")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("A pipeline is a TypeScript or JavaScript file."),
    });
  });
});

test("code of the user's that throws outside any step is named as such, not as a fault of Flujo", async () => {
  const folder = new Folder();
  folder.write(
    "p.ts",
    'import { pipeline, step } from "flujo";\nexport default pipeline("p", step("a", () => 1), { state: () => { throw new Error("no state"); } });\n',
  );
  const { code, stderr } = await folder.flujo("run", "p.ts");
  expect(stderr).toMatch(/p\.ts:2:\d+ Error: no state/);
  expect(stderr).not.toContain("fault of Flujo");
  expect(code).toBe(2);
});

test("validate lists every problem; graph draws; neither runs anything", async () => {
  const folder = new Folder();
  const fine = await folder.flujo("validate", pipelines);
  expect(fine.code).toBe(0);
  const bad = await folder.flujo("validate", pipelines, "--export", "duplicate");
  expect(bad.stderr).toContain("duplicate-name  /duplicate/same");
  expect(bad.code).toBe(2);
  const stranger = await folder.flujo("validate", pipelines, "--export", "stranger");
  expect(stranger.stderr).toContain("unknown-model  /stranger/ask");
  expect(stranger.code).toBe(2);
  expect((await folder.flujo("graph", pipelines, "--export", "everything")).stdout).toContain(
    "loopUntil, at most 20 turns",
  );
  expect((await folder.flujo("graph", pipelines, "--format", "mermaid")).stdout).toMatch(/^flowchart TD\n/);
  expect(JSON.parse((await folder.flujo("graph", pipelines, "--format", "json")).stdout)[0]).toMatchObject({
    path: "/shout",
  });
  expect((await folder.flujo("graph", pipelines, "--format", "png")).code).toBe(2);
});

test("init writes a project that runs, and overwrites nothing", async () => {
  const folder = new Folder();
  const made = await folder.flujo("init", "mine");
  expect(made.stderr).toContain("npx flujo run pipeline.ts");
  expect(made.code).toBe(0);
  const run = await folder.flujo(
    "run",
    "mine/pipeline.ts",
    "--input",
    "First one. More.\n\nSecond one. More.",
  );
  expect(run.stdout).toBe("- First one.\n- Second one.\n");
  const again = await folder.flujo("init", "mine");
  expect(again.stderr).toContain("nothing is overwritten");
  expect(again.code).toBe(2);
});
