import { describe, expect, it } from "vitest";
import { nodeWorld } from "../node-world.ts";
import type { Append, AppendOutcome, Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { CommitQueue, type Source } from "./commit-queue.ts";

/** A source with one append, which notes what became of it. */
function source(runId: string): Source & { outcome: Promise<AppendOutcome> } {
  const { promise, resolve, reject } = Promise.withResolvers<AppendOutcome>();
  let waiting = true;
  return {
    outcome: promise,
    take(): Append | undefined {
      if (!waiting) return undefined;
      waiting = false;
      return { runId, fence: 1, entries: [], blobs: [] };
    },
    settle: resolve,
    fail: reject,
  };
}

/** A store that commits when told to, and notes how much at a time. */
function slowStore() {
  const sizes: number[] = [];
  const gates: (() => void)[] = [];
  const store: Store = {
    ...memory(),
    async commit(appends) {
      sizes.push(appends.length);
      await new Promise<void>((resolve) => gates.push(resolve));
      return appends.map(({ runId }) => (runId === "stale" ? "fenced" : "appended"));
    },
  };
  return { store, sizes, open: () => gates.shift()?.() };
}

const turn = () => new Promise((resolve) => setTimeout(resolve, 2));

describe("the commit queue", () => {
  it("commits together what is asked for together, and what arrives meanwhile with the next one", async () => {
    const { store, sizes, open } = slowStore();
    const queue = new CommitQueue(store, nodeWorld());
    const first = [source("a"), source("b"), source("c")];
    for (const one of first) queue.request(one);
    await turn();
    const later = [source("d"), source("e")];
    for (const one of later) queue.request(one);
    open();
    await Promise.all(first.map((one) => one.outcome));
    await turn();
    open();
    await Promise.all(later.map((one) => one.outcome));
    expect(sizes).toEqual([3, 2]);
  });

  it("tells each source its own outcome", async () => {
    const { store, open } = slowStore();
    const queue = new CommitQueue(store, nodeWorld());
    const both = [source("stale"), source("fresh")];
    for (const one of both) queue.request(one);
    await turn();
    open();
    expect(await Promise.all(both.map((one) => one.outcome))).toEqual(["fenced", "appended"]);
  });

  it.each([
    ["volatile", ["turn", "turn", "turn"]],
    ["synced", ["turn", "turn", "turn", "turn", "turn"]],
  ] as const)("on a %s store, lets the event loop turn when it must", async (durability, turns) => {
    let now = 1;
    const seen: string[] = [];
    const world = {
      ...nodeWorld(),
      now: () => now,
      soon(callback: () => void) {
        seen.push("turn");
        setImmediate(callback);
      },
    };
    const queue = new CommitQueue({ ...memory(), durability, commit: async () => ["appended"] }, world);
    for (const at of [1, 1, 2, 2, 3]) {
      now = at;
      const one = source("a");
      queue.request(one);
      await one.outcome;
    }
    expect(seen).toEqual(turns);
  });

  it("fails all of a commit that throws, and goes on with the next", async () => {
    let broken = true;
    const store: Store = {
      ...memory(),
      commit: async (appends) => {
        if (broken) throw new Error("disk full");
        return appends.map(() => "appended" as const);
      },
    };
    const queue = new CommitQueue(store, nodeWorld());
    const [a, b] = [source("a"), source("b")];
    queue.request(a);
    await expect(a.outcome).rejects.toThrow("disk full");
    broken = false;
    queue.request(b);
    expect(await b.outcome).toBe("appended");
  });
});
