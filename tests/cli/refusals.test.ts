import { globSync, readFileSync, truncateSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { Folder, pipelines } from "./command.ts";

describe("words that make no sense exit 2", () => {
  test.each([
    [["frob"], "unknown command"],
    [["run"], "missing required argument"],
    [["run", pipelines, "--frob"], "unknown option"],
    [["run", pipelines, "--input", "a", "--input-json", "1"], "--input and --input-json are both there"],
    [["run", pipelines, "--input-json", "{"], "--input-json is not JSON"],
    [["run", pipelines, "--input", "@nowhere.txt"], "the input cannot be read"],
    [["run", pipelines, "--state-json", "[]"], "--state-json is not an object"],
    [["run", pipelines, "--budget", "0.50"], "--budget '$0.50'"],
    [["run", pipelines, "--max-tokens", "many"], "Write 1000, 500k or 2M"],
    [["run", pipelines, "--assume-items", "3"], "are for a --dry-run"],
    [["run", pipelines, "--dry-run", "--assume-items", "some"], "It takes a whole number"],
    [["run", pipelines, "--store", "redis:x"], "names no store"],
    [["run", pipelines, "--input", "x", "--run-id", "../x"], "is not a run id"],
    [["lens", "list", "--status", "odd"], "Allowed choices are"],
  ])("flujo %j", async (args, expected) => {
    const { code, stdout, stderr } = await new Folder().flujo(...args);
    expect(stderr).toContain(expected);
    expect(stderr).not.toContain("    at ");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  test("also as a document", async () => {
    const { code, document } = await new Folder().json("run", "--frob");
    expect(document).toMatchObject({ status: "refused", error: { code: "usage" } });
    expect(code).toBe(2);
  });

  test("input that is not UTF-8", async () => {
    const folder = new Folder();
    folder.write("bad.txt", Uint8Array.of(0xff, 0xfe));
    expect(await folder.flujo("run", pipelines, "--input", "@bad.txt")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("bad.txt is not UTF-8 text"),
    });
  });
});

describe("what cannot run is refused before it runs", () => {
  test.each([
    ["count", ["--input", "text"], "invalid-input", /input of \/count does not fit/],
    ["duplicate", [], "invalid-pipeline", /"same" names two places/],
    ["stranger", ["--input", "x"], "unknown-model", /there is no provider "nobody"/],
    ["keyless", ["--input", "x"], "missing-key", /API key of @ai-sdk\/openai is not set/],
  ])("%s", async (name, args, errorCode, message) => {
    const folder = new Folder();
    const { code, document } = await folder.json("run", pipelines, "--export", name, ...args);
    expect(document).toMatchObject({ runId: null, status: "refused", error: { code: errorCode } });
    expect(document.error.message).toMatch(message);
    expect(code).toBe(2);
    expect((await folder.json("lens", "list")).document.runs).toEqual([]);
  });
});

test("a value that cannot be stored is named by step and field, exit 1", async () => {
  const { code, stderr } = await new Folder().flujo("run", pipelines, "--export", "unstorable");
  expect(stderr).toContain("output of /unstorable/make cannot be stored: nested.call is a function (call)");
  expect(code).toBe(1);
});

test("no secret of the environment is printed, whoever puts it in an error", async () => {
  const folder = new Folder();
  folder.write(
    "p.ts",
    'import { step } from "flujo";\nexport default step("a", () => { throw new Error("bad key " + process.env.MY_API_KEY); });\n',
  );
  const env = { MY_API_KEY: "sk-very-secret-123" };
  const { stdout, stderr } = await folder.start(["run", "p.ts", "--run-id", "s", "--json"], { env }).ended;
  const shown = await folder.start(["lens", "show", "s"], { env }).ended;
  for (const text of [stdout, stderr, shown.stdout]) {
    expect(text).toContain("bad key [MY_API_KEY]");
    expect(text).not.toContain("sk-very-secret-123");
  }
});

describe("a store that cannot be used is told of in one letter, exit 1", () => {
  const told = async (folder: Folder, uri: string, expected: string | RegExp, ...args: string[]) => {
    const { code, stdout, stderr } = await folder.flujo(...args, "--store", uri);
    expect(stderr).toMatch(expected);
    expect(stderr).not.toContain("    at ");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  };
  const run = ["run", pipelines, "--input", "x"];

  test("no database", async () => {
    const folder = new Folder();
    folder.write("x.db", "this is no database, and long enough to be looked at as one ".repeat(20));
    await told(folder, "sqlite:x.db", /damaged, or no Flujo database/, ...run);
    await told(folder, "sqlite:x.db", /damaged, or no Flujo database/, "lens", "list");
  });

  test("a truncated database", async () => {
    const folder = new Folder();
    await folder.flujo(...run, "--run-id", "r", "--store", "sqlite:x.db");
    truncateSync(`${folder.path}/x.db`, 5_000);
    await told(folder, "sqlite:x.db", /damaged, or no Flujo database/, "lens", "show", "r");
  });

  test("a database of a newer Flujo", async () => {
    const folder = new Folder();
    await folder.flujo(...run, "--store", "sqlite:x.db");
    const db = new DatabaseSync(`${folder.path}/x.db`);
    db.exec("PRAGMA user_version = 99");
    db.close();
    await told(folder, "sqlite:x.db", /written by a newer Flujo/, ...run);
  });

  test("a journal file of a newer Flujo", async () => {
    const folder = new Folder();
    await folder.flujo(...run, "--run-id", "r", "--store", "file:j");
    const [journal] = globSync(`${folder.path}/j/runs/r/journal-*`);
    const [head = "", ...lines] = readFileSync(journal as string, "utf8").split("\n");
    const newer = head.slice(head.indexOf(" ") + 1).replace('"format":1', '"format":99');
    const sum = crc32(newer).toString(16).padStart(8, "0");
    folder.write((journal as string).slice(folder.path.length + 1), [`${sum} ${newer}`, ...lines].join("\n"));
    await told(folder, "file:j", /written by a newer Flujo/, "lens", "show", "r");
    await told(folder, "file:j", /written by a newer Flujo/, ...run, "--run-id", "r");
  });

  test("a damaged journal file", async () => {
    const folder = new Folder();
    await folder.flujo(...run, "--run-id", "r", "--store", "file:j");
    const [journal] = globSync(`${folder.path}/j/runs/r/journal-*`);
    const lines = readFileSync(journal as string, "utf8").split("\n");
    folder.write(
      (journal as string).slice(folder.path.length + 1),
      ["garbage", ...lines.slice(1)].join("\n"),
    );
    await told(folder, "file:j", /journal/, "lens", "show", "r");
  });

  test("a file where a folder should be", async () => {
    const folder = new Folder();
    folder.write("here", "");
    await told(folder, "file:here", /a file stands where a folder should/, ...run);
    await told(folder, "sqlite:here/x.db", /cannot be opened/, ...run);
  });
});
