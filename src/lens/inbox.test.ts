import { expect, test } from "vitest";
import * as z from "zod";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { tool } from "../agents/tool.ts";
import { parallel, pipeline, step } from "../core/compose.ts";
import { humanInTheLoop, sleep, waitFor } from "../core/pauses.ts";
import type { Store } from "../ports/store.ts";
import { scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { type InboxFilter, inbox as lookInto } from "./inbox.ts";

const ask = humanInTheLoop("ask", { prompt: (text: string) => `Is "${text}" right?`, assignees: ["ana"] });
/** Takes an hour, in the process. */
const work = step("work", async (text: string, ctx) => {
  for (let n = 0; n < 60; n++) await ctx.sleep("a bit", "1m");
  return text;
});
const minute = 60_000;

const inbox = async (store: Store, filter?: InboxFilter) => (await lookInto(store, filter)).items;

test("what a run asks is shown while it does something else, and no longer than it is asked", async () => {
  const on = scene();
  const made = pipeline("p", parallel("both", { ask, paid: waitFor("paid"), work }));
  const { runner } = on.cast(made);
  const result = runner.start("x", { runId: "r" }).result();
  await on.wait(minute);
  const items = await inbox(on.store);
  expect(items.find(({ path }) => path === "/p/both[ask]/ask")).toMatchObject({
    ...{ asks: "approval", prompt: 'Is "x" right?', assignees: ["ana"], answered: null },
  });
  expect(items.map(({ asks }) => asks).toSorted()).toEqual(["approval", "event"]);
  await on.play(runner.signal("r", "/p/both[ask]/ask", { approved: true }, { by: "ana" }));
  expect((await inbox(on.store, { for: "ana" })).find(({ asks }) => asks === "approval")).toMatchObject({
    answered: { by: "ana" },
  });
  await on.play(runner.signal("r", "/p/both[paid]/paid", 1));
  await on.play(result);
  expect(await inbox(on.store)).toEqual([]);
});

test("so is what a tool asks, until what it was asked for is over", async () => {
  const on = scene();
  const look = tool("look", {
    description: "Looks",
    input: z.object({}),
    execute: () => "seen",
    approval: { prompt: () => "May it look?" },
  });
  const model = scriptedModel({ replies: [{ toolCalls: [{ name: "look", input: {} }] }] });
  const watch = agent("watch", { model, system: "Watch.", tools: [look] });
  const made = pipeline("p", parallel("both", { watch, work }));
  const { runner } = on.cast(made, { models: models({ prices: model.prices }) });
  const handle = runner.start("x", { runId: "r" });
  await on.wait(minute);
  expect(await inbox(on.store)).toMatchObject([{ prompt: "May it look?", asks: "approval" }]);
  await on.play(handle.result());
  expect(await inbox(on.store)).toMatchObject([{ prompt: "May it look?" }]); // the run waits for nothing else
});

test("a question whose place was given up is asked no more", async () => {
  const on = scene();
  const fail = step("fail", async (_: string, ctx): Promise<string> => {
    await ctx.sleep("a bit", "1m");
    await ctx.sleep("a bit more", "1m");
    throw new Error("no");
  });
  const otherwise = parallel("inner", { ask, fail }).fallback(step("other", () => "other"));
  const made = pipeline("p", parallel("both", { otherwise, work }));
  const { runner } = on.cast(made);
  const handle = runner.start("x", { runId: "r" });
  await on.wait(minute);
  const before = await inbox(on.store);
  await on.wait(10 * minute);
  expect([before.length, await inbox(on.store)]).toEqual([1, []]);
  await on.play(handle.result());
});

test("those come first that have waited longest", async () => {
  const on = scene();
  for (const runId of ["b", "c", "a"]) {
    await on.cast(pipeline("p", ask)).run("x", { runId });
    await on.wait(minute);
  }
  expect((await inbox(on.store)).map(({ runId }) => runId)).toEqual(["b", "c", "a"]);
});

test("a question is found behind any number of runs that sleep, which are looked at once", async () => {
  const on = scene();
  await on.cast(pipeline("p", ask)).run("x", { runId: "asks" });
  const { runner } = on.cast(pipeline("q", sleep<number>("nap", "30d")));
  const runs = Array.from({ length: 1_200 }, (_, n) => runner.run(n, { runId: `s${n}` }));
  await on.play(Promise.all(runs));
  let reads = 0;
  const read: Store["read"] = (...args) => {
    reads++;
    return on.store.read(...args);
  };
  const silent = new Map<string, number>();
  const found = await lookInto({ ...on.store, read }, {}, { silent });
  expect([found.items.map(({ runId }) => runId), found.more, silent.size]).toEqual([["asks"], 0, 1_200]);
  const before = reads;
  await lookInto({ ...on.store, read }, {}, { silent });
  expect(reads - before).toBe(1);
});

test("of more than are asked for, those are shown that have waited longest, and the others counted", async () => {
  const on = scene();
  for (const runId of ["a", "b", "c"]) {
    await on.cast(pipeline("p", ask)).run("x", { runId });
    await on.wait(minute);
  }
  const { items, more } = await lookInto(on.store, { limit: 2 });
  expect([items.map(({ runId }) => runId), more]).toEqual([["a", "b"], 1]);
});
