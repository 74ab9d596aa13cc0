import { expect, test } from "vitest";
import { mapOver, pipeline, step } from "../core/compose.ts";
import type { Context } from "../core/context.ts";
import { Flujo } from "../flujo.ts";
import { memory } from "../stores/memory.ts";
import { readJournal } from "./journal.ts";
import { stateStory } from "./state-story.ts";

interface Seen {
  readonly seen: { readonly [word: string]: number };
  readonly count?: number;
}

test("each step that changed the state is told in order, with what it changed; the others are not", async () => {
  const look = step("look", (word: string, ctx: Context<Seen>) => {
    if (word !== "nothing") ctx.set({ seen: { ...ctx.state.seen, [word]: word.length } });
    return word;
  });
  const count = step("count", (words: readonly string[], ctx: Context<Seen>) =>
    ctx.set({ count: words.length }),
  );
  const store = memory();
  const whole = pipeline("p", mapOver("all", look, { concurrency: 1 }).to(count), {
    state: (): Seen => ({ seen: {} }),
  });
  await using flujo = new Flujo(whole, { store });
  const { runId, status } = await flujo.run(["a", "nothing", "bcd"]);
  expect(status).toBe("completed");
  const entries = (await readJournal(store, runId)) ?? [];
  const story = stateStory(entries, 0, 10);
  expect(story).toMatchObject({ first: { seen: {} }, total: 3, from: 0 });
  expect(story.steps.map(({ path, changes }) => [path, changes])).toEqual([
    ["/p/all[0]/look", [{ op: "add", path: "/seen/a", value: 1 }]],
    ["/p/all[2]/look", [{ op: "add", path: "/seen/bcd", value: 3 }]],
    ["/p/count", [{ op: "add", path: "/count", value: 3 }]],
  ]);
  expect(stateStory(entries, 1, 1).steps.map(({ path }) => path)).toEqual(["/p/all[2]/look"]);
  expect(stateStory([], 0, 1)).toEqual({ first: null, total: 0, from: 0, steps: [] });
});
