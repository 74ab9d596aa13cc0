import { describe, expect, it } from "vitest";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { balanceOf } from "../core/account.ts";
import { mapOver } from "../core/compose.ts";
import { fold } from "../core/fold.ts";
import { decimalUsd } from "../core/limits.ts";
import { sleep } from "../core/pauses.ts";
import { daily } from "../core/scopes.ts";
import type { CrashPoint } from "../testing/crash-store.ts";
import { entriesOf, market, spentOf } from "../testing/market.ts";
import type { Scene } from "../testing/scene.ts";

const acme = "tenant:acme";
const dollar = [{ scope: acme, cost: "$1" }] as const;

/** What stands on a shared account, in dollars. */
async function standing(
  on: Pick<Scene, "store">,
  scope = acme,
): Promise<{ posted: string; pending: string }> {
  const [account] = await on.store.accounts({ scopes: [scope] });
  if (account === undefined) throw new Error(`there is no account ${scope}`);
  const { posted, pending } = balanceOf(account);
  return { posted: `$${decimalUsd(posted.picoUsd)}`, pending: `$${decimalUsd(pending.picoUsd)}` };
}

const settled = (posted: string) => ({ posted, pending: "$0" });

describe("a shared budget", () => {
  it("limits all runs that are charged to it together, and outlives them", async () => {
    const on = market();
    const { runner } = on.cast(on.asking("a", 40), { ...on.paying(), scopes: dollar });
    for (const runId of ["one", "two"]) {
      expect(await on.play(runner.run("x", { runId }))).toMatchObject({ status: "completed" });
    }
    const third = await on.play(runner.run("x", { runId: "three" }));
    expect(third).toMatchObject({
      status: "halted",
      error: {
        message: `the shared budget ${acme} does not allow a call to scripted:model: it needs up to $0.4, and $0.8 of $1 is spent`,
        hint: expect.stringContaining(`flujo budget top-up '${acme}' '$…'`),
        exceeded: {
          of: "shared",
          scope: acme,
          limit: "cost",
          used: 8n * 10n ** 11n,
          needed: 4n * 10n ** 11n,
        },
      },
    });
    expect([on.billed(), await standing(on)]).toEqual(["$0.8", settled("$0.8")]);
  });

  it("makes a run in another process wait until the first has settled", async () => {
    const on = market(({ prompt }) => ({ text: "four", delayMs: prompt.startsWith("a") ? 5_000 : 0 }));
    const first = on.cast(on.asking("a", 60), { ...on.paying(), scopes: dollar });
    const second = on.cast(on.asking("b", 60), { ...on.paying(), scopes: dollar });
    const one = first.runner.run("x", { runId: "one" });
    await on.wait(100);
    const two = second.runner.run("x", { runId: "two" });
    await on.wait(2_000);
    expect([on.model.calls.length, await standing(on)]).toEqual([1, { posted: "$0", pending: "$0.6" }]);
    expect(await on.play(Promise.all([one, two]))).toMatchObject([
      { status: "completed" },
      { status: "completed" },
    ]);
    expect(await standing(on)).toEqual(settled("$0.02"));
  });

  it("holds beside the run's own, and shrinks the output to what both can pay", async () => {
    const on = market();
    const flexible = mapOver("all", on.asking("each", 10), { concurrency: 10 });
    const { runner } = on.cast(flexible, { ...on.paying("$0.55"), scopes: dollar });
    const items = Array.from({ length: 8 }, String);
    const halted = await on.play(runner.run(items, { runId: "one" }));
    expect([halted.status, spentOf(halted), await standing(on)]).toEqual(["halted", "$0.5", settled("$0.5")]);
    const other = await on.play(runner.run(items, { runId: "two" }));
    expect([other.status, spentOf(other), await standing(on)]).toEqual(["halted", "$0.5", settled("$1")]);
  });

  it("can be raised: who waits goes on, who has halted is resumed", async () => {
    const on = market(({ index }) => ({ text: "x".repeat(400), delayMs: index === 0 ? 60_000 : 0 }));
    const { runner } = on.cast(on.asking("a", 60), { ...on.paying(), scopes: dollar });
    const one = runner.run("x", { runId: "one" });
    await on.wait(100);
    const two = runner.run("x", { runId: "two" });
    await on.wait(5_000);
    expect(on.model.calls.length).toBe(1);
    await on.play(runner.topUp({ scope: acme }, "$0.50"));
    expect(await on.play(two)).toMatchObject({ status: "completed" });
    expect(await on.play(one)).toMatchObject({ status: "completed" });
    expect(await on.play(runner.run("x", { runId: "three" }))).toMatchObject({ status: "halted" });
    await on.play(runner.topUp({ scope: acme }, "$0.50"));
    await expect(on.play(runner.topUp({ scope: acme }, { tokens: 1 }))).rejects.toThrow(/no such limit/);
    expect(await on.play(runner.resume("three").result())).toMatchObject({ status: "completed" });
    expect(await standing(on)).toEqual(settled("$1.8"));
  });

  it("is the one a run began with, wherever it is resumed", async () => {
    const on = market();
    const pipe = on.asking("a", 10).to(sleep("nap", "1m")).to(on.asking("b", 10));
    const first = on.cast(pipe, { ...on.paying(), scopes: dollar });
    first.runner.start("x", { runId: "r", scopes: ["tenant:beta"] });
    await on.wait(1_000);
    first.process.kill();
    const other = on.cast(pipe, { ...on.paying(), scopes: ["tenant:gamma"] });
    expect(await on.play(other.runner.resume("r").result())).toMatchObject({ status: "completed" });
    expect([await standing(on), await standing(on, "tenant:beta")]).toEqual([
      settled("$0.2"),
      settled("$0.2"),
    ]);
    expect(await on.store.accounts({ scopes: ["tenant:gamma"] })).toEqual([]);
  });

  it("of a day is another one tomorrow, by the clock of its time zone", async () => {
    const on = market(); // begins at the midnight of 1 January 2030, UTC
    const scopes = [daily("acme", "$0.10"), daily("sf", "$9", { timeZone: "America/Los_Angeles" })];
    const pipe = on.asking("a", 10).to(sleep("night", "1d")).to(on.asking("b", 10));
    const result = await on.play(
      on.cast(pipe, { ...on.paying(), scopes, awake: "1d" }).runner.run("x", { runId: "r" }),
      {
        ms: 3 * 86_400_000,
      },
    );
    expect(result).toMatchObject({ status: "completed" });
    for (const scope of ["acme:2030-01-01", "acme:2030-01-02", "sf:2029-12-31", "sf:2030-01-01"]) {
      expect([scope, await standing(on, scope)]).toEqual([scope, settled("$0.1")]);
    }
  });

  it("refuses a model without a price before the run, also when only the account itself limits cost", async () => {
    const on = market();
    await on.store.ledger({ kind: "amend", scope: acme, set: { picoUsd: "1" } });
    const unknown = agent<string>("a", {
      model: { ...on.model, modelId: "nobody-knows" },
      system: "",
      prompt: (text) => text,
    });
    const cast = on.cast(unknown, { models: models({ now: () => on.world.now() }), scopes: [acme] });
    await expect(on.play(cast.runner.run("x", { runId: "r" }))).rejects.toMatchObject({
      code: "unpriced-model",
    });
    expect(on.model.calls.length).toBe(0);
  });

  it("serves runs that wait in the order they came, small calls behind large ones", async () => {
    const on = market(({ prompt }) => ({
      text: "x".repeat(400),
      delayMs: prompt.startsWith("a") ? 9_000 : 500,
    }));
    const order: string[] = [];
    const run = async (name: string, cap: number): Promise<void> => {
      const { runner } = on.cast(on.asking(name, cap), { ...on.paying(), scopes: dollar });
      void runner.run("x", { runId: name }).then(({ status }) => order.push(`${name} ${status}`));
      await on.wait(300);
    };
    await run("a", 50);
    await run("large", 60);
    await run("small", 10);
    await run("tiny", 5);
    await on.wait(30_000);
    // Half is spent: the large call is refused for good, and those behind it are served in turn.
    expect(order).toEqual(["a completed", "large halted", "small completed", "tiny completed"]);
  });

  it("wastes little time where calls wait for one another, in one process or in several", async () => {
    const took = async (processes: number): Promise<number> => {
      const on = market(() => ({ text: "four", delayMs: 50 }));
      const each = mapOver("all", on.asking("each", 60), { concurrency: 20 });
      const began = on.world.now();
      const runs = Array.from({ length: processes }, (_, i) => {
        const { runner } = on.cast(each, { ...on.paying(), scopes: [{ scope: acme, cost: "$1.20" }] });
        return runner.run(Array.from({ length: 20 / processes }, String), { runId: `r${i}` });
      });
      for (const { status } of await on.play(Promise.all(runs))) expect(status).toBe("completed");
      return on.world.now() - began;
    };
    // The account pays for two calls at first, for one at the end: 20 calls take between 10 and 20 times 50 ms.
    expect(await took(1)).toBeLessThan(1_200);
    expect(await took(4)).toBeLessThan(4_000);
  });

  it("alerts once at each threshold, in the journal of the run that crossed it", async () => {
    const on = market();
    const scopes = [{ scope: acme, cost: "$1", alertAt: [0.3, 0.8, 1] }] as const;
    const { runner } = on.cast(on.asking("a", 20), { ...on.paying(), scopes });
    for (const runId of ["one", "two", "three", "four", "five"]) await on.play(runner.run("x", { runId }));
    const alerts = [];
    for (const runId of ["one", "two", "three", "four", "five"]) {
      for (const { percent, scope, of } of await entriesOf(on, "budget-threshold", runId)) {
        alerts.push([runId, scope, percent, of]);
      }
    }
    expect(alerts).toEqual([
      ["two", acme, 30, "cost"],
      ["four", acme, 80, "cost"],
      ["five", acme, 100, "cost"],
    ]);
  });
});

describe("the place of a run that dies in the queue of a shared account", () => {
  /** While one call is under way, another waits first in the queue, and one that could be paid stands behind it. */
  async function queue(dead: { readonly host: string; readonly lease: "3s" | "15s" }) {
    const on = market(({ prompt }) => ({ text: "four", delayMs: prompt.startsWith("long") ? 60_000 : 0 }));
    const options = { ...on.paying(), scopes: dollar };
    const begin = async (name: string, cap: number, more: object = {}) => {
      const cast = on.cast(on.asking(name, cap), { ...options, ...more });
      const result = cast.runner.run("x", { runId: name });
      await on.wait(500);
      return { ...cast, result };
    };
    await begin("long", 60);
    const first = await begin("first", 50, dead);
    first.result.catch(() => {});
    const second = await begin("second", 30);
    await on.wait(2_000);
    expect(on.model.calls.length).toBe(1);
    return { on, first, second, begin };
  }

  it.each([
    { where: "is known to be gone", dead: { host: "here", lease: "15s" }, withinMs: 500 },
    {
      where: "was on another machine: its lease ends",
      dead: { host: "there", lease: "3s" },
      withinMs: 3_500,
    },
  ] as const)("is given up by who stands behind it, once its owner $where", async ({ dead, withinMs }) => {
    const { on, first, second } = await queue(dead);
    first.process.kill();
    const killed = on.world.now();
    expect(await on.play(second.result)).toMatchObject({ status: "completed" });
    expect(on.world.now() - killed).toBeLessThan(withinMs);
    expect((await on.store.accounts({ scopes: [acme] }))[0]?.queue).toEqual([]);
  });

  it("is given up by the run's next owner, which stands behind those who came meanwhile", async () => {
    const { on, first, second, begin } = await queue({ host: "there", lease: "3s" });
    second.process.kill(); // nobody else looks
    first.process.kill();
    await on.wait(3_000);
    const next = await begin("first", 50, { host: "there" });
    const [account] = await on.store.accounts({ scopes: [acme] });
    const places = account?.queue.map(({ runId, fence }) => `${runId} under ${fence}`);
    expect(places).toEqual(["second under 1", "first under 2"]);
    expect(await on.play(next.result)).toMatchObject({ status: "completed" });
  });

  it("is kept for one that lives, however long it waits, and by however little others are short", async () => {
    const { on, first, second } = await queue({ host: "there", lease: "3s" });
    await on.wait(40_000);
    expect(on.model.calls.length).toBe(1);
    expect(await on.play(Promise.all([first.result, second.result]))).toMatchObject([
      { status: "completed" },
      { status: "completed" },
    ]);
    expect(
      on.model.calls.map(({ prompt }) => JSON.stringify(prompt).match(/long|first|second/)?.[0]),
    ).toEqual(["long", "first", "second"]);
  });
});

describe("money held on a shared account by a run that dies", () => {
  const points: CrashPoint[] = Array.from({ length: 16 }, (_, i) => i + 1).flatMap((commit) => [
    { commit, when: "before" },
    { commit, when: "after" },
  ]);

  it.each(points)("is resolved when the run is resumed: $when its commit $commit", async (crash) => {
    const on = market(({ index }) => ({ text: "x".repeat(40), delayMs: index * 50 }));
    const pipe = on.asking("a").to(on.asking("b")).to(on.asking("c"));
    const options = { ...on.paying(), scopes: [{ scope: acme, cost: "$9" }] } as const;
    const first = on.cast(pipe, { ...options, crash });
    first.runner.start("x", { runId: "r" });
    await on.wait(20_000);
    const result = await on.cast(pipe, options).run("x", { runId: "r" });
    expect(result.status).toBe("completed");
    const { spent } = fold(await on.journal("r"));
    expect(await standing(on)).toEqual(settled(`$${decimalUsd(spent.picoUsd)}`));
    expect(on.model.billedPicoUsd).toBeLessThanOrEqual(spent.picoUsd);
    // At most one call was in doubt.
    expect(spent.picoUsd - on.model.billedPicoUsd).toBeLessThanOrEqual(100_000_000_000n);
  });

  it.each(points)(
    "is held by nobody when a stale owner wakes: paused $when commit $commit",
    async (point) => {
      const on = market(() => ({ text: "x".repeat(40), delayMs: 50 }));
      const pipe = on.asking("a").to(on.asking("b")).to(on.asking("c"));
      const options = { ...on.paying(), scopes: [{ scope: acme, cost: "$9" }] } as const;
      const first = on.cast(pipe, { ...options, crash: { ...point, how: "pause" }, host: "elsewhere" });
      const stale = first.runner.start("x", { runId: "r" });
      stale.result().catch(() => {});
      await on.wait(60_000);
      const result = await on.cast(pipe, options).run("x", { runId: "r" });
      expect(result.status).toBe("completed");
      first.process.wake();
      await on.wait(60_000);
      const { spent } = fold(await on.journal("r"));
      expect(await standing(on)).toEqual(settled(`$${decimalUsd(spent.picoUsd)}`));
      expect(on.model.billedPicoUsd).toBeLessThanOrEqual(spent.picoUsd);
    },
  );

  it("does not block others for ever: who waits behind it settles it, in full", async () => {
    const on = market(({ prompt }) => ({ text: "four", delayMs: prompt.startsWith("a") ? 60_000 : 0 }));
    const options = { ...on.paying(), scopes: dollar };
    const first = on.cast(on.asking("a", 40), { ...options, host: "elsewhere" });
    first.runner.start("x", { runId: "dead" });
    await on.wait(100);
    first.process.kill();
    const second = on.cast(on.asking("b", 70), options);
    const halted = await on.play(second.runner.run("x", { runId: "r" }));
    expect(halted).toMatchObject({
      status: "halted",
      error: { message: expect.stringContaining("$0.4 of $1") },
    });
    expect(await standing(on)).toEqual(settled("$0.4"));
    expect(await entriesOf(on, "budget-settled", "dead")).toMatchObject([{ doubt: true }]);
    const third = on.cast(on.asking("c", 60), options);
    expect(await on.play(third.runner.run("x", { runId: "s" }))).toMatchObject({ status: "completed" });
  });

  it("is posted when the run is cancelled instead of resumed", async () => {
    const on = market(() => ({ text: "four", delayMs: 60_000 }));
    const options = { ...on.paying(), scopes: dollar };
    const first = on.cast(on.asking("a", 40), options);
    first.runner.start("x", { runId: "r" });
    await on.wait(100);
    first.process.kill();
    await on.play(on.cast(on.asking("a", 40), options).runner.cancel("r"));
    expect(await standing(on)).toEqual(settled("$0.4"));
  });
});
