/** Of a store that tells watchers what its processes do. One that can only be looked at promises nothing here. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import type { Store } from "../../ports/store.ts";
import { append, type Claims, create, signal, start, summary } from "./bench.ts";

/** What a watcher has been told, once news come. Undefined: the store has none. */
async function watched(
  store: Store,
): Promise<{ readonly told: Set<string>; readonly off: () => void } | undefined> {
  const told = new Set<string>();
  let isLive = false;
  const off = store.watch?.({
    news: (runId) => void told.add(runId),
    live: (live) => {
      isLive = live;
    },
  });
  if (off === undefined) return undefined;
  while (!isLive) await pause(5);
  return { told, off };
}

export const newsClaims: Claims = {
  async "tells of a run that was let go of before its end, or sent something, by any process, and of no other"({
    store,
    other,
  }) {
    const news = await watched(store);
    if (news === undefined) return;
    const second = await other();
    for (const [runId, changes] of [
      ["ended", { status: "completed" }],
      ["open", {}],
      ["sleeping", { status: "waiting", wakeAt: start + 1 }],
      ["asking", { status: "waiting" }],
      ["sent", { status: "waiting" }],
      ["last", {}],
    ] as const) {
      const lease = await create(second, runId);
      await second.commit([{ ...append(lease, 0, runId), summary: summary(changes) }]);
      await second.release(lease);
      if (runId === "sent") await second.send(runId, signal("s", 1));
    }
    while (!news.told.has("last")) await pause(5);
    assert.deepEqual([...news.told], ["open", "sleeping", "sent", "last"]);
  },

  async "tells of what was sent while the run came to stand"({ store, other }) {
    const news = await watched(store);
    if (news === undefined) return;
    const lease = await create(store);
    await (await other()).send("r", signal("s", 1));
    while (!news.told.has("r")) await pause(5);
    news.told.clear();
    await store.commit([{ ...append(lease, 0, "a"), summary: summary({ status: "waiting" }) }]);
    await store.release(lease);
    while (!news.told.has("r")) await pause(5);
  },

  async "tells whoever watches, and nobody who has ceased to"({ store, other }) {
    const [first, second] = [await watched(store), await watched(store)];
    if (first === undefined || second === undefined) return;
    first.off();
    await create(store);
    await (await other()).send("r", signal("s", 1));
    while (!second.told.has("r")) await pause(5);
    assert.deepEqual([...first.told], []);
  },
};
