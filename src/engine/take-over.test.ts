import { expect, test } from "vitest";
import { memory } from "../stores/memory.ts";
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
