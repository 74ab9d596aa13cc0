import { expect, test } from "vitest";
import { pipeline, step } from "../core/compose.ts";
import { Runner } from "../engine/runner.ts";
import { nodeWorld } from "../node-world.ts";
import type { Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { prune } from "./prune.ts";
import { verify } from "./verify.ts";

const large = pipeline(
  "p",
  step("big", (text: string) => text.repeat(10_000)).to("size", (text) => text.length),
);

/** A store that does something else before one of its calls. */
function interrupted(inner: Store, at: number, meanwhile: () => Promise<unknown>): Store & { calls: number } {
  let calls = 0;
  return new Proxy(inner as Store & { calls: number }, {
    get(target, name) {
      if (name === "calls") return calls;
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        calls += 1;
        if (calls === at) await meanwhile();
        return Reflect.apply(value, target, args);
      };
    },
  });
}

/** A run that is forked and removed, one of the two in the middle of the other. */
async function both(at: number, inner: "fork" | "prune") {
  const kept = memory();
  const world = nodeWorld();
  const run = (store: Store) => new Runner(large, { store, world, takeOver: false });
  await run(kept).run("a", { runId: "r" });
  let fork: unknown;
  const work = {
    prune: (store: Store) =>
      prune(store, {
        ...{ before: Number.MAX_SAFE_INTEGER, owner: "pruner", now: world.now, isDry: false },
        idPrefix: "r",
      }),
    async fork(store: Store) {
      fork = await run(store)
        .fork("r", { at: "/p/size", runId: "f" })
        .result()
        .catch((error: unknown) => error);
    },
  };
  const store = interrupted(kept, at, () => work[inner](kept));
  await work[inner === "fork" ? "prune" : "fork"](store);
  return { kept, calls: store.calls, fork };
}

test.each(["prune", "fork"] as const)(
  "a fork has all its values, or says that the run is gone, whenever the %s comes between",
  async (inner) => {
    const ends = new Set<string>();
    for (let at = 1; ; at++) {
      const { kept, calls, fork } = await both(at, inner);
      if (calls < at) break;
      expect((await verify(kept)).faults).toEqual([]);
      const there = (await kept.list({ idPrefix: "f", limit: 1 })).length > 0;
      if (there) expect(fork).toMatchObject({ status: "completed", output: 10_000 });
      else expect(fork).toMatchObject({ code: expect.stringMatching(/^(unknown-run|lease-held)$/) });
      ends.add(there ? "forked" : "refused");
    }
    expect([...ends].sort()).toEqual(["forked", "refused"]);
  },
);
