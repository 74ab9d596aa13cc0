import fc from "fast-check";
import { expect, test } from "vitest";
import { isRunId } from "../core/paths.ts";
import { checkedName, tickRunId } from "./ids.ts";

const names = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/);
const ticks = fc.integer({ min: 0, max: 4_000_000_000 }).map((seconds) => seconds * 1_000);

test("the run of a tick is named after both", () => {
  expect(tickRunId("weekly", Date.UTC(2026, 10, 30, 8))).toBe("weekly-20261130T080000Z");
});

test("every name and tick make a run id, and no other name and tick make the same", () => {
  fc.assert(
    fc.property(names, ticks, names, ticks, (name, tick, otherName, otherTick) => {
      const id = tickRunId(checkedName(name), tick);
      expect(isRunId(id)).toBe(true);
      if (name !== otherName || tick !== otherTick) expect(tickRunId(otherName, otherTick)).not.toBe(id);
      // a name that looks like the run of another schedule
      const posing = id.length <= 80 ? tickRunId(checkedName(id), otherTick) : "";
      expect(posing).not.toBe(id);
    }),
  );
});
