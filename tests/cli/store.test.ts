/** `flujo store copy`, on files. Needs `npm run build`. */
import { existsSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { Folder } from "./command.ts";

const from = "sqlite:here.db";
const to = "file:there";

/** Two runs that are over, and one that waits for a person. */
async function office(): Promise<Folder> {
  const folder = new Folder();
  folder.write("pipelines.ts", pipelines);
  const all = ["--store", from, "--quiet", "--no-ask"];
  await folder.flujo("run", "pipelines.ts", "--input", "a", "--run-id", "done-1", ...all);
  await folder.flujo("run", "pipelines.ts", "--input", "b", "--run-id", "done-2", ...all);
  await folder.flujo("run", "pipelines.ts", "--export", "ask", "--input", "c", "--run-id", "open-1", ...all);
  return folder;
}

const pipelines = `
import { humanInTheLoop, pipeline, step } from "flujo";
export default pipeline("shout", step("up", (text: string) => text.toUpperCase()));
export const ask = pipeline("ask", humanInTheLoop("ok", { prompt: (text: string) => text }).to("end", () => "done"));
`;

const idsIn = async (folder: Folder, store: string): Promise<string[]> => {
  const { document } = await folder.json("lens", "list", "--store", store);
  return document.runs.map((run: { runId: string }) => run.runId).toSorted();
};

test("flujo store copy copies what is over, and names what it leaves; --move takes it all, and a waiting run ends there", async () => {
  const folder = await office();
  const dry = await folder.flujo("store", "copy", from, to, "--dry-run");
  expect([dry.code, existsSync(`${folder.path}/there`)]).toEqual([5, false]);
  expect(dry.stderr).toContain("2 runs would be copied");
  const copied = await folder.flujo("store", "copy", from, to);
  expect(copied).toMatchObject({ code: 5, stdout: "" });
  expect(copied.stderr).toContain("left open-1: it is waiting");
  expect(await idsIn(folder, to)).toEqual(["done-1", "done-2"]);
  const { code, document } = await folder.json("store", "copy", from, to, "--move");
  expect([code, document.left, document.faults, document.isMove]).toEqual([0, [], [], true]);
  const wasThere = document.runs.map((run: { runId: string; wasThere: boolean }) => [
    run.runId,
    run.wasThere,
  ]);
  expect(Object.fromEntries(wasThere)).toEqual({ "done-1": true, "done-2": true, "open-1": false });
  expect(await idsIn(folder, from)).toEqual([]);
  const answered = await folder.flujo("approve", "open-1", "--store", to);
  expect(answered.code).toBe(0);
  expect((await folder.flujo("resume", "open-1", "--store", to, "--quiet")).code).toBe(0);
  expect((await folder.flujo("lens", "verify", "--store", to)).code).toBe(0);
});

test("by id and by status; what makes no sense is refused", async () => {
  const folder = await office();
  const one = await folder.json("store", "copy", from, to, "--run", "done-2");
  expect([one.code, await idsIn(folder, to)]).toEqual([0, ["done-2"]]);
  const some = await folder.json("store", "copy", from, to, "--status", "completed", "--pipeline", "shout");
  expect([some.code, some.document.runs.length]).toEqual([0, 2]);
  for (const [args, says] of [
    [[from, from], "both stores are"],
    [["sqlite:none.db", to], "there is no store sqlite:none.db"],
    [[from, "memory:"], "ends with this command"],
    [[from, "nonsense"], "names no store"],
    [[from, to, "--run", "nobody"], "there is no run nobody"],
  ] as const) {
    const refused = await folder.flujo("store", "copy", ...args);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(says)]);
  }
});

test("a run that is damaged where it is makes the exit code 1, and is named; nothing is done with a store of a newer Flujo", async () => {
  const folder = await office();
  const other = "file:other";
  await folder.flujo("run", "pipelines.ts", "--input", "a", "--store", other, "--quiet");
  const change = (sql: string): void => {
    const db = new DatabaseSync(`${folder.path}/here.db`);
    db.exec(sql);
    db.close();
  };
  change("DELETE FROM blobs");
  const damaged = await folder.flujo("store", "copy", from, to, "--move");
  expect([damaged.code, damaged.stderr]).toEqual([
    1,
    expect.stringMatching(/run done-1: it is damaged.*3 faults/s),
  ]);
  expect([await idsIn(folder, from), await idsIn(folder, to)]).toEqual([["done-1", "done-2", "open-1"], []]);
  change("PRAGMA user_version = 99");
  for (const way of [
    [from, to],
    [other, from],
  ]) {
    const refused = await folder.flujo("store", "copy", ...way, "--move");
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("newer Flujo")]);
  }
  expect(await idsIn(folder, other)).toHaveLength(1);
});
