import { describe, expect, it } from "vitest";
import type { LedgerRequest } from "../../core/account.ts";
import type { Store } from "../../ports/store.ts";
import { memory } from "../../stores/memory.ts";
import { simulatePressed } from "./pressed.ts";

const seeds = Array.from({ length: 60 }, (_, i) => i + 1);

describe("runs that wait for one budget, over workers that are killed and stand still", () => {
  it("are served in the order they came, and soon after those before them are dead", async () => {
    const broken = [];
    let [kills, pauses, waits, longestIdleMs] = [0, 0, 0, 0];
    for (const seed of seeds) {
      const report = await simulatePressed({ seed });
      if (report.violations.length > 0) broken.push({ seed, violations: report.violations });
      kills += report.kills;
      pauses += report.pauses;
      waits += report.waits;
      longestIdleMs = Math.max(longestIdleMs, report.longestIdleMs);
    }
    expect(broken).toEqual([]);
    expect(kills).toBeGreaterThan(100);
    expect(pauses).toBeGreaterThan(50);
    expect(waits).toBeGreaterThan(5_000);
    expect(longestIdleMs).toBeGreaterThan(2_000); // or nobody has waited for the dead
  });

  it("seed 160: a call that was first asked seldom, for it had last heard of more before it", async () => {
    expect((await simulatePressed({ seed: 160 })).violations).toEqual([]);
  });
});

/** A store that does something else before it answers, or instead. */
function changed(change: (store: Store, request: LedgerRequest) => Promise<LedgerRequest>): () => Store {
  return () => {
    const store = memory();
    return { ...store, ledger: async (request) => store.ledger(await change(store, request)) };
  };
}

const keepsPlaces = changed(async (_, request) =>
  request.kind === "leave" ? { ...request, ids: [] } : request,
);

/** Gives up places of others before each hold. */
const dropping = (which: (place: number) => boolean): (() => Store) =>
  changed(async (store, request) => {
    if (request.kind !== "hold") return request;
    const scopes = request.accounts.map(({ scope }) => scope);
    const places = (await store.accounts({ scopes })).flatMap(({ queue }) => queue);
    const ids = places.map(({ id }) => id).filter((id, place) => id !== request.id && which(place));
    await store.ledger({ kind: "leave", ids, scopes });
    return request;
  });

describe("a simulation of them finds a ledger out", () => {
  it.each<[claim: string, store: () => Store, finds: RegExp]>([
    ["that keeps the places of the dead", keepsPlaces, /lies idle/],
    ["that lets everybody overtake", dropping(() => true), /overtakes|has lost its place/],
    ["that forgets who came last", dropping((place) => place > 2), /has lost its place/],
  ])("%s", async (_, store, finds) => {
    for (const seed of seeds) {
      const { violations } = await simulatePressed({ seed, store });
      if (violations.some((violation) => finds.test(violation))) return;
    }
    expect.fail("not found");
  });
});
