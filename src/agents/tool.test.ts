import { describe, expect, it, test } from "vitest";
import * as z from "zod";
import { pipeline } from "../core/compose.ts";
import type { Step } from "../core/step.ts";
import { show } from "../lens/show.ts";
import type { CrashPoint } from "../testing/crash-store.ts";
import { type Scene, scene } from "../testing/scene.ts";
import { type ScriptedCall, type ScriptedReply, scriptedModel } from "../testing/scripted-model.ts";
import type { VirtualProcess } from "../testing/virtual-world.ts";
import { agent } from "./agent.ts";
import { models } from "./models.ts";
import { type ToolContext, type ToolOptions, tool } from "./tool.ts";

const path = (use = 0, attempt = "") => `/p/a${attempt}:tool%3Apay#${use}`;
const Order = z.object({ to: z.string() });
type Pay = ToolOptions<typeof Order, unknown>;

/** Turns so far, by the answers in the conversation. */
const turnOf = ({ options }: ScriptedCall): number =>
  options.prompt.filter(({ role }) => role === "assistant").length;

/** One call of `pay` for each name, then what the tool said. */
const paying =
  (...names: string[]) =>
  (call: ScriptedCall): ScriptedReply => {
    if (turnOf(call) === 0) return { toolCalls: names.map((to) => ({ name: "pay", input: { to } })) };
    const last = call.options.prompt.at(-1);
    const results = last?.role === "tool" ? last.content : [];
    return {
      text: results
        .map((part) => ("output" in part && "value" in part.output ? String(part.output.value) : ""))
        .join("; "),
    };
  };

/** An agent with the tool `pay`, and what became of it in each process. */
function shop(
  options: Omit<Pay, "description" | "input" | "execute">,
  execute: (
    input: { to: string },
    times: number,
    process: VirtualProcess,
    signal: AbortSignal,
    costs: ToolContext["costs"],
  ) => unknown,
  replies: (call: ScriptedCall) => ScriptedReply = paying("Ada"),
  qualified: (made: Step<string, string>) => Step<string, string> = (made) => made,
) {
  const on = scene();
  const model = scriptedModel({ replies });
  const keys: string[] = [];
  const cast = (crash?: CrashPoint) => {
    let process: VirtualProcess | undefined;
    const pay = tool("pay", {
      description: "Pays",
      input: Order,
      execute: (input, ctx) => {
        keys.push(ctx.idempotencyKey);
        return execute(input, keys.length, process as VirtualProcess, ctx.signal, ctx.costs); // it runs in one
      },
      ...options,
    });
    const made: Step<string, string> = pipeline(
      "p",
      qualified(agent<string>("a", { model, system: "Pay.", tools: [pay] })).retry({ attempts: 2 }),
    );
    const one = on.cast(made, { models: models({ prices: model.prices }), ...(crash ? { crash } : {}) });
    process = one.process;
    return one;
  };
  return { on, model, keys, cast };
}

const typesOf = async (on: Scene) => (await on.journal("r")).map(({ type }) => type);

describe("a tool that must be approved", () => {
  it("waits, holding no process, at the call's path; approved, it runs once", async () => {
    const { on, model, keys, cast } = shop({ approval: true }, () => "paid");
    expect(await cast().run("x", { runId: "r" })).toMatchObject({ status: "waiting", signals: [path()] });
    expect(keys).toEqual([]);
    const { operations, run } = await show("r", await on.journal("r"), async () => undefined);
    expect(run.waitingFor).toEqual([
      { path: path(), kind: "human", prompt: 'May the agent call pay with {"to":"Ada"}?' },
    ]);
    expect(operations.find((one) => one.path === path())).toMatchObject({
      kind: "tool-call",
      status: "waiting",
    });
    await on.play(cast().runner.signal("r", path(), { approved: true }));
    expect(await on.play(cast().runner.resume("r").result())).toMatchObject({ output: "paid" });
    expect(keys).toHaveLength(1);
    expect(model.calls).toHaveLength(2);
  });

  it("denied, does not run, and the model reads why", async () => {
    const { on, keys, cast } = shop({ approval: true }, () => "paid");
    await cast().run("x", { runId: "r" });
    await on.play(cast().runner.signal("r", path(), { approved: false, note: "too much" }));
    expect(await on.play(cast().runner.resume("r").result())).toMatchObject({
      output: 'The call of "pay" was not approved, and the tool did not run. The reason: too much',
    });
    expect(keys).toEqual([]);
  });

  it("waits by its arguments, with a prompt of the author's", async () => {
    const { on, keys, cast } = shop(
      { approval: { prompt: ({ to }) => `Pay ${to}?`, when: ({ to }) => to !== "Ada" } },
      ({ to }) => `paid ${to}`,
      paying("Ada", "Eve"),
    );
    expect(await cast().run("x", { runId: "r" })).toMatchObject({ status: "waiting", signals: [path(1)] });
    expect(keys).toHaveLength(1);
    const { run } = await show("r", await on.journal("r"), async () => undefined);
    expect(run.waitingFor).toEqual([{ path: path(1), kind: "human", prompt: "Pay Eve?" }]);
  });

  it("several wait at once; each goes on by its own answer, and finished ones are kept", async () => {
    const { on, model, keys, cast } = shop(
      { approval: ({ to }) => to !== "Ada" },
      ({ to }) => `paid ${to}`,
      paying("Ada", "Bob", "Eve"),
    );
    const waiting = await cast().run("x", { runId: "r" });
    expect(waiting).toMatchObject({ status: "waiting", signals: [path(1), path(2)] });
    await on.play(cast().runner.signal("r", path(2), { approved: true }));
    const less = await on.play(cast().runner.resume("r").result());
    expect(less).toMatchObject({ status: "waiting", signals: [path(1)] });
    await on.play(cast().runner.signal("r", path(1), { approved: true }));
    expect(await on.play(cast().runner.resume("r").result())).toMatchObject({
      output: "paid Ada; paid Bob; paid Eve",
    });
    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(3);
    expect(model.calls).toHaveLength(2);
  });

  it("an answer that does not fit, to nobody, or a second time, is refused", async () => {
    const { on, cast } = shop({ approval: true }, () => "paid");
    await cast().run("x", { runId: "r" });
    const { runner } = cast();
    await expect(on.play(runner.signal("r", path(), "yes"))).rejects.toMatchObject({
      code: "signal-refused",
    });
    await expect(on.play(runner.signal("r", path(7), { approved: true }))).rejects.toMatchObject({
      code: "signal-refused",
      hint: `It waits at ${path()}.`,
    });
    await on.play(runner.signal("r", path(), { approved: true }));
    await on.play(runner.resume("r").result());
    await expect(on.play(runner.signal("r", path(), { approved: true }))).rejects.toMatchObject({
      code: "run-ended",
    });
  });
});

describe("a tool with a retry", () => {
  it("is tried again before the model hears of it, each try with the same key, and the tries are recorded", async () => {
    const { on, keys, cast } = shop({ retry: { attempts: 3, jitter: false } }, (_, times) => {
      if (times < 3) throw new Error(`no ${times}`);
      return "paid";
    });
    expect(await cast().run("x", { runId: "r" })).toMatchObject({ output: "paid" });
    expect(new Set(keys).size).toBe(1);
    const journal = await on.journal("r");
    const tries = journal.filter((entry) => entry.type === "retry-scheduled");
    expect(tries).toMatchObject([
      { path: path(), attempt: 1, error: { message: "Error: no 1" } },
      { path: path(), attempt: 2, error: { message: "Error: no 2" } },
    ]);
    expect(tries.map(({ due, at }) => due - at)).toEqual([1_000, 2_000]);
    const { operations } = await show("r", journal, async () => undefined);
    expect(operations.find((one) => one.path === path())).toMatchObject({ attempts: 3, status: "completed" });
  });

  it("has failed after its last try: the model reads the error", async () => {
    const { keys, cast } = shop({ retry: { attempts: 2 } }, (_, times) => {
      throw new Error(`no ${times}`);
    });
    expect(await cast().run("x")).toMatchObject({ output: 'The tool "pay" failed: no 2' });
    expect(keys).toHaveLength(2);
  });

  it("killed between two tries, goes on with the next one after what is left of the wait", async () => {
    const { on, keys, cast } = shop(
      { retry: { attempts: 2, backoff: "60s", jitter: false } },
      (_, times, process) => {
        if (times > 1) return "paid";
        process.timer(20_000, () => process.kill());
        throw new Error("no");
      },
    );
    void cast().runner.start("x", { runId: "r" }).result();
    await on.wait(30_000);
    const began = on.world.now();
    expect(await cast().run("x", { runId: "r" })).toMatchObject({ output: "paid" });
    expect(on.world.now() - began).toBe(30_000);
    expect(keys).toHaveLength(2);
  });
});

describe("a tool with a timeout", () => {
  it("that does not come back is told to stop, and the model reads that it was too slow", async () => {
    let told = false;
    const { cast } = shop({ timeout: "5s" }, (_input, _times, _process, signal) => {
      signal.addEventListener("abort", () => {
        told = true;
      });
      return new Promise(() => {});
    });
    expect(await cast().run("x")).toMatchObject({
      status: "completed",
      output: 'The tool "pay" failed: it was not done after 5000 ms',
    });
    expect(told).toBe(true);
  });

  it("and a retry is tried again", async () => {
    const { cast } = shop({ timeout: "5s", retry: { attempts: 2 } }, (_, times) =>
      times === 1 ? new Promise(() => {}) : "paid",
    );
    expect(await cast().run("x")).toMatchObject({ output: "paid" });
  });
});

/** Dies while the tool runs the first time; a second process goes on. */
function dying(options: Parameters<typeof shop>[0]) {
  const made = shop(options, (_, times, process) => {
    if (times === 1) process.kill();
    return `paid ${times}`;
  });
  const goOn = async () => {
    void made.cast().runner.start("x", { runId: "r" }).result();
    await made.on.wait(1_000);
    return made.cast().run("x", { runId: "r" });
  };
  return { ...made, goOn };
}

describe("a tool in flight when its process died", () => {
  it("runs again by default, with the same key", async () => {
    const { goOn, keys, model } = dying({});
    expect(await goOn()).toMatchObject({ output: "paid 2" });
    expect(keys[0]).toBe(keys[1]);
    expect(model.calls).toHaveLength(2);
  });

  it('fails the agent, and is not run again by a retry around it, with onUnknown: "fail"', async () => {
    const { goOn, keys } = dying({ onUnknown: "fail" });
    expect(await goOn()).toMatchObject({
      status: "failed",
      error: { code: "outcome-unknown", message: expect.stringContaining(path()), retryable: false },
    });
    expect(keys).toHaveLength(1);
  });

  it.each([
    ["run again", { retry: true }, "paid 2", 2],
    ["taken as done", { result: { receipt: 7 } }, '{"receipt":7}', 1],
    ["taken as failed", { failed: "the bank said no" }, 'The tool "pay" failed: the bank said no', 1],
  ])('is asked about with onUnknown: "ask", and %s by the answer', async (_, answer, output, runs) => {
    const { goOn, keys, on, cast } = dying({ onUnknown: "ask" });
    expect(await goOn()).toMatchObject({ status: "waiting", signals: [path()] });
    const { run } = await show("r", await on.journal("r"), async () => undefined);
    expect(run.waitingFor).toMatchObject([{ path: path(), prompt: expect.stringContaining("Did") }]);
    await expect(on.play(cast().runner.signal("r", path(), { approved: true }))).rejects.toMatchObject({
      code: "signal-refused",
    });
    await on.play(cast().runner.signal("r", path(), answer));
    expect(await on.play(cast().runner.resume("r").result())).toMatchObject({ status: "completed", output });
    expect(keys).toHaveLength(runs);
  });

  it("once asked about, is asked about anew when it dies again: an answer counts once", async () => {
    const { on, keys, cast } = shop({ onUnknown: "ask", approval: true }, (_, times, process) => {
      if (times < 3) process.kill();
      return `paid ${times}`;
    });
    const answers = [{ approved: true }, { retry: true }, { retry: true }];
    await cast().run("x", { runId: "r" });
    for (const answer of answers) {
      const { runner } = cast();
      await on.play(runner.signal("r", path(), answer));
      const again = runner.signal("r", path(), answer); // somebody presses twice
      await expect(on.play(again)).rejects.toMatchObject({ code: "signal-refused" });
      void runner.resume("r").result();
      await on.wait(60_000); // it dies, and whoever comes next finds the question
      const result = await cast().run("x", { runId: "r" });
      if (answer !== answers.at(-1)) expect(result).toMatchObject({ status: "waiting", signals: [path()] });
      else expect(result).toMatchObject({ status: "completed", output: "paid 3" });
    }
    expect(keys).toHaveLength(3);
  });

  it.each(["before", "after"] as const)(
    "is told from one that had not begun: the process died %s the announcement was stored",
    async (when) => {
      // run-created and the reservation; the answer; the announcement.
      const { on, keys, cast } = shop({ onUnknown: "ask" }, () => "paid");
      void cast({ commit: 3, when }).runner.start("x", { runId: "r" }).result();
      await on.wait(1_000);
      const result = await cast().run("x", { runId: "r" });
      if (when === "before") expect(result).toMatchObject({ status: "completed", output: "paid" });
      else expect(result).toMatchObject({ status: "waiting" });
      expect(keys).toHaveLength(when === "before" ? 1 : 0);
    },
  );
});

describe("a tool that must not happen twice", () => {
  it("too slow, has an unknown outcome, and no retry runs it again", async () => {
    const options = { onUnknown: "ask", timeout: "5s", retry: { attempts: 3 } } as const;
    const { on, keys, cast } = shop(options, () => new Promise(() => {}));
    expect(await cast().run("x", { runId: "r" })).toMatchObject({ status: "waiting", signals: [path()] });
    await on.play(cast().runner.signal("r", path(), { result: "paid after all" }));
    expect(await on.play(cast().runner.resume("r").result())).toMatchObject({ output: "paid after all" });
    expect(keys).toHaveLength(1);
  });

  it.each([
    ["ask", "waiting", undefined],
    ["fail", "failed", "outcome-unknown"],
  ] as const)(
    "is not called blindly by a new attempt of its agent, which was timed out around it: %s",
    async (onUnknown, status, code) => {
      const { on, keys, cast } = shop(
        { onUnknown },
        (_, times) => (times === 1 ? new Promise(() => {}) : `paid ${times}`),
        paying("Ada"),
        (made) => made.timeout("10s"),
      );
      const stood = await cast().run("x", { runId: "r" });
      expect(stood).toMatchObject({ status, ...(code ? { error: { code } } : { signals: [path(0, "@2")] }) });
      expect(keys).toHaveLength(1);
      if (code === undefined) await on.play(cast().runner.signal("r", path(0, "@2"), { retry: true }));
      // Whoever resumes a failed run has been told, and wants it tried again.
      const after = await on.play(cast().runner.resume("r").result());
      expect(after).toMatchObject({ status: "completed", output: "paid 2" });
      expect(keys).toHaveLength(2);
    },
  );

  it("that throws has failed, knowingly: it may be tried again", async () => {
    const { keys, cast } = shop({ onUnknown: "fail", retry: { attempts: 2 } }, (_, times) => {
      if (times === 1) throw new Error("no");
      return "paid";
    });
    expect(await cast().run("x")).toMatchObject({ output: "paid" });
    expect(keys).toHaveLength(2);
  });

  it("is given time to come back when the run is to stop, and its result is kept", async () => {
    const { on, keys, cast } = shop({ onUnknown: "ask" }, async (_input, _times, process) => {
      await new Promise<void>((resolve) => void process.timer(10_000, resolve));
      return "paid";
    });
    const { runner } = cast();
    const result = runner.start("x", { runId: "r" }).result();
    result.catch(() => {}); // handed over below
    await on.wait(1_000);
    await on.play(runner[Symbol.asyncDispose]());
    await expect(result).rejects.toMatchObject({ code: "lease-lost" });
    expect((await typesOf(on)).filter((type) => type === "operation-completed")).toHaveLength(2);
    expect(await cast().run("x", { runId: "r" })).toMatchObject({ status: "completed", output: "paid" });
    expect(keys).toHaveLength(1);
  });
});

describe("a tool with a price", () => {
  it("is paid from the budget for each try, and what it says of its true cost counts", async () => {
    const priced = shop({ price: "$0.50", retry: { attempts: 3 } }, (_, times) => {
      if (times === 1) throw new Error("no");
      return "paid";
    });
    const { spent } = await priced.cast().run("x", { runId: "r", budget: "$2" });
    expect(spent.toolCalls).toBe(2);
    expect(spent.picoUsd).toBe(1_000_000_000_000n + priced.model.billedPicoUsd);
    const cheaper = shop({ price: "$0.50" }, (_input, _times, _process, _signal, costs) => {
      costs("$0.01");
      return "paid";
    });
    const less = await cheaper.cast().run("x", { runId: "r", budget: "$2" });
    expect(less.spent.picoUsd).toBe(10_000_000_000n + cheaper.model.billedPicoUsd);
  });

  it("does not begin when the budget cannot pay it: the run halts, and goes on with more", async () => {
    const { on, keys, model, cast } = shop({ price: "$0.50" }, () => "paid");
    expect(await cast().run("x", { runId: "r", budget: "$0.40" })).toMatchObject({
      status: "halted",
      error: { code: "budget-exceeded", message: expect.stringContaining("pay") },
    });
    expect(keys).toEqual([]);
    expect(await on.play(cast().runner.resume("r", { budget: "$1" }).result())).toMatchObject({
      output: "paid",
    });
    expect(model.calls).toHaveLength(2);
  });

  it("is not tried again for want of money, where the place fails instead of halting", async () => {
    const { keys, cast } = shop(
      { retry: { attempts: 3, when: () => true } },
      () => {
        throw new Error("no");
      },
      paying("Ada"),
      (made) => made.budget({ toolCalls: 1 }, { onLimit: "fail" }),
    );
    expect(await cast().run("x")).toMatchObject({ status: "failed", error: { code: "budget-exceeded" } });
    expect(keys).toHaveLength(1);
  });

  it("counts against a limit of tool calls, without any price", async () => {
    const { keys, cast } = shop({}, ({ to }) => `paid ${to}`, paying("Ada", "Bob", "Eve"));
    const halted = await cast().run("x", { runId: "r", budget: { toolCalls: 2 } });
    expect(halted).toMatchObject({ status: "halted", spent: { toolCalls: 2 } });
    expect(keys).toHaveLength(2);
  });

  it("in flight when its process died, is in doubt: it is spent, and the next try is paid anew", async () => {
    const { goOn, model } = dying({ price: "$0.50" });
    const result = await goOn();
    expect(result).toMatchObject({ output: "paid 2", spent: { toolCalls: 2 } });
    expect(result.spent.picoUsd).toBe(1_000_000_000_000n + model.billedPicoUsd);
  });
});

test("options out of bounds are refused where they are written", () => {
  const base = { description: "", input: Order, execute: () => 1 };
  // @ts-expect-error none of the three
  expect(() => tool("t", { ...base, onUnknown: "never" })).toThrow('onUnknown of the tool "t" is "never"');
  expect(() => tool("t", { ...base, retry: { attempts: 0 } })).toThrow("1 to 1,000 attempts");
});
