/** `flujo up`: what it serves, what it goes on with, whom it tells. Needs `npm run build`. */
import { describe, expect, test } from "vitest";
import { httpReceiver } from "../sinks/http-receiver.ts";
import { Application } from "./application.ts";

describe("flujo up goes on with", () => {
  test("the run of a process that was killed, at once; what is recorded is not done again", async () => {
    const app = new Application();
    await app.abandoned("r", "two");
    const up = await app.up();
    await up.saw("completed  r  line");
    expect(up.said()).toContain("taken-over r  line");
    expect(app.did()).toEqual(["r one", "r two", "r three"]);
  });

  test("one that is abandoned while it serves", async () => {
    const app = new Application();
    const up = await app.up();
    await app.abandoned("r", "three");
    await up.saw("completed  r");
    expect(app.did()).toEqual(["r one", "r two", "r three"]);
  });

  test("one that was answered from another process", async () => {
    const app = new Application();
    const asking = ["run", "pipelines/standing.ts", "--export", "asking", "--run-id", "r"];
    expect((await app.flujo(...asking)).code).toBe(3);
    const up = await app.up();
    expect((await app.flujo("approve", "r")).code).toBe(0);
    await up.saw("completed  r  asking");
    expect((await app.journal("r")).at(-1)).toMatchObject({ output: { approved: true } });
  });

  test("one whose time has come", async () => {
    const app = new Application();
    const up = await app.up();
    const hurried = ["run", "pipelines/standing.ts", "--export", "hurried", "--run-id", "r"];
    expect((await app.flujo(...hurried)).code).toBe(3);
    await up.saw("completed  r  hurried");
    expect(up.said()).toContain("woken      r");
    expect((await app.journal("r")).at(-1)).toMatchObject({ output: { approved: false } });
  });

  test("schedules: each tick of a pipeline it serves has one run, under the budget of the configuration", async () => {
    const app = new Application();
    app.write("flujo.config.ts", `export default { budget: "$0.07", pipelines: "line.ts" };`);
    const asking = ["pipelines/standing.ts", "--export", "asking", "--input", "x"];
    const every = ["--cron", "* * * * * *"];
    await app.flujo("schedule", "add", "line.ts", "--name", "beat", "--input", "x", ...every);
    await app.flujo("schedule", "add", ...asking, "--name", "elsewhere", ...every);
    const [up, other] = [await app.up(), await app.up()];
    await expect
      .poll(async () => (await app.store.list({ status: ["completed"] })).length)
      .toBeGreaterThan(2);
    for (const one of [up, other]) {
      one.kill("SIGTERM");
      expect((await one.ended).code).toBe(0);
    }
    const runs = await app.store.list({});
    for (const { runId, pipeline } of runs) {
      expect([runId, pipeline]).toEqual([expect.stringMatching(/^beat/), "line"]);
      expect((await app.journal(runId))[0]).toMatchObject({ limits: { picoUsd: "70000000000" } });
    }
    expect(app.did()).toHaveLength(new Set(app.did()).size);
  });

  test("none of a pipeline it does not serve, and names that once", async () => {
    const app = new Application();
    app.write("flujo.config.ts", `export default { pipelines: "pipelines" };`);
    await app.abandoned("r1", "two");
    await app.abandoned("r2", "one");
    const up = await app.up();
    await up.saw(`left alone runs of "line", which is not served here`);
    up.kill("SIGTERM");
    const { code, stderr } = await up.ended;
    expect(code).toBe(0);
    expect(stderr.match(/left alone/g)).toHaveLength(1);
    expect(await app.listing("r1")).toMatchObject({ status: "running" });
  });
});

describe("flujo up serves", () => {
  test("the pipelines of the folder it is told, and leaves files alone that cannot be one or are none", async () => {
    const app = new Application();
    app.write(
      "app/hello.ts",
      `import { pipeline, step } from "flujo"; export const p = pipeline("hello", step("s", () => 1));`,
    );
    app.write("app/again.ts", `import "flujo"; export { p } from "./hello.ts";`);
    app.write("app/script.ts", `import { step } from "flujo"; throw new Error(String(step));`);
    app.write("app/other.ts", `throw new Error("never loaded"); export {};`);
    app.write("app/hello.test.ts", `import "flujo"; throw new Error("never loaded"); export {};`);
    app.write(
      "app/broken.ts",
      `import { pipeline } from "flujo";\nexport default pipeline("broken", nothing);`,
    );
    app.write(
      "app/loop.ts",
      `import { pipeline, step } from "flujo"; const s = step("s", () => 1); export default pipeline("twice", s.to(s));`,
    );
    const up = await app.up(["app", "--no-http"]);
    up.kill("SIGTERM");
    const { code, stderr } = await up.ended;
    expect(code).toBe(0);
    expect(stderr).toContain(`/app on sqlite:.flujo/flujo.db\n  hello  again.ts\nWithout HTTP.`);
    expect(stderr).toContain("not served broken.ts: ");
    expect(stderr).toContain("/app/broken.ts:2:35 ReferenceError: nothing is not defined");
    expect(stderr).toMatch(/not served loop\.ts: .*\n.*"s" names two places/);
    expect(stderr.match(/not served/g)).toHaveLength(2);
  });

  test.each([
    [
      "two pipelines of one name",
      {
        "b.ts": `import { pipeline, step } from "flujo"; export default pipeline("line", step("s", () => 1));`,
      },
      'two pipelines have the name "line": b.ts (default) and line.ts (default)',
    ],
    [
      "a file that is not there",
      { "flujo.config.ts": `export default { pipelines: ["line.ts", "gone.ts"] };` },
      "pipelines in flujo.config.ts names gone.ts, and there is no ",
    ],
    [
      "a hook for no event",
      { "flujo.config.ts": `export default { hooks: { "run-faild": () => {} } };` },
      'hooks in flujo.config.ts names "run-faild", and there is no such event',
    ],
    [
      "a hook that is none",
      { "flujo.config.ts": `export default { hooks: { "*": 7 } };` },
      'the hook for "*" in flujo.config.ts is no function',
    ],
    [
      "a configuration that cannot be loaded",
      { "flujo.config.ts": "export default {" },
      "flujo.config.ts:1:17 SyntaxError",
    ],
  ])("nothing with %s: exit code 2", async (_, files, said) => {
    const app = new Application();
    for (const [name, text] of Object.entries(files)) app.write(name, text);
    await app.abandoned("r", "two").catch(() => {}); // a configuration may keep it from beginning
    const { code, stderr } = await app.flujo("up", "--no-http");
    expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
    expect(stderr).not.toContain("Serving");
  });

  test.each([
    [["up", "empty"], "there is nothing to serve in "],
    [["up", "nowhere"], "there is no folder "],
    [["up", "--grace", "soon"], '"soon" is not a duration'],
    [["up", "--port", "80.5"], "It takes a whole number from 0 to 65535"],
  ])("nothing with %j", async (args, said) => {
    const app = new Application();
    app.write("empty/notes.txt", "");
    const { code, stderr } = await app.flujo(...args);
    expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
  });
});

describe("what happens is told", () => {
  test("to the hooks of the configuration, by every command that advances runs", async () => {
    const app = new Application();
    app.write(
      "flujo.config.ts",
      `import { defineConfig } from "flujo";
       export default defineConfig({
         hooks: {
           "step-completed": ({ path }, { runId }) => console.error("hook", runId, path),
           "run-completed": [(event) => console.error("ended with", event.output), () => { throw new Error("a bad hook"); }],
         },
       });`,
    );
    const first = await app.flujo("run", "line.ts", "--input", "x", "--run-id", "a");
    expect(first.stderr).toContain("hook a /line/one");
    expect(first.stderr).toContain("ended with x");
    await app.abandoned("b", "two");
    const resumed = await app.flujo("resume", "b");
    expect(resumed.stderr).toContain("hook b /line/three");
    await app.abandoned("c", "two");
    const up = await app.up();
    await up.saw("trouble    a hook on run-completed failed");
    expect(up.said()).toContain("hook c /line/two");
    expect(up.said()).toContain("ended with x");
  });

  test("to sinks, also what a dead process has left untold", async () => {
    const receiver = await httpReceiver();
    receiver.does = "busy";
    try {
      const app = new Application();
      app.write(
        "flujo.config.ts",
        `import { webhook } from "flujo/sinks";
         export default { sinks: { ops: webhook({ url: "${receiver.url}", secret: "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=" }) } };`,
      );
      await app.flujo("run", "line.ts", "--input", "x", "--run-id", "r");
      expect(receiver.received).toEqual([]);
      receiver.does = "takes";
      await app.up();
      await expect.poll(() => receiver.received.length).toBe(1);
      expect(JSON.parse(receiver.received[0]?.body ?? "")).toMatchObject({
        type: "run-completed",
        data: { runId: "r" },
      });
    } finally {
      await receiver.close();
    }
  });

  test("in lines of JSON, one for each happening", async () => {
    const app = new Application();
    await app.abandoned("r", "two");
    const up = app.begin(["up", "--no-http", "--json"]);
    await up.saw("begins r three");
    await expect.poll(async () => (await app.listing("r"))?.status).toBe("completed");
    up.kill("SIGTERM");
    const { stdout } = await up.ended;
    const lines = stdout
      .trim()
      .split("\n")
      .map((text) => JSON.parse(text));
    for (const { at } of lines) expect(at).toMatch(/^\d{4}-.*Z$/);
    expect(lines).toMatchObject([
      {
        type: "serving",
        url: null,
        pipelines: [{ name: "line", file: "line.ts" }, { name: "asking" }, { name: "hurried" }],
      },
      { type: "run-advanced", why: "taken-over", runId: "r", pipeline: "line" },
      { type: "run-ended", status: "completed", runId: "r", pipeline: "line" },
      { type: "stopping", running: 0 },
      { type: "stopped", handedOver: [], cutOff: [] },
    ]);
  });

  test("an error that no step awaits is told, and ends nothing", async () => {
    const app = new Application();
    app.write(
      "stray.ts",
      `import { pipeline, step } from "flujo";
       export default pipeline("stray", step("s", async () => {
         await new Promise((resolve) => setTimeout(resolve, 300));
         void Promise.reject(new Error("nobody hears this"));
         await new Promise((resolve) => setTimeout(resolve, 300));
         return 1;
       }));`,
    );
    const owner = app.begin(["run", "stray.ts", "--run-id", "r"]);
    expect((await owner.ended).code).toBe(1);
    const up = await app.up();
    await up.saw("completed  r  stray");
    expect(up.said()).toContain("trouble    an error that no step awaits: ");
    expect(up.said()).toContain("nobody hears this");
  });
});
