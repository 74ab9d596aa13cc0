import { expect, test } from "vitest";
import { type Keeping, leastOf } from "./keeping.ts";

const synced: Keeping = { log: true, sync: "always", pauses: false, eviction: "noeviction", replicas: 1 };

test("of a cluster the node speaks that promises least, as none in particular", () => {
  const lazy: Keeping = { ...synced, sync: "everysec", role: "slave", replicas: 0 };
  const cache: Keeping = { ...synced, eviction: "allkeys-lru", memory: 1_000 };
  expect(leastOf([synced, lazy, synced])).toEqual({ ...lazy, role: undefined, replicas: 1 });
  expect(leastOf([synced, lazy, cache])).toEqual(cache);
  expect(leastOf([synced, synced])).toEqual(synced);
});

test("one server speaks for itself", () => {
  expect(leastOf([{ ...synced, role: "slave" }])).toEqual({ ...synced, role: "slave" });
});
