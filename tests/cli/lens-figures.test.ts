import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { Folder, pipelines } from "./command.ts";

const paid = ["--input-json", '["One. Two.", "Three. Four."]', "--budget", "$0.01"];

/** A store with a run that spent something, and one that failed. */
async function office(): Promise<Folder> {
  const folder = new Folder();
  await folder.flujo("run", pipelines, "--export", "summaries", "--run-id", "paid", ...paid);
  await folder.flujo("run", pipelines, "--export", "failing", "--run-id", "broken");
  return folder;
}

test("costs of a run and of a store are the same to the last digit, and every table adds up", async () => {
  const folder = await office();
  const { document: all } = await folder.json("lens", "costs");
  const { document: one } = await folder.json("lens", "costs", "pai");
  const { document: shown } = await folder.json("lens", "show", "paid");
  expect(all.runs).toBe(2);
  expect(all.total).toEqual(shown.run.spent);
  expect(one.total).toEqual(shown.run.spent);
  for (const rows of [all.steps, all.models, all.days])
    expect(rows).toMatchObject([{ spent: shown.run.spent }]);
  const text = (await folder.flujo("lens", "costs", "--by", "model")).stdout;
  expect(text).toContain(`2 runs, $${all.total.costUsd}, 2 calls`);
  expect(text).toMatch(new RegExp(`^offline:extract +\\$${all.total.costUsd} +2 `, "m"));
  expect(text).not.toContain("PIPELINE");
});

test("stats count how runs ended, and take a selection", async () => {
  const folder = await office();
  const { document } = await folder.json("lens", "stats", "--time-zone", "Europe/Madrid");
  expect(
    document.pipelines.map(({ pipeline, completedShare }: { pipeline: string; completedShare: number }) => [
      pipeline,
      completedShare,
    ]),
  ).toEqual([
    ["failing", 0],
    ["summaries", 1],
  ]);
  const text = (await folder.flujo("lens", "stats", "--pipeline", "summaries")).stdout;
  expect(text).toMatch(/^1 run\n/);
  expect(text).toMatch(/^summaries +1 +100\.0 % /m);
  expect(text).not.toContain("failing");
  const none = await folder.flujo("lens", "stats", "--since", "2200-01-01");
  expect(none.stderr).toContain("There are no runs since 2200-01-01T00:00:00.000Z");
  expect((await folder.flujo("lens", "stats", "--since", "soon")).code).toBe(2);
});

test("diff tells two runs apart, and says when there is nothing to tell", async () => {
  const folder = await office();
  await folder.flujo("run", pipelines, "--export", "summaries", "--run-id", "again", ...paid);
  const same = await folder.flujo("lens", "diff", "paid", "again");
  expect(same.stdout).toMatch(/Every operation is the same: \d+ operations\.\n$/);
  const other = ["--input-json", '["One. Two.", "Other. Four."]'];
  await folder.flujo("run", pipelines, "--export", "summaries", "--run-id", "other", ...other);
  const { stdout } = await folder.flujo("lens", "diff", "paid", "other");
  expect(stdout).toMatch(/^input\n {2}- \/1: Three\. Four\.\n {2}\+ \/1: Other\. Four\.$/m);
  expect(stdout).toMatch(/-→ user: Three\. Four\.\n\s+-← assistant: Three\.\n\s+\+→ user: Other\. Four\./);
  expect((await folder.flujo("lens", "diff", "paid", "nowhere")).code).toBe(2);
});

test("versions are listed, and two of them compared by their fingerprints", async () => {
  const folder = await office();
  const { document } = await folder.json("lens", "versions");
  expect(
    document.versions.map(({ pipeline, runs }: { pipeline: string; runs: number }) => [pipeline, runs]),
  ).toEqual([
    ["failing", 1],
    ["summaries", 1],
  ]);
  const [a, b] = document.versions.map(({ fingerprint }: { fingerprint: string }) => fingerprint.slice(0, 8));
  const { document: both } = await folder.json("lens", "diff", a, b);
  expect(both.places.map(({ only }: { only: string }) => only)).toEqual(expect.arrayContaining(["a", "b"]));
  expect((await folder.flujo("lens", "diff", a, "0123")).stderr).toContain("is of a version 0123");
});

test("watch follows a run of another process to its end, in lines or in JSON lines, and exits as it ended", async () => {
  const folder = await office();
  const running = folder.start(["run", pipelines, "--export", "slow", "--input", "x", "--run-id", "n"]);
  await running.saw("/slow/begin");
  const watching = folder.start(["lens", "watch", "n"]);
  running.kill("SIGINT");
  await running.ended;
  await folder.flujo("cancel", "n");
  const { code, stdout } = await watching.ended;
  expect(code).toBe(1);
  expect(stdout).toMatch(/0 ms {2}begins {5}slow /);
  expect(stdout).toMatch(/cancelled {2}/);
  const { stdout: lines, code: fine } = await folder.flujo("lens", "watch", "paid", "--json");
  expect(fine).toBe(0);
  const events = lines
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i));
  expect(events.at(-1)).toMatchObject({ type: "run-completed" });
});

test("export writes each format, to stdout or to a file that is not there yet", async () => {
  const folder = await office();
  for (const format of ["json", "csv", "otlp", "html"]) {
    const file = `${folder.path}/run.${format}`;
    const saved = await folder.flujo("lens", "export", "paid", "--format", format, "--output", file);
    expect(saved.stderr).toContain(`has run paid as ${format}`);
    const { stdout } = await folder.flujo("lens", "export", "paid", "--format", format);
    expect(readFileSync(file, "utf8")).toBe(stdout);
    const again = await folder.flujo("lens", "export", "paid", "--format", format, "--output", file);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("exists, and was left alone") });
  }
  const html = readFileSync(`${folder.path}/run.html`, "utf8");
  expect(html).toContain("Three. Four.");
});

test("verify says that a store is sound; prune says what it would do, and does it when told", async () => {
  const folder = await office();
  expect(await folder.flujo("lens", "verify")).toMatchObject({
    code: 0,
    stderr: expect.stringMatching(/^Sound: looked at 2 runs, \d+ entries, /),
  });
  expect((await folder.flujo("lens", "prune")).stderr).toContain("--older-than 30d");
  const young = await folder.flujo("lens", "prune", "--older-than", "1d", "--yes");
  expect(young.stderr).toContain("There is nothing to remove.");
  const dry = await folder.flujo("lens", "prune", "--older-than", "0s", "--status", "completed", "failed");
  expect(dry.stderr).toContain("2 runs would be removed. Nothing was: --yes removes them.");
  const { document } = await folder.json("lens", "prune", "--older-than", "0s", "--yes");
  expect(document).toMatchObject({ isDry: false, runs: [{ runId: "paid" }], kept: [] });
  expect(document.values).toBeGreaterThan(0);
  expect((await folder.json("lens", "list")).document.runs).toMatchObject([{ runId: "broken" }]);
  expect((await folder.flujo("lens", "verify")).code).toBe(0);
});

test("every look at a store that is not there is helpful, and makes nothing", async () => {
  const folder = new Folder();
  for (const look of [["costs"], ["stats"], ["versions"], ["verify"], ["prune", "--older-than", "1d"]]) {
    expect(await folder.flujo("lens", ...look)).toMatchObject({ code: 0, stdout: "" });
    expect((await folder.json("lens", ...look)).code).toBe(0);
  }
  for (const look of [
    ["trace", "x"],
    ["watch", "x"],
    ["export", "x"],
    ["diff", "x", "y"],
    ["costs", "x"],
  ])
    expect(await folder.flujo("lens", ...look)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("there is no run x"),
    });
  expect(existsSync(`${folder.path}/.flujo`)).toBe(false);
});
