/** `flujo eval` as people use it: real processes, SQLite, and a model server that counts what it is asked and paid. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { picoUsd } from "../../src/core/limits.ts";
import { readExperiment } from "../../src/evals/experiment/results.ts";
import { sqlite } from "../../src/stores/sqlite.ts";
import { type OpenAIServer, openaiServer, type ServedRequest } from "../../src/testing/openai-server.ts";
import { wireServer } from "../../src/testing/wire/server.ts";
import { Folder } from "../cli/command.ts";

const towns = `
import { agent, pipeline } from "flujo";
import { contains, judge } from "flujo/evals";
export const scorers = [contains(), judge({ model: "openai:gpt-4o-mini", rubric: "It names a town." })];
export default pipeline("towns", agent("answer", { system: "Name the town.", model: "openai:gpt-4o-mini", maxOutputTokens: 50 }));
`;
const shout = `
import { pipeline, step } from "flujo";
export default pipeline("shout", step("up", (text: string) => {
  if (text === "boom") throw new Error("no boom");
  return text.toUpperCase();
}));
`;

const isJudge = ({ text }: Pick<ServedRequest, "text">): boolean => text.includes("You judge answers");

/** Every town's name is its country's; of the fourth the judge thinks little. */
async function townServer(latencyMs = 0): Promise<OpenAIServer> {
  const server = await openaiServer({
    latencyMs,
    reply: (request) => {
      const country = /country \d+/.exec(request.text)?.[0];
      if (!isJudge(request)) return `The town of ${country}`;
      return JSON.stringify({ reason: "so it seems", points: country === "country 4" ? 1 : 5 });
    },
  });
  onTestFinished(() => server.close());
  return server;
}

const envOf = (server: OpenAIServer) => ({ OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-of-nobody" });

function townFolder(cases: number): Folder {
  const folder = new Folder();
  folder.write("p.ts", towns);
  const lines = Array.from({ length: cases }, (_, i) =>
    JSON.stringify({
      id: `c${i}`,
      input: `Which town has country ${i}?`,
      expected: `country ${i}`,
      cluster: `k${i % 3}`,
    }),
  );
  folder.write("d.jsonl", lines.join("\n"));
  return folder;
}

/** What was asked for the first time, and again. */
function askedIn({ requests }: OpenAIServer) {
  const texts = requests.map(({ text }) => text);
  return { once: new Set(texts).size, again: texts.length - new Set(texts).size };
}

describe("flujo eval with a model", () => {
  test("killed again and again, it goes on and buys nothing anew but what was under way", async () => {
    const undisturbed = townFolder(8);
    const calm = await undisturbed.start(
      ["eval", "p.ts", "d.jsonl", "--split", "all", "--name", "e", "--json", "--quiet"],
      {
        env: envOf(await townServer()),
      },
    ).ended;
    const folder = townFolder(8);
    const server = await townServer(20);
    const args = [
      "eval",
      "p.ts",
      "d.jsonl",
      "--split",
      "all",
      "--name",
      "e",
      "--concurrency",
      "2",
      "--budget",
      "$1",
      "--json",
      "--quiet",
    ];
    let kills = 0;
    for (const until of [2, 5, 9, 13]) {
      const running = folder.start(args, { env: envOf(server) });
      let over = false;
      running.ended.then(() => {
        over = true;
      });
      while (server.requests.length < until && !over) await new Promise((resolve) => setImmediate(resolve));
      if (over) break;
      running.kill("SIGKILL");
      await running.ended;
      kills += 1;
    }
    expect(kills).toBeGreaterThan(2);
    const ended = await folder.start(args, { env: envOf(server) }).ended;
    expect(ended).toMatchObject({ code: 0 });
    const { once, again } = askedIn(server);
    expect(once).toBe(16); // an answer and a verdict for each case
    expect(again).toBeLessThanOrEqual(2 * kills);
    const [expected, document] = [JSON.parse(calm.stdout), JSON.parse(ended.stdout)];
    expect(document.cases).toEqual(expect.arrayContaining(expected.cases));
    expect(document.summary.score).toEqual(expected.summary.score);
    expect(document.summary.score).toMatchObject({ mean: 7.5 / 8, cases: 8, clusters: 3 });
    // Over already: it is told again, and nothing is asked.
    const told = await folder.start(args, { env: envOf(server) }).ended;
    expect(JSON.parse(told.stdout).summary).toEqual(document.summary);
    expect(server.requests).toHaveLength(16 + again);
  }, 120_000);

  test("one budget holds for all trials and judges, and a larger one goes on where it stopped", async () => {
    const folder = townFolder(10);
    const server = await townServer();
    const args = ["eval", "p.ts", "d.jsonl", "--split", "all", "--name", "e", "--quiet", "--json"];
    const poor = await folder.start([...args, "--budget", "$0.0004"], { env: envOf(server) }).ended;
    expect(poor).toMatchObject({ code: 4 });
    expect(poor.stderr).toContain("--name e and a larger --budget goes on");
    expect(server.billedPicoUsd).toBeLessThanOrEqual(picoUsd("$0.0004"));
    const first = JSON.parse(poor.stdout);
    expect(first.records.length).toBeLessThan(10);
    const rich = await folder.start([...args, "--budget", "$1"], { env: envOf(server) }).ended;
    expect(rich.code).toBe(0);
    const last = JSON.parse(rich.stdout);
    expect(last.records).toHaveLength(10);
    expect(askedIn(server)).toEqual({ once: 20, again: 0 });
    expect(picoUsd(`$${last.costUsd}`)).toBe(server.billedPicoUsd);
  });
});

test("a judge that answers nonsense has failed, and says so: the case counts 0, not as it was answered", async () => {
  const folder = townFolder(3);
  const server = await openaiServer({
    reply: (request) =>
      isJudge(request) ? "It was all very nice." : `The town of ${/country \d+/.exec(request.text)?.[0]}`,
  });
  onTestFinished(() => server.close());
  const args = ["eval", "p.ts", "d.jsonl", "--split", "all", "--json", "--quiet", "--budget", "$1"];
  const { code, stdout } = await folder.start(args, { env: envOf(server) }).ended;
  expect(code).toBe(0);
  const { records, summary } = JSON.parse(stdout);
  for (const { scores } of records)
    expect(scores[1]).toMatchObject({ scorer: "judge", score: 0, failed: true });
  expect(summary.scorers.judge.mean).toBe(0);
  expect(summary.scorers.contains.mean).toBe(1);
});

describe("flujo eval without one", () => {
  function shouting(): Folder {
    const folder = new Folder();
    folder.write("p.ts", shout);
    const cases = Array.from({ length: 60 }, (_, i) => {
      const input = i === 7 ? "boom" : `word ${i}`;
      return { id: `c/${i}`, input, expected: input.toUpperCase(), tags: [i % 2 ? "odd" : "even"] };
    });
    folder.write("d.json", JSON.stringify(cases));
    return folder;
  }

  test("a wrong answer is a failure, and so is a step that throws; failures are grouped", async () => {
    const folder = shouting();
    folder.write(
      "d.jsonl",
      '{"id":"ok","input":"a","expected":"A"}\n{"id":"wrong","input":"b","expected":"C"}\n{"id":"thrown","input":"boom"}',
    );
    const { code, document } = await folder.json(
      "eval",
      "p.ts",
      "d.jsonl",
      "--split",
      "all",
      "--trials",
      "2",
      "--name",
      "e",
    );
    expect(code).toBe(0);
    expect(
      document.cases.map(({ caseId, score }: { caseId: string; score: number }) => [caseId, score]).sort(),
    ).toEqual([
      ["ok", 1],
      ["thrown", 0],
      ["wrong", 0],
    ]);
    expect(document.summary).toMatchObject({ trials: 6, failed: 4 });
    const groups = document.summary.failures.map(({ what, trials }: { what: string; trials: number }) => [
      what,
      trials,
    ]);
    expect(groups.sort()).toEqual([
      ["failed step-failed /shout/up", 2],
      ["wrong by exact", 2],
    ]);
    const lens = await folder.json("lens", "show", "e.thrown.1");
    expect(lens.document.run.status).toBe("failed");
  });

  test("--gate passes what is no worse, stops what is, and says when it cannot tell", async () => {
    const folder = shouting();
    expect(
      (await folder.flujo("eval", "p.ts", "d.json", "--split", "all", "--name", "base", "--quiet")).code,
    ).toBe(0);
    const gated = (name: string, ...more: string[]) =>
      folder.flujo(
        "eval",
        "p.ts",
        "d.json",
        "--split",
        "all",
        "--name",
        name,
        "--quiet",
        "--compare",
        "base",
        "--gate",
        ...more,
      );
    expect(await gated("same", "--margin", "0.1")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("The gate is open"),
    });
    expect(await gated("unsure", "--margin", "0.01")).toMatchObject({
      code: 7,
      stdout: expect.stringContaining("Inconclusive"),
    });
    folder.write("p.ts", shout.replace("return text", 'if (/[3579]/.test(text)) return "?"; return text'));
    const worse = await gated("worse", "--junit", "j.xml", "--html", "h.html", "--markdown", "m.md");
    expect(worse).toMatchObject({ code: 6, stdout: expect.stringContaining("The gate is shut") });
    expect(readFileSync(join(folder.path, "j.xml"), "utf8")).toContain('<testsuites tests="60" failures="');
    expect(readFileSync(join(folder.path, "h.html"), "utf8")).toContain("<h2>Compared with base</h2>");
    const markdown = readFileSync(join(folder.path, "m.md"), "utf8");
    expect(markdown).toContain("| tag odd | -");
    // Which cases they are, one by one: of those whose number has an odd figure the first twenty.
    for (const text of [worse.stdout, markdown]) {
      expect(text).toMatch(/Cases: the lowest 20, \d+ of 60 score less than 1/);
      expect(text).toMatch(/c\/3 .*0\.000 .*odd/);
    }
    const again = await folder.flujo("eval", "p.ts", "d.json", "--split", "all", "--name", "base", "--quiet");
    expect(again).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("not with the same fingerprint"),
    });
    expect(await folder.flujo("eval", "p.ts", "d.json", "--gate", "--min", "0.9", "--quiet")).toMatchObject({
      code: 6,
    });
  });

  test("--split and --tags choose cases, and no case is told", async () => {
    const folder = shouting();
    const { document } = await folder.json(
      "eval",
      "p.ts",
      "d.json",
      "--tags",
      "odd",
      "--split",
      "test",
      "train",
    );
    const tags = new Set(document.cases.flatMap((one: { tags: string[] }) => one.tags));
    expect([...tags]).toEqual(["odd"]);
    expect(document.cases.length).toBeLessThan(30);
    expect(await folder.flujo("eval", "p.ts", "d.json", "--tags", "none")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("none of the 60 cases"),
    });
  });

  test("the test split stays sealed unless it is asked for, and each look at it is counted", async () => {
    const folder = new Folder();
    folder.write("p.ts", shout);
    const cases = ["train", "validation", "test", "test"].map((split, i) => ({
      id: `c${i}`,
      input: `${i}`,
      split,
    }));
    folder.write("d.jsonl", cases.map((one) => JSON.stringify(one)).join("\n"));
    const tried = ({ document }: { document: { cases: { caseId: string }[] } }) =>
      document.cases.map(({ caseId }) => caseId).sort();
    const shut = await folder.start(["eval", "p.ts", "d.jsonl", "--name", "shut", "--json"]).ended;
    expect(shut.stderr).toContain("2 cases of the test split stay sealed: --split test tries them");
    const document = JSON.parse(shut.stdout);
    expect([tried({ document }), document.look]).toEqual([["c0", "c1"], null]);
    expect((await folder.json("dataset", "check", "d.jsonl")).document.looks).toEqual([]);

    const whole = await folder.json("eval", "p.ts", "d.jsonl", "--split", "all", "--name", "whole");
    expect([tried(whole), whole.document.look]).toEqual([
      ["c0", "c1", "c2", "c3"],
      { number: 1, cases: 2, earlier: [] },
    ]);
    const again = await folder.flujo(
      "eval",
      "p.ts",
      "d.jsonl",
      "--split",
      "test",
      "--name",
      "again",
      "--markdown",
      "m.md",
      "--html",
      "h.html",
    );
    const told = "This is look 2 at the test split of d.jsonl (cases tried: 2), after whole.";
    expect(again.stdout).toContain(told);
    for (const report of ["m.md", "h.html"])
      expect(readFileSync(join(folder.path, report), "utf8")).toContain("This is look 2 at");
    const { stdout } = await folder.flujo("dataset", "check", "d.jsonl");
    expect(stdout).toContain("looks at the test split: 2, the last by again");

    folder.write("t.jsonl", JSON.stringify(cases[2]));
    expect(await folder.flujo("eval", "p.ts", "t.jsonl")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("All that fit are of the test split"),
    });
    expect((await folder.json("dataset", "check", "t.jsonl")).document.looks).toHaveLength(2); // by another name
  });

  test("a dataset that is empty, or names two cases alike, runs nothing and says which line", async () => {
    const folder = new Folder();
    folder.write("p.ts", shout);
    folder.write("empty.jsonl", "\n");
    folder.write("twice.jsonl", '{"id":"a","input":"x"}\n{"id":"b","input":"y"}\n{"id":"a","input":"z"}\n');
    for (const [file, message] of [
      ["empty.jsonl", "there is no case in it"],
      ["twice.jsonl", 'line 3: the id "a" is taken by line 1'],
    ] as const) {
      const { code, stdout, stderr } = await folder.flujo("eval", "p.ts", file, "--split", "all");
      expect({ code, stdout, told: stderr.includes(message) || stderr }).toEqual({
        code: 2,
        stdout: "",
        told: true,
      });
    }
    expect((await folder.json("lens", "list")).document.runs ?? []).toEqual([]);
  });

  test("cases of one cluster tell nothing of others: the interval is 0 to 1, and no gate opens", async () => {
    const folder = new Folder();
    folder.write("p.ts", shout);
    const cases = Array.from({ length: 30 }, (_, i) => ({
      id: `c${i}`,
      input: `w${i}`,
      expected: `W${i}`,
      cluster: "one",
    }));
    folder.write("d.json", JSON.stringify(cases));
    const args = ["eval", "p.ts", "d.json", "--split", "all"];
    const told = await folder.flujo(...args, "--gate", "--min", "0.1", "--quiet", "--html", "h.html");
    expect(told).toMatchObject({ code: 7, stdout: expect.stringContaining("0.000 to 1.000") });
    expect(told.stdout).toContain("All cases are of one cluster");
    expect(readFileSync(join(folder.path, "h.html"), "utf8")).toContain("All cases are of one cluster");
  });

  test("a scorer that throws gives 0 and says so; the others, and the experiment, go on", async () => {
    const folder = new Folder();
    folder.write(
      "p.ts",
      shout.replace(
        "export default",
        'import { exact } from "flujo/evals";\nfunction moody({ input }: { input: unknown }) {\n  if (input === "b") throw new Error("not in the mood");\n  return { score: 1, feedback: "fine" };\n}\nexport const scorers = [exact(), moody];\nexport default',
      ),
    );
    folder.write("d.jsonl", '{"id":"a","input":"a","expected":"A"}\n{"id":"b","input":"b","expected":"B"}');
    const args = ["eval", "p.ts", "d.jsonl", "--split", "all", "--name", "e", "--pass-mark", "0.9"];
    const { code, document } = await folder.json(...args);
    expect(code).toBe(0);
    const [a, b] = ["a", "b"].map((id) =>
      document.records.find((one: { caseId: string }) => one.caseId === id),
    );
    expect([a.score, b.score]).toEqual([1, 0.5]);
    expect(b.scores[1]).toMatchObject({ scorer: "moody", score: 0, failed: true });
    expect(b.scores[1].feedback).toContain("not in the mood");
    expect(document.summary.failures).toMatchObject([
      { what: "the scorer moody failed", trials: 1, caseIds: ["b"] },
    ]);
  });

  test("slips are told before anything runs", async () => {
    const folder = shouting();
    const slips = [
      [["--gate"], "--gate has nothing to go by"],
      [["--compare", "nothing"], "nothing is no experiment"],
      [["--scorer", "exactly"], 'there is no scorer "exactly"'],
      [["--name", "a b"], "is no name for an experiment"],
      [["--trials", "0"], "whole number from 1"],
      [["--budget", "5"], "is not an amount of money"],
    ] as const;
    for (const [flags, message] of slips) {
      const { code, stderr } = await folder.flujo("eval", "p.ts", "d.json", ...flags);
      expect({ code, told: stderr.includes(message) || stderr }).toEqual({ code: 2, told: true });
    }
    expect((await folder.json("lens", "list")).document.runs ?? []).toEqual([]);
  });
});

test("a large one is tried in parts: killed between trials of the second, it goes on, and every report has all of it", async () => {
  const count = 5_200; // more than a part has
  const folder = new Folder();
  folder.write("p.ts", shout);
  const lines = Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      id: `c${i}`,
      input: `w${i}`,
      expected: `W${i % 100 === 0 ? "?" : i}`,
      tags: [`t${i % 2}`],
    }),
  );
  folder.write("d.jsonl", lines.join("\n"));
  const args = ["eval", "p.ts", "d.jsonl", "--split", "all", "--name", "e", "--json", "--concurrency", "16"];
  const store = sqlite(join(folder.path, ".flujo/flujo.db"));
  onTestFinished(() => store.close());
  const running = folder.start([...args, "--quiet"]);
  while (((await store.read("e.part-2", 0, 20)) ?? []).length < 20)
    await new Promise((resolve) => setImmediate(resolve));
  running.kill("SIGKILL");
  await running.ended;
  const part = await readExperiment(store, "e");
  expect(part?.status).toBe("running");
  expect(part?.records.length).toBeGreaterThanOrEqual(5_000);

  const { code, stdout, stderr } = await folder.start([...args, "--html", "h.html", "--junit", "j.xml"])
    .ended;
  expect(code).toBe(0);
  expect(stderr).toContain("5200 of 5200 trials");
  const document = JSON.parse(stdout);
  expect(stdout).toBe(`${JSON.stringify(document, null, 2)}\n`);
  expect(document).toMatchObject({ status: "completed", summary: { trials: count, failed: 52 } });
  const ids = (list: readonly { caseId: string }[]) => new Set(list.map(({ caseId }) => caseId)).size;
  for (const list of [document.cases, document.records])
    expect([list.length, ids(list)]).toEqual([count, count]);
  expect(document.records.at(-1).runId).toMatch(/^e\.c\d+\.1$/);
  // What was over is not tried again: each trial's run was begun once.
  const again = document.records.filter(
    ({ durationMs }: { durationMs?: number }) => durationMs === undefined,
  );
  expect(again.length).toBeLessThanOrEqual(16);
  const html = readFileSync(join(folder.path, "h.html"), "utf8");
  expect(html.match(/<td>e\.c\d+\.1<\/td>/g)).toHaveLength(count);
  const junit = readFileSync(join(folder.path, "j.xml"), "utf8");
  expect(junit.match(/<testcase /g)).toHaveLength(count);
  expect(junit.match(/<failure /g)).toHaveLength(52);

  const more = await folder.flujo(...args, "--trials", "2", "--quiet");
  expect(more).toMatchObject({ code: 2, stderr: expect.stringContaining("not with the same trials") });
});

describe("flujo dataset", () => {
  test("check counts, or says what is wrong", async () => {
    const folder = new Folder();
    folder.write("d.csv", "input,expected,tags\na,A,x; y\nb,,x\n");
    const { stdout, code } = await folder.flujo("dataset", "check", "d.csv");
    expect(stdout).toContain("2 cases in 2 clusters, 1 with what is expected");
    expect(stdout).toContain("tags: x 2, y 1");
    expect(code).toBe(0);
    folder.write("bad.jsonl", '{"input": 1}\n{}\n');
    expect(await folder.flujo("dataset", "check", "bad.jsonl")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("line 2: the input is missing"),
    });
    expect((await folder.flujo("dataset", "check", "none.csv")).stderr).toContain("ENOENT");
  });

  test("add makes a case of a run, also of one that failed, and of none twice", async () => {
    const folder = new Folder();
    folder.write("p.ts", shout);
    await folder.flujo("run", "p.ts", "--input", "boom", "--run-id", "bad");
    await folder.flujo("run", "p.ts", "--input", "fine", "--run-id", "good");
    expect(
      (await folder.flujo("dataset", "add", "bad", "--expected", '"BOOM"', "--tags", "crash")).code,
    ).toBe(0);
    expect(
      (await folder.flujo("dataset", "add", "good", "--expect-output", "--cluster", "k")).stderr,
    ).toContain("2 cases");
    const lines = readFileSync(join(folder.path, "dataset.jsonl"), "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { id: "bad", input: "boom", expected: "BOOM", tags: ["crash"] },
      { id: "good", input: "fine", expected: "FINE", cluster: "k" },
    ]);
    expect(await folder.flujo("dataset", "add", "good")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('the id "good" is taken by line 2'),
    });
    expect(await folder.flujo("dataset", "add", "bad", "--id", "b2", "--expect-output")).toMatchObject({
      code: 2,
    });
    expect(await folder.flujo("eval", "p.ts", "dataset.jsonl", "--split", "all", "--quiet")).toMatchObject({
      code: 0,
    });
  });
});

test("embeddings are scored by their cosine, inside the budget", async () => {
  await using server = await wireServer();
  const folder = new Folder();
  folder.write(
    "p.ts",
    shout.replace(
      "export default",
      'import { embeddingSimilarity } from "flujo/evals";\nexport const scorers = [embeddingSimilarity({ model: "openai:text-embedding-3-small" })];\nexport default',
    ),
  );
  folder.write(
    "d.jsonl",
    '{"id":"same","input":"a","expected":"A"}\n{"id":"other","input":"b","expected":"something else"}',
  );
  const env = { OPENAI_BASE_URL: `${server.origin}/v1`, OPENAI_API_KEY: "sk-of-nobody" };
  const { code, stdout } = await folder.start(
    ["eval", "p.ts", "d.jsonl", "--split", "all", "--json", "--budget", "$1"],
    {
      env,
    },
  ).ended;
  expect(code).toBe(0);
  const { cases, judgesUsd } = JSON.parse(stdout);
  const [same, other] = ["same", "other"].map(
    (id) => cases.find((one: { caseId: string }) => one.caseId === id).score,
  );
  expect(same).toBeCloseTo(1, 6);
  expect(other).toBeLessThan(0.999);
  expect(judgesUsd).not.toBe("0");
});
