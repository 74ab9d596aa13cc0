/** Which runs there are, by what they stand at. */
import assert from "node:assert/strict";
import type { Lease } from "../../ports/store.ts";
import {
  append,
  type Claims,
  create,
  fill,
  granted,
  ids,
  request,
  signal,
  start,
  summary,
  ttlMs,
} from "./bench.ts";

export const listClaims: Claims = {
  async "shows runs from their first summary on, with the last one and the lease"({ store }) {
    const lease = await create(store);
    await store.commit([append(lease, 0, "a")]);
    assert.deepEqual(await store.list({}), []);
    await store.commit([{ ...append(lease, 1, "b"), summary: summary() }]);
    assert.deepEqual(await store.list({}), [{ ...summary(), runId: "r", lease }]);
    const last = summary({
      status: "completed",
      picoUsd: "123456789012345678901234567890",
      updatedAt: start + 5,
    });
    await store.commit([{ ...append(lease, 2, "c"), summary: last }, append(lease, 3, "d")]);
    await store.release(lease);
    assert.deepEqual(await store.list({}), [{ ...last, runId: "r" }]);
  },

  async "shows the last of several summaries that come together"({ store }) {
    const lease = await create(store);
    const commits = [1, 2, 3].map((calls) => ({
      ...append(lease, calls - 1, "a"),
      summary: summary({ calls, status: calls === 3 ? "waiting" : "failed" }),
    }));
    await store.commit(commits);
    assert.deepEqual(await store.list({}), [
      { ...summary({ calls: 3, status: "waiting" }), runId: "r", lease },
    ]);
    assert.deepEqual(await ids(store, { status: ["failed"] }), []);
    assert.deepEqual(await ids(store, { status: ["waiting"] }), ["r"]);
  },

  async "keeps the summary over a change of owner, and after much else"({ store }) {
    const first = await create(store);
    await store.commit([{ ...append(first, 0, "a"), summary: summary({ calls: 3 }) }]);
    await store.commit([append(first, 1, "x".repeat(200_000))]);
    assert.equal((await store.list({}))[0]?.calls, 3);
    const second = granted(await store.acquire({ ...request(), supersede: 1, owner: "you" }));
    assert.deepEqual(await store.list({}), [{ ...summary({ calls: 3 }), runId: "r", lease: second }]);
  },

  async "puts the newest first, and of those of one moment the later id"({ store }) {
    await fill(store, {
      a1: { createdAt: start + 1 },
      a3: { createdAt: start + 3 },
      a2: { createdAt: start + 3 },
    });
    assert.deepEqual(await ids(store, {}), ["a3", "a2", "a1"]);
  },

  async "filters by status, pipeline and id, and stops at the limit"({ store }) {
    await fill(store, {
      "a-1": { createdAt: start + 4, status: "failed" },
      "a-2": { createdAt: start + 3, status: "completed", pipeline: "other" },
      a_3: { createdAt: start + 2, status: "failed", pipeline: "other" },
      "A-4": { createdAt: start + 1, status: "waiting" },
    });
    assert.deepEqual(await ids(store, { status: ["failed"] }), ["a-1", "a_3"]);
    assert.deepEqual(await ids(store, { status: ["waiting", "completed"] }), ["a-2", "A-4"]);
    assert.deepEqual(await ids(store, { status: [] }), []);
    assert.deepEqual(await ids(store, { pipeline: "other" }), ["a-2", "a_3"]);
    assert.deepEqual(await ids(store, { pipeline: ["other", "none"] }), ["a-2", "a_3"]);
    assert.deepEqual(await ids(store, { pipeline: [] }), []);
    assert.deepEqual(await ids(store, { idPrefix: "a-" }), ["a-1", "a-2"]);
    assert.deepEqual(await ids(store, { idPrefix: "a_" }), ["a_3"]);
    assert.deepEqual(await ids(store, { idPrefix: "%" }), []);
    assert.deepEqual(await ids(store, { limit: 2 }), ["a-1", "a-2"]);
    assert.deepEqual(await ids(store, { status: ["failed"], pipeline: "other", idPrefix: "a", limit: 5 }), [
      "a_3",
    ]);
  },

  async "tells pipelines apart whose names begin alike"({ store }) {
    const names = ["a", "aa", 'a"', "a:", "a0", "ä", "A", ""];
    await fill(
      store,
      Object.fromEntries(names.map((pipeline, i) => [`r${i}`, { pipeline, createdAt: start + i }])),
    );
    for (const [i, name] of names.entries()) {
      assert.deepEqual(await ids(store, { pipeline: name }), [`r${i}`]);
      assert.deepEqual(await ids(store, { pipeline: [name], createdFrom: start + i }), [`r${i}`]);
      assert.deepEqual(await ids(store, { pipeline: name, createdBefore: start + i }), []);
    }
    const some = ["a:", "ä", "a"];
    assert.deepEqual(await ids(store, { pipeline: some }), ["r5", "r3", "r0"]);
    assert.deepEqual(
      await ids(store, { pipeline: some, after: { createdAt: start + 5, runId: "r5" }, limit: 1 }),
      ["r3"],
    );
  },

  async "filters by when runs were made and have changed"({ store }) {
    await fill(store, {
      c: { createdAt: start + 3, updatedAt: start + 3 },
      b: { createdAt: start + 2, updatedAt: start + 9 },
      a: { createdAt: start + 1, updatedAt: start + 2 },
    });
    assert.deepEqual(await ids(store, { createdFrom: start + 2 }), ["c", "b"]);
    assert.deepEqual(await ids(store, { createdBefore: start + 3 }), ["b", "a"]);
    assert.deepEqual(await ids(store, { createdFrom: start + 2, createdBefore: start + 3 }), ["b"]);
    assert.deepEqual(await ids(store, { updatedFrom: start + 3 }), ["c", "b"]);
    assert.deepEqual(await ids(store, { updatedFrom: start + 9, status: ["running"] }), ["b"]);
  },

  async "lists page by page, whatever is made meanwhile, each run once"({ store }) {
    const made = ["d", "c", "b", "a", "Z"];
    await fill(store, Object.fromEntries(made.map((id) => [id, { createdAt: start + (id < "c" ? 1 : 2) }])));
    const seen: string[] = [];
    let after: { createdAt: number; runId: string } | undefined;
    do {
      const page = await store.list({ limit: 2, ...(after === undefined ? {} : { after }) });
      after = page.at(-1);
      for (const { runId } of page) {
        seen.push(runId);
        await fill(store, { [`new-${runId}`]: { createdAt: start + 3 } });
      }
    } while (after !== undefined);
    assert.deepEqual(seen, ["d", "c", "b", "a", "Z"]);
    assert.deepEqual(await ids(store, { after: { createdAt: start + 1, runId: "aa" } }), ["a", "Z"]);
    assert.deepEqual(await ids(store, { after: { createdAt: start + 2, runId: "c" }, idPrefix: "Z" }), ["Z"]);
  },

  async "finds the runs that are due, those first that are due first"({ store }) {
    await fill(store, {
      late: { status: "waiting", wakeAt: start + 30 },
      soon: { status: "waiting", wakeAt: start + 10, pipeline: "other" },
      twin: { status: "waiting", wakeAt: start + 10 },
      asks: { status: "waiting" },
      done: { status: "completed" },
    });
    assert.deepEqual(await ids(store, { dueBefore: start + 9 }), []);
    assert.deepEqual(await ids(store, { dueBefore: start + 10 }), ["soon", "twin"]);
    assert.deepEqual(await ids(store, { dueBefore: Number.MAX_SAFE_INTEGER }), ["soon", "twin", "late"]);
    assert.deepEqual(await ids(store, { dueBefore: start + 99, pipeline: "test" }), ["twin", "late"]);
    assert.deepEqual(await ids(store, { dueBefore: start + 99, limit: 1 }), ["soon"]);
    const found = await store.list({ dueBefore: start + 99, status: ["waiting"] });
    assert.deepEqual(
      found.map(({ wakeAt }) => wakeAt),
      [start + 10, start + 10, start + 30],
    );
  },

  async "finds the waiting runs that were sent what they have not heard, before those that are due"({
    store,
  }) {
    await fill(store, {
      due: { status: "waiting", wakeAt: start + 10 },
      told: { status: "waiting", wakeAt: start + 99, heard: 1 },
      asks: { status: "waiting" },
      runs: { status: "running" },
      done: { status: "completed" },
    });
    for (const runId of ["told", "asks", "runs", "done"]) await store.send(runId, signal("a", 1));
    assert.deepEqual(await ids(store, { dueBefore: start + 10 }), ["asks", "due"]);
    await store.send("asks", signal("a", 1));
    await store.send("told", signal("b", 2));
    await store.send("told", signal("c", 3));
    const found = await store.list({ dueBefore: start + 10 });
    assert.deepEqual(
      found.map(({ runId, unheard }) => [runId, unheard]),
      [
        ["asks", 1],
        ["told", 2],
        ["due", undefined],
      ],
    );
    assert.deepEqual(await ids(store, { dueBefore: start + 10, limit: 1 }), ["asks"]);
    assert.deepEqual(await ids(store, { dueBefore: start + 10, pipeline: "other" }), []);
    const lease = granted(await store.acquire({ runId: "asks", owner: "me", now: start + 9 * ttlMs, ttlMs }));
    const heard = { ...append(lease, 1, "heard"), summary: summary({ status: "waiting", heard: 1 }) };
    await store.commit([heard]);
    assert.deepEqual(await ids(store, { dueBefore: start + 10 }), ["told", "due"]);
  },

  async "finds the running runs whose lease ends before a moment, those first that nobody has had for longest"({
    store,
  }) {
    await fill(store, { late: {}, soon: { pipeline: "other" }, given: {}, asks: { status: "waiting" } });
    const leases = new Map((await store.list({})).map((run) => [run.runId, run.lease as Lease])); // `fill` keeps them
    await store.renew(leases.get("late") as Lease, start + 30);
    await store.renew(leases.get("soon") as Lease, start + 20);
    await store.release(leases.get("given") as Lease);
    assert.deepEqual(await ids(store, { leaseEndsBefore: start + 20 }), ["given"]);
    assert.deepEqual(await ids(store, { leaseEndsBefore: start + 31 }), ["given", "soon", "late"]);
    assert.deepEqual(await ids(store, { leaseEndsBefore: start + 31, limit: 2 }), ["given", "soon"]);
    assert.deepEqual(await ids(store, { leaseEndsBefore: start + 31, pipeline: "other" }), ["soon"]);
  },

  async "forgets when a run was due once its summary says nothing of it"({ store }) {
    const lease = await create(store);
    const waiting = summary({ status: "waiting", wakeAt: start + 10 });
    await store.commit([{ ...append(lease, 0, "a"), summary: waiting }]);
    assert.deepEqual(await store.list({}), [{ ...waiting, runId: "r", lease }]);
    await store.commit([{ ...append(lease, 1, "b"), summary: summary() }]);
    assert.deepEqual(await store.list({}), [{ ...summary(), runId: "r", lease }]);
    assert.deepEqual(await store.list({ dueBefore: start + 99 }), []);
  },

  async "shows 100 runs unless told otherwise"({ store }) {
    await fill(
      store,
      Object.fromEntries(Array.from({ length: 102 }, (_, i) => [`run-${i}`, { createdAt: start + i }])),
    );
    const shown = await ids(store, {});
    assert.equal(shown.length, 100);
    assert.deepEqual([shown[0], shown[99]], ["run-101", "run-2"]);
    assert.equal((await ids(store, { limit: 1_000 })).length, 102);
  },
};
