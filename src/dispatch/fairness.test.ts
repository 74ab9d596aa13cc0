import { describe, expect, it } from "vitest";
import { jobOf, limited, serving, slow, submit } from "../../tests/dispatch/stage.ts";
import type { Step } from "../core/step.ts";
import { type Scene, scene } from "../testing/scene.ts";

type Slow = Step<string, string>;

async function flood(on: Scene, one: Slow, tenant: string, count: number): Promise<string[]> {
  const { runner } = on.cast(one, { takeOver: false });
  const ids = Array.from({ length: count }, (_, i) => `${tenant}-${i}`);
  for (const runId of ids) await on.play(runner.submit("x", { runId, tenant }));
  await on.wait(1);
  return ids;
}

/** A worker that is handed the runs in the order in which they were submitted, as queues do, whenever it has room. */
function handed(on: Scene, one: Slow, most: number, ids: readonly string[]): void {
  const queue = on.world.process("queue");
  const waiting = [...ids];
  const lookout = serving(on, one, most, { headStartMs: 15_000 });
  let underWay = 0;
  const hand = (): void => {
    for (let room = Math.min(most - underWay, lookout.room); room > 0 && waiting.length > 0; room--) {
      const runId = waiting.shift() as string; // there is one
      underWay += 1;
      const tenant = runId.replace(/-\d+$/, "");
      void lookout.take(jobOf(one, runId, { tenant })).then((taken) => {
        underWay -= 1;
        if (taken === "left") waiting.push(runId);
        hand();
      });
    }
  };
  const look = (): void => {
    hand();
    queue.timer(500, look);
  };
  look();
}

describe("a tenant that submits one run while another one has very many", () => {
  it.each([1, 2, 10])("is second, or sooner, in a worker of %i at once", async (most) => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    await flood(on, one, "big", 60);
    await submit(on, one, "small", { tenant: "small" });
    serving(on, one, most, limited({ most: 100 }));
    await on.wait(12_000);
    expect(begun.slice(0, Math.max(2, most))).toContain("small");
  });

  it("has its turn though as many tenants have very many as there is room for", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    for (const tenant of ["a", "b", "c"]) await flood(on, one, tenant, 20);
    serving(on, one, 3, limited({ most: 100 }));
    await on.wait(25_000);
    await submit(on, one, "small", { tenant: "small" });
    await on.wait(25_000);
    expect(begun).toContain("small");
    const counts = ["a", "b", "c"].map((tenant) => begun.filter((id) => id.startsWith(tenant)).length);
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
  });

  it("is found behind more than a worker looks at", async () => {
    const on = scene();
    const begun: string[] = [];
    const one = slow(begun);
    await flood(on, one, "big", 1_100);
    await submit(on, one, "small", { tenant: "small" });
    serving(on, one, 2, limited({ most: 100 }));
    await on.wait(5_000);
    expect(begun).toEqual(["big-0", "small"]);
  });

  it.each([1, 4])(
    "is not left behind them by a dispatcher that hands them over as they came, to a worker of %i at once",
    async (most) => {
      const on = scene();
      const begun: string[] = [];
      const one = slow(begun);
      const ids = await flood(on, one, "big", 100);
      await submit(on, one, "small", { tenant: "small" });
      handed(on, one, most, [...ids, "small"]);
      await on.wait(14_000);
      expect(begun).not.toContain("small"); // it is left to the dispatcher at first
      await on.wait(13_000);
      expect(begun).toContain("small");
      await on.wait(60_000);
      expect(begun.length).toBeGreaterThanOrEqual(8 * most); // and all the room was used
      expect(new Set(begun).size).toBe(begun.length);
    },
  );
});
