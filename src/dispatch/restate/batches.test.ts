import { expect, it } from "vitest";
import { Batches } from "./batches.ts";

it("sends together what comes while something is under way, no more at once than it may, and tells each what became of it", async () => {
  const sent: (readonly number[])[] = [];
  let end: () => void = () => {};
  const batches = new Batches<number>(2, (items) => {
    sent.push(items);
    if (items.includes(3)) throw new Error("away");
    return new Promise<void>((resolve) => {
      end = resolve;
    });
  });
  const first = batches.add(1);
  await Promise.resolve();
  const rest = Promise.allSettled([2, 3, 4].map((item) => batches.add(item)));
  expect(sent).toEqual([[1]]);
  end();
  await first;
  await expect.poll(() => sent).toEqual([[1], [2, 3], [4]]);
  end();
  expect((await rest).map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"]);
});
