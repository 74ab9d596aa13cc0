import { describe, expect, it } from "vitest";
import * as z from "zod";
import { pipeline } from "../core/compose.ts";
import type { Entry } from "../core/entries.ts";
import { eventOf } from "../core/events.ts";
import { factsOf } from "../core/facts.ts";
import { inboxOf } from "../lens/inbox.ts";
import { show } from "../lens/show.ts";
import type { CrashPoint } from "../testing/crash-store.ts";
import { scene } from "../testing/scene.ts";
import { type ScriptedCall, scriptedModel } from "../testing/scripted-model.ts";
import { agent } from "./agent.ts";
import { models } from "./models.ts";
import { type ApprovalOptions, tool } from "./tool.ts";

const day = 86_400_000;
const path = "/p/a:tool%3Apay#0";
const Order = z.object({ to: z.string() });

/** Calls `pay` once, then says what came of it. */
const payOnce = ({ options }: ScriptedCall) => {
  const last = options.prompt.at(-1);
  if (last?.role !== "tool") return { toolCalls: [{ name: "pay", input: { to: "Ada" } }] };
  const [part] = last.content;
  return { text: part && "output" in part && "value" in part.output ? String(part.output.value) : "" };
};

/** An agent whose tool asks somebody first. */
function desk(approval: ApprovalOptions<typeof Order>) {
  const on = scene();
  const paid: string[] = [];
  const model = scriptedModel({ replies: payOnce });
  const pay = tool("pay", {
    description: "Pays",
    input: Order,
    approval,
    execute: ({ to }) => `paid ${paid.push(to)}`,
  });
  const made = pipeline("p", agent<string>("a", { model, system: "Pay.", tools: [pay] }));
  const cast = (crash?: CrashPoint) =>
    on.cast(made, {
      models: models({ prices: model.prices }),
      takeOver: false,
      ...(crash === undefined ? {} : { crash }),
    });
  const resume = () => on.play(cast().runner.resume("r").result());
  const answer = (approved: boolean, by: string) =>
    on.play(cast().runner.signal("r", path, { approved }, { by }));
  return { on, paid, model, made, cast, resume, answer };
}

const timed = { timeout: "2d", assignees: ["ana"] } as const;

describe("a tool whose approval nobody gives in time", () => {
  it("does not run: the model reads so, and goes on", async () => {
    const { on, paid, model, cast, resume } = desk(timed);
    const due = on.world.now() + 2 * day;
    expect(await cast().run("x", { runId: "r" })).toMatchObject({
      status: "waiting",
      waits: [{ path, kind: "human", due }],
      until: new Date(due),
    });
    await on.wait(2 * day);
    expect(await resume()).toMatchObject({
      status: "completed",
      output: 'Nobody has said in time whether "pay" may be called, and the tool did not run.',
    });
    expect([paid, model.calls.length]).toEqual([[], 2]);
  });

  it("is gone on with by the process that ran it, when its moment comes", async () => {
    const { on, made, model } = desk(timed);
    await on.cast(made, { models: models({ prices: model.prices }) }).run("x", { runId: "r" });
    await on.wait(2 * day + 1_000);
    expect((await on.journal("r")).at(-1)).toMatchObject({ type: "run-completed" });
  });

  it.each([
    [false, 'The call of "pay" was not approved, and the tool did not run. The reason: nobody was there'],
    [true, "paid 1"],
  ])("takes the declared answer: approved %s", async (approved, output) => {
    const { on, cast, resume } = desk({
      ...timed,
      onTimeout: { answer: { approved, note: "nobody was there" } },
    });
    await cast().run("x", { runId: "r" });
    await on.wait(900 * day);
    expect(await resume()).toMatchObject({ output });
    const entries = await on.journal("r");
    expect(entries.filter(({ type }) => type === "question-answered")).toMatchObject([{ late: true }]);
    const { operations } = await show("r", entries, async () => undefined);
    expect(operations.find((one) => one.path === path)?.notes?.join(" ")).toContain(
      "Nobody answered in time, for which was declared",
    );
  });

  it("asks others, and any of them may answer while somebody can still be asked", async () => {
    const { on, paid, cast, resume, answer } = desk({
      ...timed,
      onTimeout: { escalate: [{ assignees: ["bo"], timeout: "1d" }, { assignees: ["team:ops"] }] },
    });
    await cast().run("x", { runId: "r" });
    await on.wait(2 * day);
    expect(await resume()).toMatchObject({ waits: [{ path, due: on.world.now() + day }] });
    const asked = await inboxOf(on.store, "r");
    expect(asked).toMatchObject([{ asks: "approval", assignees: ["bo"], answered: null }]);
    await on.wait(5 * day);
    expect(await resume()).toMatchObject({ waits: [{ path, kind: "human" }] });
    expect((await on.journal("r")).filter(({ type }) => type === "signal-escalated")).toMatchObject([
      { round: 1, assignees: ["bo"] },
      { round: 2, assignees: ["team:ops"] },
    ]);
    await answer(true, "ana");
    expect(await inboxOf(on.store, "r")).toMatchObject([
      { assignees: ["team:ops"], answered: { by: "ana" } },
    ]);
    expect(await resume()).toMatchObject({ output: "paid 1" });
    expect(paid).toEqual(["Ada"]);
  });
});

describe("an approval and the end of its time", () => {
  it("one given while others can still be asked counts, though their turn has come and nobody has asked them yet", async () => {
    const { on, cast, resume, answer } = desk({
      ...timed,
      onTimeout: { escalate: [{ assignees: ["bo"], timeout: "1d" }] },
    });
    await cast().run("x", { runId: "r" });
    await on.wait(2 * day + 1_000);
    await answer(true, "ana");
    expect(await inboxOf(on.store, "r")).toMatchObject([{ assignees: ["ana"], answered: { by: "ana" } }]);
    expect(await resume()).toMatchObject({ output: "paid 1" });
  });

  it("one given in time counts, however late the run is resumed", async () => {
    const { on, cast, resume, answer } = desk(timed);
    await cast().run("x", { runId: "r" });
    await on.wait(2 * day - 1_000);
    await answer(true, "ana");
    await on.wait(30 * day);
    expect(await resume()).toMatchObject({ output: "paid 1" });
  });

  it("one given later is refused, though nobody has resumed the run", async () => {
    const { on, paid, cast, resume, answer } = desk(timed);
    await cast().run("x", { runId: "r" });
    await on.wait(2 * day);
    await expect(answer(true, "ana")).rejects.toMatchObject({
      code: "signal-refused",
      message: expect.stringContaining("was over at"),
    });
    const asked = (await on.journal("r")).find(({ type }) => type === "signal-awaited");
    const late = { id: "late", path: `${path}?${asked?.seq}`, data: { approved: true }, at: on.world.now() };
    await on.store.send("r", late); // past the refusal
    expect(await resume()).toMatchObject({ output: expect.stringContaining("Nobody has said in time") });
    expect(paid).toEqual([]);
  });

  it("shows in the inbox with whom it is for, what helps to decide, and until when", async () => {
    const { on, cast } = desk({
      ...timed,
      prompt: ({ to }) => `Pay ${to}?`,
      context: ({ to }) => ({ history: `https://shop.example/${to}` }),
    });
    await cast().run("x", { runId: "r" });
    expect(await inboxOf(on.store, "r")).toMatchObject([
      {
        path,
        asks: "approval",
        prompt: "Pay Ada?",
        context: { history: "https://shop.example/Ada" },
        assignees: ["ana"],
        due: new Date(on.world.now() + 2 * day).toISOString(),
      },
    ]);
    const { run } = await show("r", await on.journal("r"), async () => undefined);
    expect(run.waitingFor).toMatchObject([{ path, assignees: ["ana"] }]);
  });

  it("is taken at the address that sinks tell, and at that of no other question", async () => {
    const { on, cast, resume } = desk(timed);
    await cast().run("x", { runId: "r" });
    const asked = (await on.journal("r")).find(({ type }) => type === "signal-awaited") as Entry; // it waits
    const { answerAt } = factsOf(eventOf(asked));
    const { runner } = cast();
    await expect(on.play(runner.signal("r", `${path}?1`, { approved: true }))).rejects.toMatchObject({
      message: expect.stringContaining("was asked anew since then"),
    });
    await on.play(runner.signal("r", String(answerAt), { approved: true }));
    expect(await resume()).toMatchObject({ output: "paid 1" });
  });

  it("is refused where the tool is made, when it can never come", () => {
    expect(() => desk({ onTimeout: { answer: { approved: false } } })).toThrow(/not when that is/);
  });
});

describe("killed at every commit boundary", () => {
  const escalating = {
    ...timed,
    onTimeout: { escalate: [{ assignees: ["bo"], timeout: "1d" }], finally: { answer: { approved: true } } },
  } as const;

  for (const when of ["before", "after"] as const) {
    it(`${when} each commit, everybody is asked once and the tool runs by the declared answer`, async () => {
      for (let commit = 1; commit <= 8; commit++) {
        const { on, cast } = desk(escalating);
        cast({ commit, when })
          .runner.run("x", { runId: "r" })
          .catch(() => {});
        for (let n = 0; n < 12; n++) {
          await on.wait(day + 60_000);
          const one = cast(n % 3 === 2 ? undefined : { commit: 1 + (n % 2), when });
          one.runner.run("x", { runId: "r" }).catch(() => {}); // it dies, or waits on
        }
        await on.wait(60_000);
        const entries = await on.journal("r");
        const count = (type: string) => entries.filter((entry) => entry.type === type).length;
        expect([commit, entries.at(-1)]).toMatchObject([
          commit,
          { type: "run-completed", output: expect.stringMatching(/^paid \d$/) },
        ]);
        expect(["signal-awaited", "signal-escalated", "question-answered"].map(count)).toEqual([1, 1, 1]);
      }
    });
  }
});
