import { expect, test } from "vitest";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { branchOn, pipeline, step } from "../core/compose.ts";
import { memory } from "../stores/memory.ts";
import { type Scene, scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { compareTexts, compareValues } from "./compare-values.ts";
import { diffRuns, merged } from "./diff.ts";
import { trace } from "./trace.ts";
import { diffVersions, versions } from "./versions.ts";

const model = scriptedModel({
  replies: ({ options }) => ({
    text: JSON.stringify(options.prompt).includes("stern") ? "No." : "Yes, dear.",
  }),
});

/** Asks, and goes one of two ways. */
const talk = (system: string, attempts = 1) =>
  pipeline(
    "p",
    agent("say", { model, system })
      .retry({ attempts })
      .to(
        branchOn("way", (text: string) => (text.length % 2 === 0 ? "even" : "odd"), {
          even: step("half", (text: string) => text.length / 2),
          odd: step("whole", (text: string) => text.length),
        }),
      ),
  );

const options = { models: models({ prices: model.prices }) };
const traced = async (on: Scene, runId: string) =>
  trace(runId, await on.journal(runId), ({ hash }) => on.store.blob(hash));

test("two runs are compared path by path: what went in, came out, was sent and said, and what only one did", async () => {
  const on = scene();
  await on.cast(talk("Be brief.\nBe kind."), options).run("one", { runId: "a" });
  await on.cast(talk("Be brief.\nBe stern!!"), options).run("one", { runId: "b" });
  const found = await diffRuns(await traced(on, "a"), await traced(on, "b"));
  expect(found).toMatchObject({ a: { runId: "a" }, b: { runId: "b" }, input: [] });
  expect(found.output).toMatchObject([{ op: "replace", path: "" }]);
  const call = found.operations.find(({ path }) => path === "/p/say:call#0");
  expect(call?.messages).toEqual(expect.arrayContaining(["-Be kind.", "+Be stern!!", " → user: one"]));
  expect(call?.output).toMatchObject([{ path: "/parts/0/text" }]);
  expect(call).not.toHaveProperty("input");
  const ways = found.operations
    .filter(({ only }) => only !== undefined)
    .map(({ path, only }) => [path, only]);
  const [first] = (await on.journal("a")).filter(({ type }) => type === "branch-chosen") as { key: string }[];
  const [second] = (await on.journal("b")).filter(({ type }) => type === "branch-chosen") as {
    key: string;
  }[];
  expect(first?.key).not.toBe(second?.key);
  expect(ways).toHaveLength(2);
});

test("a run is the same as itself, and the same as another that did the same", async () => {
  const on = scene();
  await on.cast(talk("Say."), options).run("one", { runId: "a" });
  await on.cast(talk("Say."), options).run("one", { runId: "b" });
  const found = await diffRuns(await traced(on, "a"), await traced(on, "b"));
  expect(found).toMatchObject({ input: [], output: [], operations: [] });
  expect(found.same).toBe((await traced(on, "a")).operations.length);
});

test("paths of both runs stand in the order of the first, those of the second alone where they stand there", () => {
  const at = (...paths: string[]) => paths.map((path) => ({ path }));
  expect(merged(at("a", "b", "c"), at("x", "a", "y", "c", "z"))).toEqual(["x", "a", "y", "b", "c", "z"]);
  expect(merged([], at("x", "y"))).toEqual(["x", "y"]);
});

test("values are compared field by field, with what was there before; texts of several lines by line", async () => {
  const before = { list: [1, 2, 3], "a/b": "x", gone: true, text: "one\ntwo\nthree" };
  const after = { list: [1, 5], "a/b": "y", text: "one\nTWO\nthree", fresh: null };
  expect(await compareValues(before, after)).toEqual([
    { op: "remove", path: "/gone", before: true },
    { op: "replace", path: "/list/1", before: 2, after: 5 },
    { op: "remove", path: "/list/2", before: 3 },
    { op: "replace", path: "/a~1b", before: "x", after: "y" },
    {
      op: "replace",
      path: "/text",
      before: "one\ntwo\nthree",
      after: "one\nTWO\nthree",
      lines: [" one", "-two", "+TWO", " three"],
    },
    { op: "add", path: "/fresh", after: null },
  ]);
  expect(await compareValues({ a: 1, b: 2 }, { b: 2, a: 1 })).toEqual([]);
  expect(await compareTexts("same", "same\n")).toEqual([]);
});

test("versions are listed with their runs and releases, and compared: prompts and settings, and how their runs fared", async () => {
  const on = scene({ store: memory() });
  const release = { package: "app@1.0.0", commit: "c".repeat(40) };
  await on.cast(talk("Old\nprompt."), { ...options, release }).run("x", { runId: "a" });
  await on.wait(1_000);
  await on
    .cast(talk("New\nprompt.", 3), { ...options, release: { package: "app@2.0.0" } })
    .run("x", { runId: "b" });
  await on
    .cast(talk("New\nprompt.", 3), { ...options, release: { package: "app@2.0.1" } })
    .run("x", { runId: "c" });
  const found = await versions(on.store);
  expect(found.map(({ runs, unfinished, releases }) => ({ runs, unfinished, releases }))).toEqual([
    { runs: 2, unfinished: 0, releases: [{ package: "app@2.0.1" }, { package: "app@2.0.0" }] },
    { runs: 1, unfinished: 0, releases: [release] },
  ]);
  const [now, old] = found;
  if (now === undefined || old === undefined) throw new Error("two versions were listed");
  const { places, same, figures } = await diffVersions(on.store, old, now);
  expect(places).toEqual([
    {
      path: "/p/say",
      kind: "agent",
      facts: [expect.objectContaining({ path: "/system", lines: ["-Old", "+New", " prompt."] })],
      settings: [expect.objectContaining({ path: "/0/attempts", before: 1, after: 3 })],
    },
  ]);
  expect(same).toBe(4);
  const say = figures.find(({ step }) => step === "/p/say");
  expect([say?.a?.completed, say?.b?.completed]).toEqual([1, 2]);
  expect(say?.b?.spent.calls).toBe(2);
});
