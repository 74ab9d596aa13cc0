import { expect, test } from "vitest";
import { balanceOf } from "../core/account.ts";
import { fold } from "../core/fold.ts";
import { addSpent, nothingSpent, picoUsd } from "../core/limits.ts";
import { memory } from "../stores/memory.ts";
import { simulateShared } from "../testing/simulation/shared.ts";
import { costs, costsOfRun } from "./costs.ts";
import { dayIn } from "./day.ts";
import { everyJournal } from "./every-run.ts";
import { type SpentView, spentView } from "./readable.ts";

const sum = (rows: readonly { readonly spent: SpentView }[]): SpentView =>
  spentView(
    rows
      .map(({ spent: { costUsd, toolCalls = 0, ...rest } }) => ({
        ...rest,
        toolCalls,
        picoUsd: picoUsd(`$${costUsd}`),
      }))
      .reduce(addSpent, nothingSpent),
  );

test("every table sums to the journals' own folds, and the accounts to the ledger, to the last pico-dollar", async () => {
  let accounts = 0;
  for (let seed = 1; seed <= 25; seed++) {
    const store = memory();
    await simulateShared({ seed, store: () => store });
    let spent = nothingSpent;
    for await (const { entries } of everyJournal(store)) spent = addSpent(spent, fold(entries).spent);
    const found = await costs(store);
    expect(found.total).toEqual(spentView(spent));
    for (const rows of [found.pipelines, found.steps, found.models, found.days])
      expect(sum(rows)).toEqual(found.total);
    const ledger = await store.accounts({});
    accounts += ledger.length;
    expect(found.accounts.map(({ scope }) => scope)).toEqual(
      ledger
        .filter(
          ({ posted, holds }) =>
            posted.calls + posted.toolCalls > 0 || holds.length > 0 || posted.picoUsd !== "0",
        )
        .map(({ scope }) => scope),
    );
    for (const { scope, spent: charged, all } of found.accounts) {
      const account = ledger.find((one) => one.scope === scope);
      const { posted, pending } = balanceOf(account ?? fail(scope));
      expect(charged).toEqual(spentView(addSpent(posted, pending)));
      expect(all).toEqual(charged);
    }
  }
  expect(accounts).toBeGreaterThan(50);
});

function fail(scope: string): never {
  throw new Error(`the ledger has no ${scope}`);
}

test("runs one by one cost what they cost together; a selection leaves out the others", async () => {
  const store = memory();
  await simulateShared({ seed: 3, store: () => store });
  const singles = [];
  for await (const { entries } of everyJournal(store)) singles.push(await costsOfRun(store, entries));
  const together = await costs(store);
  expect(singles.length).toBeGreaterThan(1);
  expect(sum(singles.map(({ total }) => ({ spent: total })))).toEqual(together.total);
  expect(together.runs).toBe(singles.length);
  expect(await costs(store, { pipeline: "another" })).toMatchObject({ runs: 0, total: { costUsd: "0" } });
  const [{ createdAt = 0 } = {}] = await store.list({ limit: 1 });
  expect((await costs(store, { createdFrom: createdAt + 1 })).runs).toBe(0);
});

test("a day is that of the time zone", () => {
  const noon = Date.UTC(2026, 10, 25, 12);
  expect(dayIn("UTC")(noon)).toBe("2026-11-25");
  expect(dayIn("Pacific/Kiritimati")(noon)).toBe("2026-11-26");
  const kathmandu = dayIn("Asia/Kathmandu"); // 5:45 ahead
  expect([kathmandu(Date.UTC(2026, 10, 25, 18, 14, 59)), kathmandu(Date.UTC(2026, 10, 25, 18, 15))]).toEqual([
    "2026-11-25",
    "2026-11-26",
  ]);
});
