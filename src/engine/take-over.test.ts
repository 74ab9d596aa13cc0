import { expect, test } from "vitest";
import { Flujo, humanInTheLoop, pipeline } from "../index.ts";
import { memory } from "../stores/memory.ts";
import { market } from "../testing/market.ts";
import { virtualWorld } from "../testing/virtual-world.ts";
import { TakeOver } from "./take-over.ts";

test("looks once in a while, also when it was told to rest and to watch again in the middle of a look", async () => {
  const world = virtualWorld();
  const process = world.process("p");
  let looks = 0;
  let answer = (): void => {};
  const store = {
    ...memory(),
    list: () => {
      looks++;
      return new Promise<[]>((resolve) => {
        answer = () => resolve([]);
      });
    },
  };
  const takeOver = new TakeOver(
    store,
    process,
    "p",
    1_000,
    () => {},
    async () => {},
  );
  const none = new Set<string>();
  takeOver.watch(none);
  await world.run(() => looks === 1);
  takeOver.rest();
  takeOver.watch(none);
  answer();
  let passed = false;
  process.timer(1_500, () => {
    passed = true;
  });
  await world.run(() => passed);
  expect(looks).toBe(2);
  takeOver.end();
});

test.each(["taken-over", "woken"] as const)(
  "a run that has come to stand since it was looked for is left as it is, when it was to be %s",
  async (why) => {
    const on = market();
    const { models } = on.paying();
    const ask = humanInTheLoop("ask", { prompt: (text: string) => text });
    const both = pipeline("p", on.asking("first", 60).to(ask));
    for (const [budget, status] of [
      ["$0.10", "halted"],
      ["$9", "waiting"],
    ] as const) {
      await using flujo = new Flujo(both, { store: on.store, budget, ...(models ? { models } : {}) });
      const stood = await flujo.run("x", { runId: status });
      const before = await on.store.read(status, 0, 100);
      const again = await flujo.adopt(status, why).result();
      expect([stood.status, again.status]).toEqual([status, status]);
      expect(await on.store.read(status, 0, 100)).toEqual(before);
    }
  },
);
