import { describe, expect, test } from "vitest";
import { z } from "zod";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { tool } from "../agents/tool.ts";
import { branchOn, loopUntil, pipeline, step } from "../core/compose.ts";
import { versionOf } from "../core/fingerprint.ts";
import { setting } from "../core/overlay.ts";
import { humanInTheLoop } from "../core/pauses.ts";
import { scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { improvables } from "./improvables.ts";
import { rootOf } from "./root.ts";
import { withOverlay } from "./with-overlay.ts";

/** An agent that says what it was told, before and after a person's word. */
function talk() {
  const model = scriptedModel({ replies: ({ options: { prompt } }) => `${prompt[0]?.content}` });
  const flow = pipeline(
    "p",
    agent("one", { model, system: "First." })
      .to(humanInTheLoop("ask", { prompt: (said: string) => said, answer: z.string() }))
      .to(agent("two", { model, system: "Second." })),
  );
  return { flow, on: scene(), given: { models: models({ prices: model.prices }) } };
}
const other = [setting("/p/two", "system", "Other.")];

describe("a pipeline under an overlay", () => {
  test("begins its runs with it; each records it, and the pipeline stays as it was", async () => {
    const { flow, on, given } = talk();
    const over = await withOverlay(flow, other);
    const { runner } = on.cast(over, given);
    await on.play(runner.run("x", { runId: "r" }));
    await on.play(runner.signal("r", "/p/ask", "go"));
    expect(await on.play(runner.resume("r").result())).toMatchObject({ output: "Other." });
    const [created] = await on.journal("r");
    expect(created).toMatchObject({
      overlay: other,
      fingerprint: versionOf(rootOf(over.node).node).fingerprint,
    });
    expect(improvables(flow)["/p/two"]).toMatchObject({ system: "Second." });
    expect(improvables(over)["/p/two"]).toMatchObject({ system: "Other." });
  });

  test.each([
    { begins: "without", goesOn: "with", output: "Second." },
    { begins: "with", goesOn: "without", output: "Other." },
    { begins: "with", goesOn: "another", output: "Other." },
  ] as const)("keeps a run that began $begins one as it is, gone on with $goesOn", async (how) => {
    const { flow, on, given } = talk();
    const another = [setting("/p/two", "system", "Another."), setting("/p/one", "system", "Else.")];
    const flows = {
      without: flow,
      with: await withOverlay(flow, other),
      another: await withOverlay(flow, another),
    };
    await on.cast(flows[how.begins], given).run("x", { runId: "r" });
    const { runner } = on.cast(flows[how.goesOn], given);
    await on.play(runner.signal("r", "/p/ask", "go"));
    expect(await on.play(runner.resume("r").result())).toMatchObject({
      status: "completed",
      output: how.output,
    });
    expect(await on.play(runner.replay("r"))).toMatchObject({ same: true, changed: [] });
  });

  test("may have another one over it, for good or for one run", async () => {
    const { flow, on, given } = talk();
    const twice = await withOverlay(await withOverlay(flow, other), [setting("/p/one", "system", "Uno.")]);
    expect(improvables(twice)).toMatchObject({
      "/p/one": { system: "Uno." },
      "/p/two": { system: "Other." },
    });
    const { runner } = on.cast(twice, given);
    await on.play(runner.run("x", { runId: "r", overlay: [setting("/p/one", "system", "Solo.")] }));
    const [created] = await on.journal("r");
    expect(created).toMatchObject({
      overlay: [other[0], setting("/p/one", "system", "Uno."), setting("/p/one", "system", "Solo.")],
    });
    const fork = await on.play(runner.fork("r", { runId: "f", at: "/p/ask" }).result());
    expect(fork).toMatchObject({ status: "waiting" });
    expect((await on.journal("f"))[0]).toMatchObject({ overlay: (created as { overlay?: object }).overlay });
  });

  test("keeps a large one aside, once for all its runs, whatever it holds", async () => {
    const { flow, on, given } = talk();
    const odd = { $type: "blob", hash: "none", size: 1 }; // looks like a reference, and is an example
    const large = [
      setting("/p/two", "system", "x".repeat(12_000)),
      setting("/p/one", "examples", [{ input: odd, output: "odd" }]),
    ];
    const { runner } = on.cast(await withOverlay(flow, large), given);
    for (const runId of ["a", "b"]) {
      await on.play(runner.run("x", { runId }));
      await on.play(runner.signal(runId, "/p/ask", "go"));
      const [created] = await on.journal(runId);
      expect(JSON.stringify(created).length).toBeLessThan(2_000);
      expect(created).toMatchObject({ overlay: { $type: "blob" } });
    }
    const bare = on.cast(flow, given).runner;
    const { output } = (await on.play(bare.resume("a").result())) as { output?: string };
    expect(output).toHaveLength(12_000);
    expect(await on.play(bare.replay("a"))).toMatchObject({ same: true });
    const fork = await on.play(bare.fork("b", { runId: "f", at: "/p/ask" }).result());
    expect(fork).toMatchObject({ status: "waiting" });
    const [kept, parent] = [await on.journal("f"), await on.journal("b")].map(([created]) => created);
    expect(kept).toMatchObject({ overlay: (parent as { overlay?: object }).overlay });
  });

  test("is itself, when the overlay is empty or changes nothing", async () => {
    const { flow } = talk();
    expect(await withOverlay(flow, [])).toBe(flow);
  });
});

describe("an overlay changes", () => {
  test("settings of steps, choices and loops: the code finds the new ones, and it is another version", async () => {
    const flow = pipeline(
      "p",
      step("score", (text: string, { settings }) => text.length * settings.weight, {
        settings: { weight: { type: "number", value: 1, min: 0, max: 10 } },
      })
        .to(
          branchOn(
            "route",
            (score: number, { settings }) => (score >= settings.least ? "high" : "low"),
            {
              high: step("high", (score: number) => `high ${score}`),
              low: step("low", (score: number) => `low ${score}`),
            },
            { settings: { least: { type: "integer", value: 10 } } },
          ),
        )
        .to(
          loopUntil(
            "grow",
            step("mark", (text: string) => `${text}!`),
            {
              until: (text, { settings }) => text.endsWith(settings.end),
              settings: { end: { type: "choice", value: "!", choices: ["!", "!!!"] } },
              maxLoops: 5,
            },
          ),
        ),
    );
    const overlay = [
      setting("/p/score", "weight", 4),
      setting("/p/route", "least", 12),
      setting("/p/grow", "end", "!!!"),
    ];
    const on = scene();
    expect(await on.cast(flow).run("four", { runId: "a" })).toMatchObject({ output: "low 4!" });
    const over = await withOverlay(flow, overlay);
    expect(await on.cast(over).run("four", { runId: "b" })).toMatchObject({ output: "high 16!!!" });
    expect(await on.play(on.cast(flow).runner.replay("b", { bodies: "all" }))).toMatchObject({ same: true });
    const lines = [flow, over].map(({ node }) => versionOf(node).manifest);
    const changed = lines[0]?.filter(([, hash], i) => hash !== lines[1]?.[i]?.[1]).map(([path]) => path);
    expect(changed).toEqual(["/p/score", "/p/route", "/p/grow"]);
  });

  test("how often something is tried, which is no other version", async () => {
    const flow = pipeline(
      "p",
      step("flaky", (n: number, { attempt }) => {
        if (attempt < n) throw new Error("not yet");
        return attempt;
      }).retry({ attempts: 2, backoff: "1ms" }),
    );
    const on = scene();
    expect(await on.cast(flow).run(3, { runId: "a" })).toMatchObject({ status: "failed" });
    const over = await withOverlay(flow, [setting("/p/flaky", "attempts", 3)]);
    expect(await on.cast(over).run(3, { runId: "b" })).toMatchObject({ output: 3 });
    expect(versionOf(over.node).fingerprint).toBe(versionOf(flow.node).fingerprint);
  });

  test("what a model reads of a tool, and how many turns it has", async () => {
    const look = tool("look", { description: "Looks.", input: z.object({}), execute: () => "nothing" });
    const model = scriptedModel({ replies: ({ options }) => JSON.stringify(options.tools) });
    const flow = agent("ask", { model, system: "Hi.", tools: [look], maxTurns: 3 });
    const over = await withOverlay(flow, [
      setting("/ask/ask", "tool:look", "Looks into the archive."),
      setting("/ask/ask", "maxTurns", 1),
    ]);
    expect(improvables(over)["/ask/ask"]).toMatchObject({
      "tool:look": "Looks into the archive.",
      maxTurns: 1,
    });
    const on = scene();
    const { output } = (await on
      .cast(over, { models: models({ prices: model.prices }) })
      .run("x", { runId: "r" })) as { output?: string };
    expect(output).toContain("Looks into the archive.");
    expect(look.description).toBe("Looks.");
  });

  test("a prompt that is a function, for a template", async () => {
    const model = scriptedModel({ replies: ({ options: { prompt } }) => `${prompt[0]?.content}` });
    const flow = pipeline("p", agent("ask", { model, system: () => "Made.", improve: false }));
    expect(improvables(flow)).toEqual({ "/p/ask": {} });
    const over = await withOverlay(flow, [setting("/p/ask", "system", "Written for {{input}}.")]);
    const given = { models: models({ prices: model.prices }) };
    expect(await scene().cast(over, given).run("Ada", { runId: "r" })).toMatchObject({
      output: "Written for Ada.",
    });
  });

  test.each([
    [setting("/p/s", "weight", 11), 'the setting "weight" of step "s" is 11; it takes 0 to 10'],
    [setting("/p/s", "height", 1), 'the setting "height" of step "s" does not exist'],
    [{ op: "remove", path: "/~1p~1s/weight" }, 'the setting "weight" of step "s" is left out'],
    [setting("/p/s", "attempts", 0), "the attempts of /p/s are 0; they are a whole number from 1 to 1,000"],
    [{ op: "remove", path: "/~1p~1s/attempts" }, "the attempts of /p/s are left out"],
    [setting("/p/none", "weight", 1), "there is nothing at /p/none that an overlay can change"],
    [{ op: "remove", path: "/~1p~1s" }, "the overlay removes /p/s"],
  ] as const)("nothing out of bounds: %j", async (operation, message) => {
    const settings = { weight: { type: "number", value: 1, min: 0, max: 10 } } as const;
    const flow = pipeline("p", step("s", (x: number) => x, { settings }).retry({ attempts: 2 }));
    await expect(withOverlay(flow, [operation])).rejects.toThrow(message);
  });
});

describe("a setting is refused", () => {
  const declared =
    (terms: unknown, name = "x") =>
    () =>
      step("s", (n: number) => n, { settings: { [name]: terms } as never });
  test.each([
    [{ type: "number", value: "1" }, 'is "1"; it takes a number'],
    [{ type: "number", value: 2, max: 1 }, "is 2; it takes -Infinity to 1"],
    [{ type: "number", value: 2, min: 3, max: 1 }, "has the bounds 3 and 1"],
    [{ type: "number", value: 2, mayChange: true }, "may be improved, and has no bounds"],
    [{ type: "integer", value: 1.5 }, "is 1.5; it takes a whole number"],
    [{ type: "choice", value: "c", choices: ["a", "b"] }, 'is "c"; it takes "a", "b"'],
    [{ type: "choice", value: "c", choices: [] }, "has no choices"],
    [{ type: "text", value: "abc", maxLength: 2 }, "has 3 characters; it takes at most 2"],
    [{ value: 1 }, "has no type"],
  ])("%j", (terms, message) => {
    expect(declared(terms)).toThrow(`the setting "x" of step "s" ${message}`);
  });

  test.each(["", "attempts", "a b", "__proto__", "toString"])("called %j", (name) => {
    const terms = JSON.parse(`{ ${JSON.stringify(name)}: { "type": "text", "value": "" } }`) as never;
    expect(() => step("s", (n: number) => n, { settings: terms })).toThrow("cannot be called so");
  });
});
