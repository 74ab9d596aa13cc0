import { expect, test } from "vitest";
import { pipeline, step } from "../core/compose.ts";
import type { Entry } from "../core/entries.ts";
import type { Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { scene } from "../testing/scene.ts";
import { noForks } from "../testing/simulation/forks.ts";
import { simulateShared } from "../testing/simulation/shared.ts";
import { simulate } from "../testing/simulation.ts";
import { everyJournal } from "./every-run.ts";
import { type Fault, faultsOf, verify } from "./verify.ts";

test("whatever random runs leave behind is sound, shared budgets included", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const store = memory();
    await simulateShared({ seed, store: () => store });
    const { runs, accounts, faults } = await verify(store);
    expect(faults).toEqual([]);
    expect(Math.min(runs, accounts)).toBeGreaterThan(0);
  }
  for (let seed = 1; seed <= 40; seed++)
    expect(faultsOf((await simulate({ seed, forks: noForks })).journal)).toEqual([]);
});

/** A store with one run, of which something is told otherwise. */
async function tampered(change: (store: Store) => Partial<Store>): Promise<readonly Fault[]> {
  const on = scene({ store: memory() });
  const big = step("big", () => "x".repeat(20_000));
  await on
    .cast(
      pipeline(
        "p",
        big.to("count", (text: string) => text.length),
      ),
    )
    .run(0, { runId: "r" });
  const store: Store = { ...on.store, ...change(on.store) };
  return (await verify(store)).faults;
}
const journal =
  (change: (entries: readonly Entry[]) => readonly Entry[]) =>
  (store: Store): Partial<Store> => ({
    read: async (runId, from, limit) => {
      const entries = await store.read(runId, 0, 10_000);
      return entries && change(entries).slice(from, from + limit);
    },
  });

test("each kind of fault is found, and names run and entry", async () => {
  expect(await tampered(() => ({}))).toEqual([]);
  expect(await tampered(journal((entries) => entries.filter(({ seq }) => seq !== 1)))).toEqual([
    { runId: "r", seq: 1, what: "entry 1 is missing: entry 2 stands in its place" },
  ]);
  const odd = (entries: readonly Entry[]): readonly Entry[] =>
    entries.map((entry) =>
      entry.seq === 1 ? ({ ...entry, type: "moon-landed" } as unknown as Entry) : entry,
    );
  expect(await tampered(journal(odd))).toEqual([
    { runId: "r", seq: 1, what: 'it is of an unknown type, "moon-landed"' },
  ]);
  const lost = await tampered(() => ({ blob: async () => undefined }));
  expect(lost.map(({ seq }) => seq)).toEqual([0, 0, 1]);
  expect(lost[2]?.what).toMatch(/^the store has lost a value it refers to \([0-9a-f]{64}\)$/);
  const other = await tampered((store) => ({
    blob: async (hash) => (await store.blob(hash))?.replace("x", "y"),
  }));
  expect(other).toMatchObject([
    { runId: "r", seq: 1, what: expect.stringContaining("is not what its hash says") },
  ]);
  const listed = await tampered((store) => ({
    list: async (filter) =>
      (await store.list(filter)).map((run) => ({ ...run, status: "failed", picoUsd: "1" })),
  }));
  expect(listed.map(({ what }) => what)).toEqual([
    "the list says that it is failed, its journal that it is completed",
    "the list says $0.000000000001, its journal $0",
  ]);
});

test("a journal that settles twice, refers forward or begins in the middle is not sound", () => {
  const amount = { picoUsd: "1", inputTokens: 0, outputTokens: 0 };
  const entries = [
    { seq: 0, at: 0, type: "step-completed", path: "/p/a", kind: "step", in: 3, output: 1 },
    { seq: 1, at: 0, type: "budget-reserved", path: "/p/a:c#0", model: "m", amount },
    { seq: 2, at: 0, type: "budget-settled", path: "/p/a:c#0", of: 1, amount },
    { seq: 3, at: 0, type: "budget-settled", path: "/p/a:c#0", of: 1, amount },
    { seq: 4, at: 0, type: "budget-settled", path: "/p/a:c#0", of: 0, amount },
  ] satisfies Entry[];
  expect(faultsOf(entries).map(({ seq, what }) => [seq, what])).toEqual([
    [0, "the journal begins with step-completed"],
    [0, "it refers to entry 3, which is not before it"],
    [3, "the reservation 1 is settled a second time"],
    [4, "it settles entry 0, which reserves nothing"],
  ]);
});

test("a shared budget that has less posted than the journals have settled is a fault; one in the middle of a crash is not", async () => {
  const store = memory();
  await simulateShared({ seed: 3, store: () => store });
  const accounts = await store.accounts({});
  const poor: Store = {
    ...store,
    accounts: async () =>
      accounts.map((account) => ({ ...account, posted: { ...account.posted, picoUsd: "0" } })),
  };
  const { faults } = await verify(poor);
  expect(faults.length).toBeGreaterThan(0);
  for (const { runId, what } of faults)
    expect([runId, what]).toEqual([null, expect.stringMatching(/^the shared budget \S+ has \$0 posted/)]);
  // A hold that its journal has settled: the process died before it posted.
  const [account] = accounts.filter(({ posted }) => posted.picoUsd !== "0");
  for await (const { runId, entries } of everyJournal(store)) {
    const call = entries.find(
      (entry) => entry.type === "budget-reserved" && entry.accounts?.includes(account?.scope ?? ""),
    );
    if (call?.type !== "budget-reserved" || account === undefined) continue;
    const end = entries.find((entry) => entry.type === "budget-settled" && entry.of === call.seq);
    if (end?.type !== "budget-settled" || end.amount.picoUsd === "0") continue;
    const tally = {
      ...end.amount,
      calls: call.kind === undefined ? 1 : 0,
      toolCalls: call.kind === "tool-call" ? 1 : 0,
    };
    const posted = {
      ...account.posted,
      picoUsd: `${BigInt(account.posted.picoUsd) - BigInt(end.amount.picoUsd)}`,
      calls: account.posted.calls - tally.calls,
    };
    const hold = {
      id: call.hold ?? "",
      runId,
      path: call.path,
      model: call.model,
      amount: tally,
      at: call.at,
    };
    const late: Store = { ...store, accounts: async () => [{ ...account, posted, holds: [hold] }] };
    expect((await verify(late)).faults).toEqual([]);
    return;
  }
  throw new Error("the seed has no call to try it with");
});
