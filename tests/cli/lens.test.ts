import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { Folder, pipelines } from "./command.ts";

test("an empty store is said to be empty, and looking makes nothing", async () => {
  const folder = new Folder();
  const { code, stdout, stderr } = await folder.flujo("lens", "list");
  expect(stderr).toContain("There are no runs in sqlite:.flujo/flujo.db");
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  expect((await folder.json("lens", "list")).document).toEqual({ runs: [] });
  expect((await folder.flujo("lens", "show", "x")).code).toBe(2);
  expect(existsSync(`${folder.path}/.flujo`)).toBe(false);
});

test("list shows the runs, newest first, by status", async () => {
  const folder = new Folder();
  await folder.flujo("run", pipelines, "--input", "x", "--run-id", "fine");
  await folder.flujo("run", pipelines, "--export", "failing", "--run-id", "broken");
  const { stdout } = await folder.flujo("lens", "list");
  expect(stdout.split("\n").map((line) => line.split(/\s+/).slice(0, 3))).toEqual([
    ["RUN", "STATUS", "PIPELINE"],
    ["broken", "failed", "failing"],
    ["fine", "completed", "shout"],
    [""],
  ]);
  const { document } = await folder.json("lens", "list", "--status", "failed");
  expect(document).toEqual({
    runs: [
      {
        runId: "broken",
        pipeline: "failing",
        fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
        status: "failed",
        createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        updatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
        spent: { costUsd: "0", inputTokens: 0, outputTokens: 0, calls: 0 },
        advancedBy: null,
      },
    ],
  });
});

test("show --json has every nested operation, with input and output", async () => {
  const folder = new Folder();
  await folder.flujo("run", pipelines, "--export", "everything", "--input", "four", "--run-id", "e");
  const { document } = await folder.json("lens", "show", "e");
  expect(document.run).toMatchObject({
    runId: "e",
    pipeline: "everything",
    status: "completed",
    input: "four",
    output: 0,
  });
  expect(Object.keys(document)).toEqual(["run", "operations"]);
  for (const operation of document.operations) {
    expect(Object.keys(operation)).toEqual(
      expect.arrayContaining([
        ...["path", "kind", "status", "attempts", "startedAt", "durationMs"],
        ...["input", "output", "error", "spent"],
      ]),
    );
  }
  const operations = new Map<string, object>(
    document.operations.map((one: { path: string }) => [one.path, one]),
  );
  // Branches stand in the order they were first recorded.
  expect([...operations.keys()].slice(0, 7).toSorted()).toEqual([
    "/everything/both",
    "/everything/both[left]/one",
    "/everything/both[left]/one:length#0",
    "/everything/both[right]/each",
    "/everything/both[right]/each[0]/copy",
    "/everything/both[right]/each[1]/copy",
    "/everything/both[right]/two",
  ]);
  expect(operations.get("/everything/both")).toMatchObject({
    kind: "parallel",
    status: "completed",
    input: "four",
    output: { left: 4, right: ["four", "four"] },
  });
  expect(operations.get("/everything/both[right]/each[1]/copy")).toMatchObject({
    input: "four",
    output: "four",
  });
  expect(operations.get("/everything/route")).toMatchObject({ kind: "branchOn", output: "long" });
  expect(operations.get("/everything/route[long]/keep")).toMatchObject({
    input: { left: 4, right: ["four", "four"] },
    output: 4,
  });
  expect(operations.get("/everything/loop")).toMatchObject({ kind: "loopUntil", input: 4, output: 0 });
  expect(operations.get("/everything/loop[3]/less")).toMatchObject({
    input: 1,
    output: 0,
    attempts: 1,
    error: null,
  });
});

test("show tells people of failures, costs and what comes next", async () => {
  const folder = new Folder();
  await folder.flujo("run", pipelines, "--export", "failing", "--run-id", "broken");
  const failed = (await folder.flujo("lens", "show", "bro")).stdout;
  expect(failed).toContain("error     /failing/second failed: Error: it broke");
  expect(failed).toMatch(/✔ \/failing\/first {2}step[^\n]*\n {4}out {2}kept\n✖ \/failing\/second/);
  await folder.flujo(
    "run",
    pipelines,
    "--export",
    "summaries",
    "--run-id",
    "s",
    "--input-json",
    '["One. Two."]',
    "--budget",
    "$0.01",
  );
  const paid = (await folder.flujo("lens", "show", "s")).stdout;
  expect(paid).toMatch(/spent {5}\$0\.0000\d+, 1 call, \d+ tokens of at most \$0\.01/);
  expect(paid).toContain("model-call, offline:extract (not an LLM)");
  expect(paid).toMatch(
    /on {6}offline:extract {2}\$0\.0000\d+, 1 call, [^\n]*; at most \$0\.05 in, \$0\.2 out a million tokens, by declared by Flujo for its offline demo model of 2026-11-01\n/,
  );
  const { document } = await folder.json("lens", "show", "s");
  expect(document.run.charges).toMatchObject([
    {
      model: "offline:extract",
      spent: { calls: 1 },
      price: { date: "2026-11-01", inputUsdPerMillion: "0.05" },
    },
  ]);
});

test("show names a run that nobody advances any more", async () => {
  const folder = new Folder();
  const running = folder.start(["run", pipelines, "--export", "slow", "--input", "x", "--run-id", "n"]);
  await running.saw("/slow/begin");
  expect((await folder.flujo("lens", "show", "n")).stdout).toMatch(/running, advanced by /);
  running.kill("SIGINT");
  await running.ended;
  const { stdout } = await folder.flujo("lens", "show", "n");
  expect(stdout).toContain("nobody advances it: flujo resume n");
  expect(stdout).toMatch(/… \/slow\/nap {2}sleep, running[^\n]*\n {4}It sleeps until /);
});

test("trace draws the tree with what went to and came from each model, or a part of it", async () => {
  const folder = new Folder();
  const input = ["--input-json", '["One. Two."]', "--budget", "$0.01"];
  await folder.flujo("run", pipelines, "--export", "summaries", "--run-id", "s", ...input);
  const { stdout } = await folder.flujo("lens", "trace", "s");
  expect(stdout).toMatch(/✔ \/summaries\/\S+ {2}mapOver, [^\n]*1 call/);
  expect(stdout).toMatch(/ {4}✔ :call#0 {2}model-call, offline:extract \(not an LLM\)/);
  expect(stdout).toMatch(/→ user: One\. Two\.\n\s+← assistant: One\./);
  const { document } = await folder.json("lens", "trace", "s");
  const call = document.operations.find(({ kind }: { kind: string }) => kind === "model-call");
  expect(call.messages.at(-1)).toEqual({ direction: "from", role: "assistant", text: "One." });
  const part = await folder.json("lens", "trace", "s", "--at", call.path);
  expect(part.document.operations).toEqual([call]);
  const none = await folder.flujo("lens", "trace", "s", "--at", "/summaries/nowhere");
  expect({ code: none.code, stderr: none.stderr }).toEqual({
    code: 2,
    stderr: expect.stringContaining("run s has recorded nothing at /summaries/nowhere"),
  });
});
