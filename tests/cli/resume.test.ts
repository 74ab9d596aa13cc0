import { renameSync } from "node:fs";
import { expect, test } from "vitest";
import { Folder, pipelines } from "./command.ts";

const nap = ["run", pipelines, "--export", "nap", "--input", "x", "--run-id", "n"];
const slow = ["run", pipelines, "--export", "slow", "--input", "x", "--run-id", "n"];

test("Ctrl-C hands the run over: exit 130, and resume goes on where it stood", async () => {
  const folder = new Folder();
  const running = folder.start(nap);
  await running.saw("/nap/begin");
  running.kill("SIGINT");
  const stopped = await running.ended;
  expect(stopped.stderr).toContain("What it finished is kept: flujo resume n");
  expect(stopped.code).toBe(130);
  const resumed = await folder.flujo("resume", "n");
  expect(resumed.stdout).toBe("x!\n");
  expect(resumed.stderr).not.toContain("/nap/begin");
  expect(resumed.code).toBe(0);
});

test("under --json the interrupted run has its document", async () => {
  const folder = new Folder();
  const running = folder.start([...slow, "--json"]);
  await running.saw("/slow/begin");
  running.kill("SIGTERM");
  const { code, stdout } = await running.ended;
  expect(JSON.parse(stdout)).toMatchObject({
    runId: "n",
    status: "interrupted",
    error: { code: "interrupted" },
  });
  expect(code).toBe(130);
});

test("killed without a word, it is resumed by the first characters of its id", async () => {
  const folder = new Folder();
  const running = folder.start([
    "run",
    pipelines,
    "--export",
    "nap",
    "--input",
    "x",
    "--run-id",
    "long-name",
  ]);
  await running.saw("/nap/begin");
  running.kill("SIGKILL");
  await running.ended;
  expect((await folder.flujo("resume", "long-")).stdout).toBe("x!\n");
});

test("a run that another process advances is refused at once, exit 5; cancel stops it there", async () => {
  const folder = new Folder();
  const running = folder.start(slow);
  await running.saw("/slow/begin");
  const refused = await folder.json("resume", "n");
  expect(refused.document).toMatchObject({
    runId: "n",
    pipeline: "slow",
    status: "refused",
    error: { code: "lease-held" },
  });
  expect(refused.code).toBe(5);
  const cancel = await folder.flujo("cancel", "n");
  expect(cancel.stderr).toContain("has been told to stop");
  expect(cancel.code).toBe(0);
  const cancelled = await running.ended;
  expect(cancelled.stderr).toContain("Run n is cancelled");
  expect(cancelled.code).toBe(1);
});

test("a file that has changed where work is recorded is refused, exit 5; --force-version goes on", async () => {
  const folder = new Folder();
  const source = (body: string) =>
    `import { pipeline, step } from "flujo";\nexport default pipeline("p", step("a", () => ${body}).to("b", () => { throw new Error("no"); }));\n`;
  const file = folder.write("p.ts", source("1"));
  await folder.flujo("run", file, "--run-id", "v");
  folder.write("p.ts", source("2"));
  const refused = await folder.flujo("resume", "v");
  expect(refused.stderr).toContain("have changed since: /p/a");
  expect(refused.code).toBe(5);
  expect((await folder.flujo("resume", "v", "--force-version")).code).toBe(1); // b throws still
});

test("a file that is gone is named, with the way out", async () => {
  const folder = new Folder();
  const file = folder.write(
    "p.ts",
    'import { step } from "flujo";\nexport default step("a", () => { throw new Error("no"); });\n',
  );
  await folder.flujo("run", file, "--run-id", "g");
  renameSync(file, `${file.slice(0, -3)}2.ts`);
  const gone = await folder.flujo("resume", "g");
  expect(gone.stderr).toContain(`the file run g came from is gone: ${file}`);
  expect(gone.stderr).toContain("flujo resume g --file FILE");
  expect(gone.code).toBe(2);
  expect((await folder.flujo("resume", "g", "--file", "p2.ts")).stderr).toContain("/a/a failed: Error: no");
});

test("unknown and ambiguous runs are refused", async () => {
  const folder = new Folder();
  for (const id of ["ab1", "ab2"]) await folder.flujo("run", pipelines, "--input", "x", "--run-id", id);
  expect(await folder.flujo("resume", "nope")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("there is no run nope"),
  });
  expect(await folder.flujo("resume", "../x")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("is not a run id"),
  });
  expect(await folder.flujo("resume", "ab")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("several runs begin with ab"),
  });
  expect(await folder.flujo("cancel", "nope")).toMatchObject({ code: 2 });
  expect(await folder.flujo("cancel", "ab1")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("it is completed"),
  });
});
