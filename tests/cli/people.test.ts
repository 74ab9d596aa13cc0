import { describe, expect, test } from "vitest";
import { Folder, pipelines } from "./command.ts";

const asking = ["run", pipelines, "--export", "asking", "--input", "Hi", "--run-id", "r"];
const choosing = ["run", pipelines, "--export", "choosing", "--input", "the door", "--run-id", "r"];

describe("flujo approve and reject", () => {
  test("answer the one thing a run asks; the run goes on elsewhere", async () => {
    const folder = new Folder();
    const waiting = await folder.flujo(...asking);
    expect(waiting.stderr).toContain("To answer: flujo approve r, or flujo answer r --data JSON.");
    const { code, stderr } = await folder.flujo("approve", "r", "--note", "why not", "--by", "ana");
    expect([code, stderr]).toEqual([0, expect.stringContaining("flujo resume r")]);
    const { document } = await folder.json("resume", "r");
    expect(document).toMatchObject({ status: "completed", output: { approved: true, note: "why not" } });
  });

  test("go on at once with --resume", async () => {
    const folder = new Folder();
    await folder.flujo(...asking);
    const { code, stdout } = await folder.flujo("reject", "r", "--resume");
    expect([code, JSON.parse(stdout)]).toEqual([0, { approved: false }]);
  });

  test("a second answer is refused, and says who was first", async () => {
    const folder = new Folder();
    await folder.flujo(...asking);
    await folder.flujo("approve", "r", "--by", "ana");
    const { code, stderr } = await folder.flujo("reject", "r", "--by", "bo");
    expect([code, stderr]).toEqual([5, expect.stringContaining("has its answer already: ana gave it at")]);
    const { document } = await folder.json("inbox");
    expect(document).toMatchObject({ items: [{ path: "/asking/approve", answered: { by: "ana" } }] });
  });

  test("know an approval for one without loading the pipeline, also that of a tool", async () => {
    const folder = new Folder();
    await folder.flujo("run", pipelines, "--export", "clerk", "--input", "Hi", "--run-id", "c");
    expect((await folder.flujo("approve", "c", "--file", "gone.ts")).code).toBe(0);
    expect((await folder.json("resume", "c")).document).toMatchObject({ status: "completed" });
  });
});

describe("flujo answer and flujo signal", () => {
  test("an answer that does not fit is refused, and the run stays waiting; one that fits is taken", async () => {
    const folder = new Folder();
    await folder.flujo(...choosing);
    const wrong = await folder.flujo("answer", "r", "--data", '{"colour":"green"}');
    expect([wrong.code, wrong.stderr]).toEqual([
      5,
      expect.stringContaining("does not fit its schema: colour"),
    ]);
    expect((await folder.flujo("answer", "r", "/choosing/pick", "--data", '{"colour":"red"}')).code).toBe(0);
    const { document } = await folder.json("resume", "r");
    expect(document).toMatchObject({ status: "waiting", waitingFor: ["/choosing/paid"] });
    const { code, stdout } = await folder.flujo("signal", "r", "/choosing/paid", "--data", "12", "--resume");
    expect([code, stdout]).toEqual([0, "12\n"]);
  });

  test.each([
    [["answer", "r"], 2, "there is no answer"],
    [["answer", "r", "--data", "{"], 2, "--data is not JSON"],
    [["answer", "r", "/choosing/nowhere", "--text", "x"], 5, "It waits at /choosing/pick"],
    [["approve", "r"], 5, "does not fit its schema"],
    [["approve", "unknown"], 2, "there is no run unknown"],
  ] as const)("%j exits %i and says why", async (args, code, said) => {
    const folder = new Folder();
    await folder.flujo(...choosing);
    const ended = await folder.flujo(...args);
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(said)]);
  });
});

describe("flujo inbox", () => {
  test("shows what waits for whom, with what helps to decide and how to answer", async () => {
    const folder = new Folder();
    await folder.flujo(...choosing);
    const { stdout } = await folder.flujo("inbox", "--for", "ana");
    for (const part of [
      "r  /choosing/pick  (choosing)",
      "Which colour for the door?",
      "item: the door",
      "stock: 3",
      "for ana, team:paint, since",
      '"enum":["red","blue"]',
      "$ flujo answer r /choosing/pick --data JSON",
    ])
      expect(stdout).toContain(part);
    expect((await folder.flujo("inbox", "--for", "bo")).stderr).toContain("Nothing waits for bo");
    const { document } = await folder.json("inbox");
    expect(document).toMatchObject({
      items: [{ asks: "answer", context: { item: "the door", stock: 3 }, assignees: ["ana", "team:paint"] }],
    });
  });

  test("shows what a model or a stranger wrote without letting it act on the terminal", async () => {
    const folder = new Folder();
    const evil = "\u001b[2J\u0007x";
    await folder.flujo("run", pipelines, "--export", "choosing", "--input", evil);
    const { stdout } = await folder.flujo("inbox");
    expect(stdout).toContain("\\x1b[2J\\x07x");
    expect(stdout).not.toContain("\u001b");
  });
});

describe("a run that sleeps long", () => {
  test("exits 3 at once and says until when", async () => {
    const folder = new Folder();
    const run = ["run", pipelines, "--export", "dozing", "--input", "x", "--run-id", "d"];
    const { code, stderr } = await folder.flujo(...run);
    expect([code, stderr]).toEqual([3, expect.stringMatching(/\/dozing\/doze {2}sleeps until \d{4}-/)]);
    const { document } = await folder.json("resume", "d");
    expect(document).toMatchObject({ status: "waiting", until: expect.stringMatching(/Z$/), waitingFor: [] });
  });

  test("with --wait stays, and goes on when it is sent something", async () => {
    const folder = new Folder();
    const running = folder.start([...asking, "--wait"]);
    await running.saw("/asking/approve");
    expect((await folder.flujo("approve", "r")).code).toBe(0);
    const { code, stdout } = await running.ended;
    expect([code, JSON.parse(stdout)]).toEqual([0, { approved: true }]);
  });
});
