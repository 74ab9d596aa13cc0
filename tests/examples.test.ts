/** Every example as a reader runs it: through the command, in a process of its own. Needs `npm run build`. */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { openaiServer } from "../src/testing/openai-server.ts";
import { Folder, type Running } from "./cli/command.ts";

const root = join(import.meta.dirname, "..");
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "flujo-examples-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function flujo(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const own = {
    OPENAI_API_KEY: "",
    OPENAI_BASE_URL: "",
    FLUJO_STORE: `sqlite:${join(folder, "flujo.db")}`,
    ...env,
  };
  const options = { cwd: root, env: { ...process.env, ...own } };
  return new Promise((resolve) => {
    const child = execFile(process.execPath, ["bin/flujo.js", ...args], options, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? undefined, signal: child.signalCode ?? undefined, stdout, stderr }),
    );
  });
}

test("all examples are tested here", () => {
  const all = readdirSync(join(root, "examples")).filter((name) => name !== "README.md");
  const programs = ["financial-analyst.ts", "hello.ts", "survives-kill.ts"];
  expect(all.sort()).toEqual(["financial-analyst", ...programs, "deploy", "refund-desk", "triage"].sort());
});

test("hello greets, and prints nothing else to stdout", async () => {
  const { code, stdout } = await flujo(["run", "examples/hello.ts", "--input", "Flujo"]);
  expect(stdout).toBe("Hello, Flujo!\n");
  expect(code).toBe(0);
});

test("deploy reads a claim and decides by its length, at a desk as in a container", async () => {
  const { code, stdout } = await flujo([
    "run",
    "examples/deploy/claims.ts",
    "--input-json",
    '{ "pages": 3 }',
  ]);
  expect(stdout).toBe("paid, after 3 pages\n");
  expect(code).toBe(0);
});

test("triage finds how urgent a message has to sound, without a model, and proves it", async () => {
  const data = "examples/triage/messages.jsonl";
  const pipeline = ["--pipeline", "examples/triage/triage.ts", "--out", join(folder, "triage.patch.json")];
  const { code, stdout, stderr } = await flujo(["improve", data, ...pipeline]);
  expect(stdout).toContain("triage: promoted");
  expect(stderr).toContain("without a reflector: rules propose");
  expect(code).toBe(0);
});

describe("financial-analyst", () => {
  const run = ["run", "examples/financial-analyst.ts"];

  test("without input or key it reports on every company, and says that no LLM wrote it", async () => {
    const { code, stdout } = await flujo([...run, "--run-id", "all"]);
    expect(code).toBe(0);
    expect(stdout).toContain("| Apple | $383.3 bn | -2.8% | $97.0 bn | 25.3% |");
    expect(stdout).toContain("| Microsoft | $211.9 bn | +6.9% | $72.4 bn | 34.1% |");
    expect(stdout).toContain("| Alphabet | $307.4 bn | +8.7% | $73.8 bn | 24.0% |");
    expect(stdout).toContain("| Amazon | $574.8 bn | +11.8% | $30.4 bn | 5.3% |");
    expect(stdout).toContain("| NVIDIA | $60.9 bn | +125.9% | $29.8 bn | 48.8% |");
    expect(stdout.match(/^\*.+, Form 10-K, fiscal year ended .+\*$/gm)).toHaveLength(5);
    expect(stdout).toContain("offline:extract, which is not an LLM");
  });

  test("run again under its id, it returns the same report without a call", async () => {
    const document = async () => JSON.parse((await flujo([...run, "--run-id", "all", "--json"])).stdout);
    const { status, spent, output } = await document();
    expect(status).toBe("completed");
    expect(spent.calls).toBe(5);
    expect(Number(spent.costUsd)).toBeGreaterThan(0);
    expect(Number(spent.costUsd)).toBeLessThan(0.15);
    expect((await document()).spent).toEqual(spent);
    expect(output).toContain("# What the annual reports say");
  });

  test("companies may be named; an unknown one is refused before anything runs", async () => {
    const two = await flujo([...run, "--input", "NVIDIA, Apple"]);
    expect(two.stdout.match(/^## .+$/gm)).toEqual(["## NVIDIA", "## Apple"]);
    const none = await flujo([...run, "--input", "Acme"]);
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain("NVIDIA");
  });

  test("with a key the sentences come from OpenAI, and the report says so", async () => {
    await using openai = await openaiServer({ reply: () => "It grew." });
    const env = { OPENAI_API_KEY: "sk-of-nobody", OPENAI_BASE_URL: openai.url };
    const { code, stdout } = await flujo([...run, "--input", "Amazon"], env);
    expect(code).toBe(0);
    expect(stdout).toContain("\nIt grew.\n");
    expect(stdout).toContain("The sentences above were written by openai:gpt-4o-mini.");
    expect(openai.requests).toHaveLength(1);
    expect(openai.requests[0]?.text).toContain("$574,785 million");
  });
});

test("survives-kill dies in its fourth step, and the same command again goes on there", async () => {
  const command = ["run", "examples/survives-kill.ts", "--run-id", "phoenix"];
  const first = await flujo(command);
  expect(first).toMatchObject({ signal: "SIGKILL", stdout: "" });
  expect(first.stderr).toContain("npx flujo resume phoenix");
  const second = await flujo(command);
  expect(second.code).toBe(0);
  const done = [...second.stdout.matchAll(/^\d\. (\w+) +process (\d+)$/gm)].map(([, name, pid]) => ({
    name,
    pid,
  }));
  expect(done.map(({ name }) => name)).toEqual(["dig", "sow", "water", "plant", "weed", "reap"]);
  const pids = done.map(({ pid }) => pid);
  expect(new Set(pids.slice(0, 3)).size).toBe(1);
  expect(new Set(pids.slice(3)).size).toBe(1);
  expect(pids[0]).not.toBe(pids[3]);
  expect(second.stdout).toContain("6 steps, each done once, by 2 processes.");
});

describe("refund-desk", () => {
  /** A copy of the folder, with what people do at it. */
  class Desk extends Folder {
    readonly #started: Running[] = [];

    constructor() {
      super();
      const example = join(root, "examples/refund-desk");
      const made = /\/\.flujo|\.log$/; // by who has tried it out
      cpSync(example, this.path, { recursive: true, filter: (path) => !made.test(path) });
      symlinkSync(join(root, "node_modules"), join(this.path, "node_modules"), "junction");
      onTestFinished(async () => {
        for (const running of this.#started) running.kill("SIGKILL");
        await Promise.all(this.#started.map(({ ended }) => ended));
      });
    }

    async up(patience = "2d"): Promise<Running> {
      const env = { DESK_URL: "http://desk.example", DESK_PATIENCE: patience };
      const running = this.start(["up", "--port", "0"], { env });
      this.#started.push(running);
      await running.saw("Listening at");
      return running;
    }

    claim(runId: string, order: string, patience = "2d") {
      const claim = JSON.stringify({ order, complaint: "It creaks. It creaks all day." });
      const args = ["run", "refund.ts", "--no-ask", "--run-id", runId, "--input-json", claim];
      return this.start(args, { env: { DESK_URL: "http://desk.example", DESK_PATIENCE: patience } }).ended;
    }

    /** The lines of a file of the desk's. */
    lines = (name: string): string[] => readFileSync(join(this.path, name), "utf8").trim().split("\n");
  }

  test("pays small sums by its rule, and refuses what is no claim", async () => {
    const desk = new Desk();
    expect(await desk.claim("small", "A1")).toMatchObject({
      code: 0,
      stdout: "the kettle is on the shelf\n",
    });
    expect(await desk.flujo("run", "refund.ts", "--input", "money")).toMatchObject({ code: 2, stdout: "" });
  });

  test("asks a person on its board, and goes on by the link there, in another process than was asked in", async () => {
    const desk = new Desk();
    const first = await desk.up();
    expect((await desk.claim("chair", "B2")).code).toBe(3);
    first.kill("SIGKILL");
    await first.ended;
    const [said = ""] = desk.lines("board.log");
    expect(said).toMatch(/^evt_\w+ chair signal-awaited Pay 249 back for the armchair\? yes: \S+ no: \S+$/);
    const up = await desk.up();
    const [, url] = /Listening at (\S+)/.exec(up.said()) ?? [];
    const link = (/yes: (\S+)/.exec(said)?.[1] ?? "").replace("http://desk.example", url ?? "");
    expect(await (await fetch(link)).text()).toContain("It creaks all day.");
    expect((await fetch(link, { method: "POST", body: new URLSearchParams({}) })).status).toBe(200);
    await up.saw("completed  chair");
    await expect.poll(() => desk.lines("board.log").at(-1)).toMatch(/ chair run-completed/);
    expect(desk.lines("till.log")).toEqual([expect.stringMatching(/ -24900$/)]);
  });

  test("takes back what it has paid for what cannot be sold again", async () => {
    const desk = new Desk();
    const up = await desk.up();
    expect((await desk.claim("cake", "C3")).code).toBe(3);
    expect((await desk.flujo("approve", "cake")).code).toBe(0);
    await up.saw("failed     cake");
    const [paid, back] = desk.lines("till.log").map((line) => line.split(" "));
    expect([paid?.[1], back]).toEqual(["-18000", [`${paid?.[0]}:back`, "18000"]]);
  });

  test("asks the head of the shop when nobody answers, and says no when nobody does then", async () => {
    const desk = new Desk();
    const up = await desk.up("1s");
    expect((await desk.claim("late", "B2", "1s")).code).toBe(3);
    await up.saw("completed  late");
    const told = () => desk.lines("board.log").map((line) => line.split(" ")[2]);
    await expect.poll(told).toEqual(["signal-awaited", "signal-escalated", "run-completed"]);
    const { document } = await desk.json("lens", "show", "late");
    expect(document.run.output).toBe("not paid: nobody answered");
  });

  test("counts at its hour, and ends when it is told to", async () => {
    const desk = new Desk();
    await desk.claim("small", "A1");
    await desk.flujo(
      "schedule",
      "add",
      "closing.ts",
      "--cron",
      "* * * * * *",
      "--time-zone",
      "Europe/Madrid",
    );
    const up = await desk.up();
    await up.saw("completed  closing-");
    up.kill("SIGTERM");
    expect((await up.ended).code).toBe(0);
    const { document } = await desk.json("lens", "list");
    const [closing] = document.runs.filter((run: { pipeline: string }) => run.pipeline === "closing");
    const shown = await desk.json("lens", "show", closing.runId);
    expect(shown.document.run.output).toBe("39.00 paid back so far");
  });
});
