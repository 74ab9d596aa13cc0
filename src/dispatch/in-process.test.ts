import { describe, expect, it } from "vitest";
import { nodeWorld } from "../node-world.ts";
import { testDispatcher } from "../testing/test-dispatcher.ts";
import { inProcess } from "./in-process.ts";

testDispatcher(
  "in process",
  async () => {
    const one = inProcess(nodeWorld());
    return { join: () => one, told: () => one };
  },
  { describe, it },
);

it.each([1, 2])("tenants take turns, where %i may be under way at once", async (concurrency) => {
  const one = inProcess(nodeWorld());
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  for (const runId of ["big-1", "big-2", "big-3", "big-4", "small"]) {
    const tenant = runId.replace(/-.*/, "");
    await one.submit({ runId, pipeline: "p", fingerprint: "f", tenant });
  }
  await one.work({
    queues: ["default"],
    concurrency,
    take({ runId }) {
      begun.push(runId);
      return new Promise((resolve) => ends.push(() => resolve("done")));
    },
    onTrouble: () => {},
  });
  for (let i = 0; i < 5; i++) {
    await expect.poll(() => begun.length).toBe(Math.min(5, concurrency + i));
    ends[i]?.();
  }
  expect(begun).toEqual(["big-1", "small", "big-2", "big-3", "big-4"]);
  await one.close();
});
