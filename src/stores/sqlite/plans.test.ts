import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test, vi } from "vitest";
import { request, summary as running } from "../../../tests/stores/small-run.ts";
import type { Entry } from "../../core/entries.ts";
import type { Append, Lease, RunFilter, RunSummary, Store } from "../../ports/store.ts";
import { sqlite } from "../sqlite.ts";

const summary: RunSummary = { ...running, status: "waiting" };

const append = (seq: number): Append => {
  const entry: Entry = {
    type: "operation-completed",
    path: "/t",
    kind: "run",
    output: 1,
    took: 0,
    seq,
    at: 0,
  };
  return { runId: "r", fence: 1, entries: [entry], blobs: [] };
};

/** Every way a list is asked for, and the index it walks. */
const filters: readonly (readonly [filter: RunFilter, index: string])[] = [
  [{}, "runs_by_age"],
  [{ after: { createdAt: 1, runId: "r" }, createdFrom: 0, createdBefore: 2 }, "runs_by_age"],
  [{ dueBefore: 5, pipeline: ["p"] }, "runs_by_waking"],
  [{ dueBefore: 5, pipeline: ["p"] }, "runs_with_word"],
  [{ leaseEndsBefore: 5, pipeline: ["p"] }, "runs_by_lease"],
  [{ status: ["waiting"] }, "runs_by_status"],
  [{ status: ["running", "failed"], pipeline: "p" }, "runs_by_status"],
  [{ status: ["completed"] }, "runs_by_age"],
  [{ pipeline: "p", status: ["completed"] }, "runs_by_pipeline"],
  [{ pipeline: ["p", "q"], createdFrom: 1 }, "runs_by_pipeline"],
  [{ updatedFrom: 1, after: { createdAt: 1, runId: "r" } }, "runs_by_change"],
  [{ idPrefix: "r", pipeline: "p" }, "sqlite_autoindex_run_1"],
  [{ idPrefix: "r", createdFrom: 1, createdBefore: 2 }, "sqlite_autoindex_run_1"],
];

/** What a store asks of its file while it is at work, statement by statement, and how each is answered. */
async function plansOf(
  work: (store: Store) => Promise<void>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const folder = mkdtempSync(join(tmpdir(), "flujo-plans-"));
  const path = join(folder, "flujo.db");
  const store = sqlite(path);
  const { lease } = (await store.acquire({ ...request, create: true })) as { readonly lease: Lease }; // it is new
  const prepare = vi.spyOn(DatabaseSync.prototype, "prepare");
  onTestFinished(() => {
    prepare.mockRestore();
    rmSync(folder, { recursive: true });
  });
  await store.commit([{ ...append(0), summary, blobs: [{ hash: "h", text: "kept" }] }]);
  await work(store);
  await store.release(lease);
  await store.close();
  const asked = new Set(prepare.mock.calls.map(([sql]) => sql));
  const statements = [...asked].filter((sql) => /^(SELECT|INSERT|UPDATE|DELETE)/.test(sql));
  const db = new DatabaseSync(path);
  const planOf = (sql: string): readonly string[] =>
    db
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map(({ detail }) => String(detail));
  const plans = new Map(statements.map((sql) => [sql, planOf(sql)]));
  db.close();
  return plans;
}

/** Of what is read from its beginning: only as far as a list is long, or what hardly ever holds anything. */
const fewAreRead =
  /^SCAN (run USING INDEX (runs_by_age|runs_with_word)|accounts USING INDEX accounts_with_holds)$/;
const inMemory = /^SCAN (json_each|\(subquery)/;

test("nothing that a store is asked looks through a table", async () => {
  const plans = await plansOf(async (store) => {
    await store.commit([append(1)]);
    await store.commit([append(2), append(3)]);
    await store.read("r", 1, 2);
    await store.blob("h");
    await store.renew({ runId: "r", owner: "me", fence: 1, expiresAt: 0 }, 2_000);
    for (const [filter] of filters) await store.list(filter);
    await store.send("r", { id: "s", path: "/p", data: 1, at: 0 });
    await store.signals("r");
    await store.ledger({ kind: "amend", scope: "team", set: { calls: 9 } });
    await store.accounts({ scopes: ["team"] });
    await store.accounts({ heldBy: "r" });
    const version = await store.putNote("n", 1, undefined);
    await store.putNote("n", 2, version);
    await store.notes({ prefix: "n", after: "m" });
    await store.cachePut("k", { value: 1 });
    await store.cacheGet("k", 0);
    await store.acquire({ ...request, supersede: 1 });
    await store.drop({ runId: "r", owner: "me", fence: 2, expiresAt: 0 });
  });
  expect(plans.size).toBeGreaterThan(35);
  const through = [...plans].flatMap(([sql, plan]) =>
    plan
      .filter((line) => line.startsWith("SCAN") && !fewAreRead.test(line) && !inMemory.test(line))
      .map((line) => `${line}: ${sql}`),
  );
  expect(through).toEqual([]);
});

test.each(filters)("the list of %j walks %s", async (filter, index) => {
  const plans = await plansOf(async (store) => void (await store.list(filter)));
  const lists = [...plans].filter(([sql]) => sql.includes("* FROM run"));
  const lines = lists.flatMap(([, plan]) => plan);
  expect(lines).toContainEqual(expect.stringContaining(`run USING INDEX ${index}`));
  // Of what has changed, and of those that begin so, all are sorted; of several walks what each has found.
  const maySort =
    filter.updatedFrom !== undefined || filter.idPrefix !== undefined || lists[0]?.[0].includes("UNION");
  if (!maySort) expect(lines.join()).not.toContain("TEMP B-TREE");
});
