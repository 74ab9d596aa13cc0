import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { bin, Folder, pipelines } from "./command.ts";

const summarise = (runId: string, ...more: string[]) => [
  ...["run", pipelines, "--export", "summaries", "--input-json", '["One. Two.", "Three. Four."]'],
  ...["--run-id", runId, "--quiet", ...more],
];

test("an empty store has no shared budgets, and looking makes nothing", async () => {
  const folder = new Folder();
  const { code, stdout, stderr } = await folder.flujo("budget", "show");
  expect(stderr).toContain("There are no shared budgets in sqlite:.flujo/flujo.db");
  expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  expect((await folder.json("budget", "show")).document).toEqual({ budgets: [] });
  const unknown = await folder.flujo("budget", "show", "day");
  expect(unknown.stderr).toContain('there is no shared budget "day"');
  expect(unknown.code).toBe(2);
  expect(existsSync(`${folder.path}/.flujo`)).toBe(false);
});

test("set makes a shared budget and changes the limits it names; none takes one away", async () => {
  const folder = new Folder();
  const made = await folder.flujo("budget", "set", "tenant:acme", "--cost", "$20", "--calls", "3");
  expect(made.stdout).toContain("limits   $20, 3 calls");
  const { document } = await folder.json("budget", "set", "tenant:acme", "--calls", "none", "--tokens", "2M");
  expect(document.budgets).toMatchObject([
    { scope: "tenant:acme", limits: { costUsd: "20", tokens: 2_000_000 }, leftUsd: "20", holds: [] },
  ]);
  expect(document.budgets[0].limits.calls).toBeUndefined();
  await folder.flujo("budget", "set", "tenant:acme", "--alert-at", "0.8,0.5");
  const { document: shown } = await folder.json("budget", "show", "tenant:acme");
  expect(shown.budgets[0].alertAt).toEqual([50, 80]);
});

test("runs are charged to a shared budget until it is used up; topped up, they are resumed", async () => {
  const folder = new Folder();
  await folder.flujo("budget", "set", "day", "--calls", "3");
  expect((await folder.flujo(...summarise("one", "--scope", "day"))).code).toBe(0);
  const halted = await folder.flujo(...summarise("two", "--scope", "day"));
  expect(halted.stderr).toContain("the shared budget day does not allow a call");
  expect(halted.stderr).toContain("flujo budget top-up 'day'");
  expect(halted.stderr).not.toContain("--budget '$1.00'");
  expect(halted.code).toBe(4);
  const raised = await folder.flujo("budget", "top-up", "day", "--calls", "1");
  expect(raised.stdout).toContain("limits   4 calls");
  expect((await folder.flujo("resume", "two")).code).toBe(0);
  const { document } = await folder.json("budget", "show", "day");
  expect(document.budgets).toMatchObject([{ posted: { calls: 4 }, pending: { calls: 0 }, holds: [] }]);
  expect((await folder.flujo("lens", "show", "two")).stdout).toContain("charged   to day as well");
});

/** Runs what a person was told to enter, as a shell does. */
const entered = (command: string, cwd: string) =>
  promisify(execFile)("sh", ["-c", `flujo() { '${process.execPath}' '${bin}' "$@"; }; ${command}`], {
    cwd,
    env: { ...process.env, NO_COLOR: "1" },
  });

test.each([
  ["cheap", [], "cost", "flujo resume r --budget '$0.01'"],
  ["fewTokens", [], "tokens", "flujo resume r --max-tokens 10000"],
  ["fewCalls", [], "calls", "flujo budget top-up r --calls 1 && flujo resume r"],
  ["noTools", [], "toolCalls", "flujo budget top-up r --tool-calls 1 && flujo resume r"],
  ["hasty", [], "time", /^flujo budget top-up r --time 6\ds && flujo resume r$/],
  ["summaries", ["--scope", "a b"], "cost", "flujo budget top-up 'a b' '$0.01' && flujo resume r"],
  ["summaries", ["--scope", "a b"], "calls", "flujo budget top-up 'a b' --calls 1 && flujo resume r"],
  ["summaries", ["--scope", "a b"], "tokens", "flujo budget top-up 'a b' --tokens 10000 && flujo resume r"],
])(
  "%s %j halts for want of %s, and what is told then is enough to go on",
  async (name, flags, limit, told) => {
    const folder = new Folder();
    const small = { cost: "$0.000000001", tokens: "1", calls: "1" }[limit] ?? "";
    if (flags.length > 0) await folder.flujo("budget", "set", "a b", `--${limit}`, small);
    const run = ["run", pipelines, "--export", name, "--run-id", "r", "--input-json", '["One.", "Two."]'];
    const halted = await folder.flujo(...run, ...flags);
    expect(halted.code).toBe(4);
    const { document } = await folder.json("resume", "r");
    const of = flags.length > 0 ? "shared" : "run";
    expect(document.error.details).toMatchObject({ exceeded: { of, limit } });
    const [, command = ""] = /To go on: (.*)$/m.exec(halted.stderr) ?? [];
    expect(command).toEqual(typeof told === "string" ? told : expect.stringMatching(told));
    await entered(command, folder.path);
    expect((await folder.json("lens", "show", "r")).document.run.status).toBe("completed");
  },
);

test("at the limit of a place the place is named, and no flag that could not help", async () => {
  const folder = new Folder();
  const run = ["run", pipelines, "--export", "placed", "--run-id", "r", "--input-json", '["One.", "Two."]'];
  const { code, stderr } = await folder.flujo(...run);
  expect(code).toBe(4);
  expect(stderr).toContain("Raise the limit of /placed/each in the pipeline, and resume the run.");
  expect(stderr).toMatch(/To go on: flujo resume r$/m);
});

test("top-up raises the limits of a halted run, by the first characters of its id", async () => {
  const folder = new Folder();
  const halted = await folder.flujo(...summarise("long-name", "--max-tokens", "10"));
  expect(halted.code).toBe(4);
  const { code, stderr } = await folder.flujo("budget", "top-up", "long", "--tokens", "1M");
  expect(stderr).toContain("The limits of run long-name are raised. To go on: flujo resume long-name");
  expect(code).toBe(0);
  expect((await folder.flujo("resume", "long-name")).code).toBe(0);
});

test("top-up reaches a run that another process advances", async () => {
  const folder = new Folder();
  const running = folder.start([
    ...["run", pipelines, "--export", "nap", "--input", "x", "--run-id", "n", "--budget", "$1"],
  ]);
  await running.saw("/nap/begin");
  const { code, stderr } = await folder.flujo("budget", "top-up", "n", "$2");
  expect(stderr).toContain("Run n is being advanced by another process");
  expect(code).toBe(0);
  await running.saw("the limits of the run are raised");
  await running.ended;
  expect((await folder.json("lens", "show", "n")).document.run.limits).toEqual({ costUsd: "3" });
});

test.each([
  [["budget", "set", "day"], "nothing to set"],
  [["budget", "set", "day", "--cost", "20"], "is not an amount of money"],
  [["budget", "set", "day", "--calls", "many"], "is not a number of calls"],
  [["budget", "set", " day", "--calls", "1"], "cannot name a shared budget"],
  [["budget", "set", "day", "--alert-at", "80"], "alertAt holds 80"],
  [["budget", "top-up", "day"], "no amount to top up by"],
  [["budget", "top-up", "day", "$5"], "neither a shared budget nor a run"],
  [["budget", "top-up", "a:b", "$5"], "neither a shared budget nor a run"],
])("%j is refused with exit code 2", async (args, message) => {
  const folder = new Folder();
  const { code, stdout, stderr } = await folder.flujo(...args);
  expect(stderr).toContain(message);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
});
