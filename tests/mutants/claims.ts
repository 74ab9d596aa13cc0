/** Scenes in which a guard is missed that no simulation misses: what becomes slow or stuck without it, or only dear. */
import assert from "node:assert/strict";
import type * as compose from "../../src/core/compose.ts";
import type { PaidContext } from "../../src/core/context.ts";
import type * as pauses from "../../src/core/pauses.ts";
import type { StepContext } from "../../src/index.ts";
import type * as markets from "../../src/testing/market.ts";

/** A copy of the sources, as far as scenes need it. */
export type Copy = typeof compose & typeof pauses & typeof markets;

/** $0.01 a token of output. */
const rates = { input: 0n, output: 10_000_000_000n };
const scopes = [{ scope: "tenant:acme", cost: "$1" }] as const;

export const claims: { readonly [claim: string]: (on: Copy) => Promise<void> } = {
  async "what shared accounts shrink is given back to the run's own"({ market, sleep, spentOf, step }) {
    const on = market();
    const buying = (name: string) =>
      step(name, async (_: unknown, ctx: StepContext) => {
        const quote = { model: "m", inputTokens: 0, outputTokens: { wanted: 60, least: 1 }, rates };
        return (ctx as PaidContext).paid("call", quote, async ({ outputTokens }) => ({
          value: outputTokens,
          picoUsd: BigInt(outputTokens) * rates.output,
          inputTokens: 0,
          outputTokens,
        }));
      });
    await on.store.ledger({ kind: "amend", scope: "tenant:acme", set: { picoUsd: "300000000000" } });
    const pipe = buying("a").to(sleep<number>("nap", "1m")).to(buying("b"));
    const { runner } = on.cast(pipe, { budget: "$1", scopes });
    const run = runner.run("x", { runId: "r" });
    await on.wait(1_000); // the first call has got less than it wanted
    await on.store.ledger({ kind: "amend", scope: "tenant:acme", raise: { picoUsd: "9000000000000" } });
    const result = await on.play(run);
    assert.deepEqual([result.status, spentOf(result)], ["completed", "$0.9"]);
  },

  async "who no longer waits for shared accounts gives back what was held on the run's own"({
    market,
    pipeline,
  }) {
    const on = market(({ prompt }) => ({ text: "four", delayMs: prompt.startsWith("long") ? 30_000 : 0 }));
    const first = on.cast(on.asking("long", 60), { ...on.paying(), scopes });
    const long = first.runner.run("x", { runId: "long" });
    await on.wait(100);
    const pipe = pipeline("p", on.asking("a", 60).timeout("1s").fallback(on.asking("b", 60)));
    const second = on.cast(pipe, { ...on.paying("$0.60"), scopes });
    const result = await on.play(second.runner.run("x", { runId: "r" }), { ms: 120_000 });
    assert.equal(result.status, "completed");
    await on.play(long);
  },

  async "the place of a dead run in a queue is given up, and no other one"({ market }) {
    const on = market(({ prompt }) => ({ text: "four", delayMs: prompt.startsWith("long") ? 30_000 : 0 }));
    const begin = async (name: string, cap: number) => {
      const { process, runner } = on.cast(on.asking(name, cap), { ...on.paying(), scopes });
      const result = runner.run("x", { runId: name });
      await on.wait(500);
      return { process, result };
    };
    await begin("long", 60);
    const dead = await begin("dead", 50);
    const large = await begin("large", 50);
    const small = await begin("small", 30);
    dead.process.kill();
    await on.wait(3_000);
    const [account] = await on.store.accounts({ scopes: ["tenant:acme"] });
    assert.deepEqual(
      account?.queue.map(({ runId }) => runId),
      ["large", "small"],
    );
    await on.play(Promise.all([large.result, small.result]));
  },

  async "what a dead run holds does not block others for ever"({ market }) {
    const on = market(({ prompt }) => ({ text: "four", delayMs: prompt.startsWith("a") ? 60_000 : 0 }));
    const first = on.cast(on.asking("a", 60), { ...on.paying(), scopes, host: "elsewhere" });
    first.runner.start("x", { runId: "dead" });
    await on.wait(100);
    first.process.kill();
    const second = on.cast(on.asking("b", 60), { ...on.paying(), scopes });
    const result = await on.play(second.runner.run("x", { runId: "r" }), { ms: 120_000 });
    assert.equal(result.status, "halted"); // what the dead run held is spent
  },

  async "a hold that the store does not answer for gives the run up, and with it all that waits behind"({
    market,
    parallel,
    pipeline,
  }) {
    const on = market(() => ({ text: "four", delayMs: 100 }));
    const both = pipeline("p", parallel("both", { a: on.asking("a", 60), b: on.asking("b", 60) }));
    const crash = { commit: 1, when: "after", how: "fail" } as const; // the first hold is the first of all commits
    const first = on.cast(both, { ...on.paying(), scopes, crash });
    await assert.rejects(on.play(first.runner.run("x", { runId: "r" }), { ms: 120_000 }), {
      code: "store-unavailable",
    });
    const result = await on.play(on.cast(both, on.paying()).runner.run("x", { runId: "r" }));
    assert.equal(result.status, "completed");
  },
};
