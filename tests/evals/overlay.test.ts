/** What `flujo improve` leaves: a patch that is put in force beside the source, runs under it, and is taken back. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { agent } from "../../src/agents/agent.ts";
import { pipeline } from "../../src/core/compose.ts";
import { documentOf, patchBetween, type Values, valuesOf } from "../../src/evals/improve/document.ts";
import { patchFile, patchFileText } from "../../src/evals/improve/patch-file.ts";
import { Folder } from "../cli/command.ts";

const source = (system = "Be brief.") => `
import { agent, humanInTheLoop, pipeline } from "flujo";
export default pipeline("desk",
  agent("first", { model: "offline:extract", system: "Begin.", prompt: "One {{input}}." })
    .to(humanInTheLoop("ask", { prompt: (text) => text }))
    .to(agent("answer", { model: "offline:extract", system: "${system}", prompt: "Two." })),
);
`;

/** A patch of the second agent's prompt, made where the pipeline is known. */
function promptPatch(to: string, from = "Two."): { readonly id: string; readonly text: string } {
  const answer = agent("answer", { model: "offline:extract", system: "Be brief.", prompt: from });
  const document = documentOf(pipeline("desk", answer));
  const before = valuesOf(document) as Values;
  const after = { "/desk/answer": { ...before["/desk/answer"], prompt: to } };
  const file = patchFile({ ...document, values: before }, patchBetween(before, after));
  return { id: file.id, text: patchFileText(file) };
}

function deskFolder() {
  const folder = new Folder();
  folder.write("desk.ts", source());
  const patch = promptPatch("Three.");
  folder.write("flujo.patch.json", patch.text);
  return { folder, id: patch.id };
}

/** The output of a run that is answered. */
async function finished(folder: Folder, runId: string): Promise<unknown> {
  expect((await folder.flujo("approve", runId)).code).toBe(0);
  return (await folder.json("resume", runId)).document.output;
}

const begun = (folder: Folder, runId: string) =>
  folder.flujo("run", "desk.ts", "--input", "x", "--run-id", runId, "--no-ask", "--quiet");

test("a patch in force is run under, shown, and taken back; the source is never touched", async () => {
  const { folder, id } = deskFolder();
  const before = await begun(folder, "before");
  expect(before.stderr).not.toContain("in force");
  const applied = await folder.flujo("improve", "apply");
  expect(applied).toMatchObject({ code: 0, stdout: "" });
  expect(applied.stderr).toContain(`The patch ${id} is in force for "desk": desk.overlay.json has it`);
  const under = await begun(folder, "under");
  expect(under.stderr).toContain(`desk.overlay.json is in force: the patch ${id}.`);
  const validated = await folder.flujo("validate", "desk.ts");
  expect(validated.stderr).toContain("desk.overlay.json is in force");

  const history = await folder.flujo("improve", "history");
  expect(history.stdout).toMatch(new RegExp(`applied +${id} +prompt of /desk/answer +in force`));
  const explained = await folder.flujo("improve", "explain");
  expect(explained.stdout).toContain("prompt of /desk/answer\n-Two.\n+Three.\n");
  const shown = await folder.flujo("lens", "show", "under");
  expect(shown.stdout).toContain("overlay   prompt of /desk/answer");
  const versions = await folder.flujo("lens", "versions");
  expect(versions.stdout).toContain("UNDER AN OVERLAY OF");

  const reverted = await folder.flujo("improve", "revert", id.slice(0, 5), "--pipeline", "desk.ts");
  expect(reverted.stderr).toContain(`${id} is in force no more for "desk".`);
  const after = await begun(folder, "after");
  expect(after.stderr).not.toContain("in force");
  const { document } = await folder.json("improve", "history");
  expect(document).toMatchObject({
    pipeline: "desk",
    inForce: [],
    history: [{ kind: "applied" }, { kind: "reverted", id }],
  });
  expect(readFileSync(join(folder.path, "desk.ts"), "utf8")).toBe(source());

  // Each keeps what it began with, whatever has happened meanwhile.
  await folder.flujo("improve", "apply");
  expect(await finished(folder, "before")).toBe("Two.");
  expect(await finished(folder, "under")).toBe("Three.");
  await folder.flujo("improve", "revert", "--all");
  expect(await finished(folder, "after")).toBe("Two.");
  const checked = await folder.flujo("check", "desk.ts");
  expect(checked).toMatchObject({ code: 0 });
  expect(checked.stdout).toContain("3 runs checked: none breaks.");
});

test("a source that was edited under an overlay is refused, and says what to do", async () => {
  const { folder, id } = deskFolder();
  await folder.flujo("improve", "apply");
  folder.write("desk.ts", source().replace("Two.", "Two and a half."));
  const misfit = `desk.overlay.json does not fit the pipeline "desk" any more: "prompt" of /desk/answer is not what it was when the patch ${id} was made`;
  for (const words of [
    ["run", "desk.ts", "--input", "x"],
    ["validate", "desk.ts"],
    ["graph", "desk.ts"],
    ["up"],
  ]) {
    const refused = await folder.flujo(...words);
    expect(refused.stderr, words.join(" ")).toContain(misfit);
    expect(refused.code, words.join(" ")).toBe(2);
  }
  const again = await folder.flujo("improve", "apply");
  expect(again).toMatchObject({ code: 2 });
  expect((await folder.flujo("improve", "revert", "--all")).code).toBe(0);
  expect((await folder.flujo("validate", "desk.ts")).code).toBe(0);
});

test("an edit elsewhere leaves what is in force in force", async () => {
  const { folder, id } = deskFolder();
  await folder.flujo("improve", "apply");
  folder.write("desk.ts", source("Be kind."));
  const run = await begun(folder, "r");
  expect(run.stderr).toContain(`in force: the patch ${id}.`);
  expect(await finished(folder, "r")).toBe("Three.");
});

test("flujo up serves a pipeline under its overlay, also when another file exports it again", async () => {
  const { folder, id } = deskFolder();
  await folder.flujo("improve", "apply", "--pipeline", "desk.ts");
  folder.write("all.ts", `import "flujo";\nexport { default as desk } from "./desk.ts";`);
  const up = folder.start(["up", "--port", "0"]);
  await up.saw("Listening");
  process.kill(up.pid, "SIGTERM");
  const { stderr } = await up.ended;
  expect(stderr).toContain(`desk.overlay.json is in force: the patch ${id}.`);
});

test.each([
  { words: ["apply", "none.json"], says: "none.json cannot be read" },
  { words: ["apply", "desk.ts"], says: "desk.ts is not JSON" },
  {
    words: ["apply", "--pipeline", "till.ts"],
    says: 'till.ts has the pipeline "till", and the patch is one of "desk"',
  },
  { words: ["revert"], says: 'no patch is in force for "desk"', pipeline: true },
  { words: ["explain", "f00"], says: "there is no file f00, and no patch of that id", pipeline: true },
  { words: ["explain"], says: 'no patch is in force over "desk"', pipeline: true },
  { words: ["history"], says: "this folder has several pipelines: desk (desk.ts), till (till.ts)" },
])("flujo improve $words is refused: $says", async ({ words, says, pipeline: named = false }) => {
  const { folder } = deskFolder();
  folder.write("till.ts", source().replace('"desk"', '"till"').replaceAll("/desk/", "/till/"));
  const { code, stderr } = await folder.flujo(
    "improve",
    ...words,
    ...(named ? ["--pipeline", "desk.ts"] : []),
  );
  expect(stderr).toContain(says);
  expect(code).toBe(2);
});

test("the document of a pipeline is JSON", async () => {
  const { folder } = deskFolder();
  const { document, code } = await folder.json("improve", "document", "desk.ts");
  expect(code).toBe(0);
  expect(document).toMatchObject({
    version: 1,
    pipeline: "desk",
    places: { "/desk/answer": { system: { type: "text", value: "Be brief.", mayChange: true } } },
  });
});
