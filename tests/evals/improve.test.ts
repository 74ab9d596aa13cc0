/** `flujo improve` as people use it: real processes, SQLite, and a model server that counts what it is asked and paid. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { picoUsd } from "../../src/core/limits.ts";
import { type OpenAIServer, openaiServer, type ServedRequest } from "../../src/testing/openai-server.ts";
import { Folder } from "../cli/command.ts";

const desk = `
import { agent, pipeline } from "flujo";
import { scorer } from "flujo/evals";
export const scorers = [scorer("style", ({ output, input }) => {
  const loud = String(output).startsWith(String(input).toUpperCase());
  const keen = String(output).endsWith("!");
  const feedback = (loud ? "" : "Shout it. ") + (keen ? "" : "Exclaim it.");
  return { score: (Number(loud) + Number(keen)) / 2, feedback };
})];
export default pipeline("desk", agent("clerk", { system: "Repeat the words.", model: "openai:gpt-4o-mini", maxOutputTokens: 50 }));
`;

const isCoach = ({ text }: Pick<ServedRequest, "text">): boolean => text.includes("You improve one value");

/** The clerk does what its prompt says; the coach takes the lesson of the first feedback. */
function reply({ text }: Pick<ServedRequest, "text">): string {
  if (!isCoach({ text })) {
    const words = /word \w+ \d+/.exec(text)?.[0] ?? "";
    const loud = text.includes("Shout it") ? words.toUpperCase() : words;
    return text.includes("Exclaim it") ? `${loud}!` : loud;
  }
  const value: string = JSON.parse(/^Value: (.*)$/m.exec(text)?.[1] ?? '""');
  const lesson = /Feedback: "(Shout|Exclaim) it/.exec(text)?.[1] ?? "Nothing";
  const patch = [{ op: "replace", path: "/~1desk~1clerk/system", value: `${value} ${lesson} it.` }];
  return JSON.stringify({ note: `${lesson} is what the feedback says`, patch });
}

async function served(latencyMs = 0): Promise<OpenAIServer> {
  const server = await openaiServer({ latencyMs, reply });
  onTestFinished(() => server.close());
  return server;
}

const envOf = (server: OpenAIServer) => ({ OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-of-nobody" });

function deskFolder(each = 8): Folder {
  const folder = new Folder();
  folder.write("desk.ts", desk);
  const cases = ["train", "validation", "test"].flatMap((split) =>
    Array.from({ length: each }, (_, i) => ({ id: `${split}-${i}`, input: `word ${split} ${i}`, split })),
  );
  folder.write("d.jsonl", cases.map((one) => JSON.stringify(one)).join("\n"));
  return folder;
}

const command = [
  "improve",
  "d.jsonl",
  "--reflector",
  "openai:gpt-4o-mini",
  "--name",
  "i",
  "--concurrency",
  "2",
];

describe("flujo improve", () => {
  test("killed again and again, it comes to the same, and buys nothing anew but what was under way", async () => {
    const calm = await served();
    const expected = await deskFolder().start([...command, "--budget", "$1", "--json"], { env: envOf(calm) })
      .ended;
    expect(expected).toMatchObject({ code: 0 });
    expect(JSON.parse(expected.stdout)).toMatchObject({ improvement: { promotion: { verdict: "promote" } } });
    const folder = deskFolder();
    const server = await served(20);
    const args = [...command, "--budget", "$1", "--json", "--quiet"];
    let kills = 0;
    for (let until = 3; ; until += 17) {
      const running = folder.start(args, { env: envOf(server) });
      let isOver = false;
      running.ended.then(() => {
        isOver = true;
      });
      while (server.requests.length < until && !isOver) await new Promise((resolve) => setImmediate(resolve));
      if (isOver) break;
      running.kill("SIGKILL");
      await running.ended;
      kills += 1;
    }
    expect(kills).toBeGreaterThan(3);
    const ended = await folder.start(args, { env: envOf(server) }).ended;
    expect(ended).toMatchObject({ code: 0, stdout: expected.stdout });
    const texts = server.requests.map(({ text }) => text);
    expect(new Set(texts).size).toBe(new Set(calm.requests.map(({ text }) => text)).size);
    expect(texts.length - calm.requests.length).toBeLessThanOrEqual(2 * kills);
    expect(server.billedPicoUsd).toBeLessThan(picoUsd("$1"));
  });

  test("one budget holds for trials and reflections, and a larger one goes on where it stopped", async () => {
    const folder = deskFolder();
    const server = await served();
    const poor = await folder.start([...command, "--budget", "$0.0002"], { env: envOf(server) }).ended;
    expect(poor).toMatchObject({ code: 4 });
    expect(poor.stderr).toContain("--name i and a larger --budget goes on");
    expect(server.billedPicoUsd).toBeLessThanOrEqual(picoUsd("$0.0002"));
    const rich = await folder.start([...command, "--budget", "$1", "--json"], { env: envOf(server) }).ended;
    expect(rich).toMatchObject({ code: 0 });
    expect(JSON.parse(rich.stdout)).toMatchObject({
      status: "completed",
      improvement: { promotion: { look: 1 } },
    });
    const texts = server.requests.map(({ text }) => text);
    expect(new Set(texts).size).toBe(texts.length);
  });

  test("what is promoted is written with its evidence, reported, and put in force; the source stays as it is", async () => {
    const folder = deskFolder();
    const server = await served();
    const args = [...command, "--apply", "--report", "found.md"];
    const { code, stdout, stderr } = await folder.start(args, { env: envOf(server) }).ended;
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^round 1, best 0\.\d+ \(was 0\.000\), \d candidates, \d+ of 300 rollouts, \d+ trials, \$0\.\d+, /m,
    );
    expect(stdout).toContain("Repeat the words. Shout it.");
    expect(readFileSync(join(folder.path, "found.md"), "utf8")).toContain("Repeat the words. Shout it.");
    const patch = JSON.parse(readFileSync(join(folder.path, "flujo.patch.json"), "utf8"));
    expect(patch).toMatchObject({ pipeline: "desk", evidence: { promotion: { verdict: "promote" } } });
    expect(readFileSync(join(folder.path, "desk.ts"), "utf8")).toBe(desk);
    const run = ["run", "desk.ts", "--input", "word run 7"];
    const shouted = await folder.start(run, { env: envOf(server) }).ended;
    expect(shouted.stdout).toContain("WORD RUN 7!");
    expect(await folder.start(["improve", "revert"]).ended).toMatchObject({ code: 0 });
    const said = await folder.start(run, { env: envOf(server) }).ended;
    expect(said.stdout).toContain("word run 7");
  });

  test.for([
    ["no cases", "", "there is no case in it"],
    ["two of one id", '{"id":1,"input":1}\n{"id":1,"input":2}', 'the id "1" is taken by line 1'],
    ["one cluster", '{"input":1,"cluster":"a"}\n{"input":2,"cluster":"a"}', "all of them are of one cluster"],
  ])("refuses a dataset with %s", async ([, text, complaint]) => {
    const folder = deskFolder();
    folder.write("d.jsonl", text as string);
    const server = await served();
    const { code, stderr } = await folder.start(command, { env: envOf(server) }).ended;
    expect(stderr).toContain(complaint);
    expect(code).toBe(2);
    expect(server.requests).toEqual([]);
  });

  test("models that cannot be called are told before anything is paid for", async () => {
    const folder = deskFolder();
    const server = await served();
    const nobody = await folder.start([...command.slice(0, 2), "--reflector", "openai:", "--name", "i"], {
      env: envOf(server),
    }).ended;
    expect(nobody).toMatchObject({ code: 2 });
    const allowed = 'improve: { model: ["openai:gpt-4o-mini", "openai:of-nobody"] }, system:';
    folder.write("desk.ts", desk.replace("system:", allowed));
    const unpriced = await folder.start([...command, "--budget", "$1"], { env: envOf(server) }).ended;
    expect(unpriced.stderr).toContain("openai:of-nobody");
    expect(unpriced.code).toBe(2);
    expect(server.requests).toEqual([]);
  });

  test("wants a pipeline: the only one of the folder, or one that is named", async () => {
    const folder = deskFolder();
    folder.write("other.ts", desk.replace('"desk"', '"other"'));
    const { code, stderr } = await folder.start(command).ended;
    expect(code).toBe(2);
    expect(stderr).toContain("this folder has several pipelines: desk (desk.ts), other (other.ts)");
    expect(stderr).toContain("--pipeline desk.ts");
  });
});
