/** flujo lens replay, flujo lens fork, flujo check. */
import { expect, test } from "vitest";
import { Folder } from "./command.ts";

/** A pipeline with an agent that no network is needed for, and code that can be changed. */
const source = ({ big = 3, system = "Be brief.", first = "n + 1" } = {}): string => `
import { agent, branchOn, pipeline, step } from "flujo";
export default pipeline(
  "sizes",
  step("first", (n) => ${first})
    .to(branchOn("size", (n) => (n > ${big} ? "big" : "small"), {
      big: step("many", (n) => \`There are \${n}. That is a lot.\`),
      small: step("few", (n) => \`There are \${n}. That will do.\`),
    }))
    .to(agent("say", { model: "offline:extract", system: "${system}" })),
);
`;

async function ran(...inputs: number[]) {
  const folder = new Folder();
  folder.write("sizes.ts", source());
  for (const n of inputs) {
    const { code } = await folder.flujo(
      "run",
      "sizes.ts",
      "--input-json",
      String(n),
      "--run-id",
      `r${n}`,
      "--quiet",
    );
    expect(code).toBe(0);
  }
  return folder;
}

test("replay says that the code of today does the same, or what it does otherwise and where", async () => {
  const folder = await ran(5);
  const same = await folder.flujo("lens", "replay", "r5");
  expect(same.stdout).toContain("replay    the same: ");
  expect(same.code).toBe(0);
  folder.write("sizes.ts", source({ big: 9 }));
  const other = await folder.flujo("lens", "replay", "r");
  expect(other.stdout).toContain(
    'branch    /sizes/size\n            recorded  "big"\n            now       "small"',
  );
  expect(other.code).toBe(1);
  const { document } = await folder.json("lens", "replay", "r5");
  expect(document).toMatchObject({ same: false, differences: [{ path: "/sizes/size", what: "branch" }] });
});

test("--bodies all runs bodies, and finds another result", async () => {
  const folder = await ran(5);
  folder.write("sizes.ts", source({ first: "n + 2" }));
  const shown = await folder.flujo("lens", "replay", "r5");
  expect(shown.stdout).toContain("changed   /sizes/first (since then)");
  expect(shown.code).toBe(0);
  const run = await folder.flujo("lens", "replay", "r5", "--bodies", "all");
  expect(run.stdout).toContain("output    /sizes/first");
  expect(run.code).toBe(1);
});

test("--live-from goes on for real, as a new run", async () => {
  const folder = await ran(5);
  const live = await folder.json("lens", "replay", "r5", "--live-from", "/sizes/say", "--run-id", "again");
  expect(live.document).toMatchObject({ runId: "again", status: "completed" });
  const shown = await folder.flujo("lens", "show", "again");
  expect(shown.stdout).toContain("fork      of r5 at /sizes/say, shared $0");
});

test("fork gives a place another input, an agent another prompt; what was shared is not done again", async () => {
  const folder = await ran(5);
  const input = await folder.json("lens", "fork", "r5", "--at", "/sizes/size", "--set-input", "1");
  expect(input).toMatchObject({
    code: 0,
    document: { status: "completed", output: expect.stringContaining("1") },
  });
  folder.write("system.txt", "Be very brief.\n");
  const prompt = await folder.json(
    ...[
      "lens",
      "fork",
      "r5",
      "--at",
      "/sizes/say",
      "--set-system",
      "@system.txt",
      "--set-prompt",
      "It is so.",
    ],
    ...["--run-id", "f"],
  );
  expect(prompt.document.output).toContain("It is so.");
  expect((await folder.flujo("lens", "replay", "f")).code).toBe(0);
  folder.write(
    "overlay.json",
    JSON.stringify([{ op: "replace", path: "/~1sizes~1say/system", value: "Other." }]),
  );
  const overlay = await folder.json("lens", "fork", "f", "--at", "/sizes/say", "--overlay", "overlay.json");
  expect(overlay.document).toMatchObject({ status: "completed" });
});

test("what is wrong with a fork is told before anything is made", async () => {
  const folder = await ran(5);
  const fork = (...flags: string[]) => folder.flujo("lens", "fork", "r5", "--run-id", "f", ...flags);
  const nowhere = await fork("--at", "/sizes/none");
  expect(nowhere.stderr).toContain("run r5 has nothing recorded at /sizes/none");
  expect(nowhere.code).toBe(2);
  const noAgent = await fork("--at", "/sizes/size", "--set-prompt", "x");
  expect(noAgent.stderr).toContain("there is no agent at /sizes/size to change\nIts agents are /sizes/say.");
  expect((await fork("--at", "/sizes/say", "--set-input", "{")).stderr).toContain("--set-input is not JSON");
  folder.write("sizes.ts", source({ first: "n + 2" }));
  expect((await fork("--at", "/sizes/say")).code).toBe(5);
  expect((await folder.flujo("lens", "show", "f")).code).toBe(2);
});

test("check names the runs that would break, and where", async () => {
  const folder = await ran(1, 5, 8);
  const calm = await folder.flujo("check");
  expect(calm).toMatchObject({ code: 0, stdout: "3 runs checked: none breaks.\n" });
  folder.write("sizes.ts", source({ big: 7 }));
  const broken = await folder.flujo("check", "sizes.ts");
  expect(broken.code).toBe(1);
  expect(broken.stdout).toContain("r5  sizes, completed\n  branch    /sizes/size");
  expect(broken.stdout).toContain("3 runs checked: 1 would break.");
  expect(broken.stdout).not.toContain("r8");
  const { document } = await folder.json("check", "--runs", "1");
  expect(document).toMatchObject({ checked: 1, broken: 0, runs: [{ runId: "r8", same: true }] });
  folder.write("sizes.ts", source({ system: "Be long." }));
  expect((await folder.flujo("check", "--pipeline", "sizes")).stdout).toContain("other: system prompt");
});

test("check finds nothing in an empty store, and says so when no run's file is left", async () => {
  const empty = new Folder();
  expect(await empty.flujo("check")).toMatchObject({ code: 0, stdout: "0 runs checked: none breaks.\n" });
  const folder = await ran(5);
  folder.write("sizes.ts", "export const nothing = 1;\n");
  const gone = await folder.flujo("check");
  expect(gone.stdout).toContain("r5  not checked: ");
  expect(gone.code).toBe(2);
});
