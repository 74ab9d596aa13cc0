/** Runs on a store whose server is away now and then. */
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import { FlujoError } from "../../src/core/errors.ts";
import { Flujo, pipeline, type RunResult, step } from "../../src/index.ts";
import type { Store } from "../../src/ports/store.ts";

const operations = 60;

/**
 * Does a run of sixty operations while something befalls the server: one thing after the other. Nothing that is recorded afterwards is
 * done again.
 */
export async function survives(
  server: { stop(): Promise<void> },
  store: Store,
  befalls: readonly (() => Promise<void>)[],
): Promise<void> {
  onTestFinished(async () => {
    await store.close();
    await server.stop();
  });
  const apart = operations / (befalls.length + 1);
  const did: number[] = [];
  const begun: Promise<void>[] = [];
  const work = pipeline(
    "work",
    step("all", async (_input: number, ctx) => {
      let sum = 0;
      for (let i = 0; i < operations; i += 1) {
        sum += await ctx.run(`add ${i}`, async () => {
          did.push(i);
          const next = befalls[begun.length];
          if (next !== undefined && i === apart * (begun.length + 1))
            begun.push(Promise.all(begun).then(next));
          return i;
        });
      }
      return sum;
    }),
  );
  await using flujo = new Flujo(work, { store, lease: "1s" });
  const recorded = async (): Promise<number> =>
    ((await store.read("r", 0, 1_000)) ?? []).filter(({ type }) => type === "operation-completed").length;

  let result = await unlessAway(() => flujo.run(0, { runId: "r" }));
  while (result === undefined) {
    const known = await unlessAway(recorded);
    const before = did.length;
    if (known !== undefined) result = await unlessAway(() => flujo.resume("r").result());
    for (const again of did.slice(before)) expect(again).toBeGreaterThanOrEqual(known ?? 0);
    if (result === undefined) await pause(20);
  }
  await Promise.all(begun);
  expect(result).toMatchObject({ status: "completed", output: (operations * (operations - 1)) / 2 });
  expect(begun).toHaveLength(befalls.length);
  // Of each, one operation at most was under way.
  expect(did.length).toBeLessThanOrEqual(operations + befalls.length);
}

/** Undefined while the server is away, or the lease of who saw it go has not ended. */
async function unlessAway<T extends number | RunResult<number>>(
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const code = FlujoError.isInstance(error) ? error.code : "";
    if (code !== "store-unavailable" && code !== "lease-held") throw error;
    return undefined;
  }
}
