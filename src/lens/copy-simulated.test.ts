import { expect, test } from "vitest";
import type { AppendOutcome, Lease, LeaseRequest, Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { simulate } from "../testing/simulation.ts";
import type { VirtualWorld } from "../testing/virtual-world.ts";
import { copyRuns } from "./copy.ts";

/** How often a run was moved to another store before somebody went on with it. */
interface Journey {
  moves: number;
  readonly left: string[];
}

/** Two stores that look like one: a run that waits or has halted is moved to the other one before anybody goes on with it. */
function wandering(world: VirtualWorld, journey: Journey): Store {
  const stores = [memory(), memory()] as const;
  const homes = new Map<string, 0 | 1>();
  /** Fences begin anew in each store; who looks from outside sees them grow: this much is added. */
  const added = new Map<string, number>();
  const fences = new Map<string, number>();
  const process = world.process("mover");
  let moving: Promise<unknown> = Promise.resolve();
  const home = (runId: string): Store => stores[homes.get(runId) ?? 0];

  async function move({ runId, now }: LeaseRequest): Promise<void> {
    const at = homes.get(runId) ?? 0;
    const [run] = await stores[at].list({ idPrefix: runId, status: ["waiting", "halted"] });
    const isFree = run?.lease === undefined || run.lease.expiresAt <= now;
    if (run?.runId !== runId || !isFree) return;
    const to = at === 0 ? 1 : 0;
    const world = { owner: process.owner, now: () => now, isGone: () => false };
    const route = { from: stores[at], to: stores[to], world, isMove: true };
    const { left, faults } = await copyRuns({ ...route, ids: new Set([runId]), isDry: false });
    journey.left.push(...left.map(({ why }) => why), ...faults.map(({ what }) => what));
    journey.moves += 1;
    homes.set(runId, to);
    added.set(runId, fences.get(runId) ?? 0);
  }
  /** One after another: nothing is sent to a run while it is between two stores. */
  const settled = <T>(work: () => Promise<T>): Promise<T> => {
    const done = moving.then(work);
    moving = done.catch(() => {});
    return done;
  };
  const inner = <T extends { readonly runId: string; readonly fence: number }>(one: T): T => ({
    ...one,
    fence: one.fence - (added.get(one.runId) ?? 0),
  });
  const outer = (lease: Lease): Lease => {
    const fence = lease.fence + (added.get(lease.runId) ?? 0);
    fences.set(lease.runId, Math.max(fence, fences.get(lease.runId) ?? 0));
    return { ...lease, fence };
  };

  return {
    ...stores[0],
    commit: async (appends) => {
      const outcomes: AppendOutcome[] = [];
      for (const append of appends) outcomes.push(...(await home(append.runId).commit([inner(append)])));
      return outcomes;
    },
    read: (runId, ...more) => home(runId).read(runId, ...more),
    blob: async (hash) => (await stores[0].blob(hash)) ?? stores[1].blob(hash),
    acquire: (request) =>
      settled(async () => {
        if (!request.create) await move(request);
        const { supersede } = request;
        const asked =
          supersede === undefined
            ? request
            : { ...request, supersede: inner({ ...request, fence: supersede }).fence };
        const answer = await home(request.runId).acquire(asked);
        return "lease" in answer ? { ...answer, lease: outer(answer.lease) } : answer;
      }),
    renew: (lease, expiresAt) => home(lease.runId).renew(inner(lease), expiresAt),
    release: (lease) => home(lease.runId).release(inner(lease)),
    list: async (filter) =>
      [...(await stores[0].list(filter)), ...(await stores[1].list(filter))].map((run) =>
        run.lease === undefined ? run : { ...run, lease: outer(run.lease) },
      ),
    send: (runId, signal) => settled(() => home(runId).send(runId, signal)),
    signals: (runId) => home(runId).signals(runId),
    drop: (lease) => home(lease.runId).drop(inner(lease)),
  };
}

test("runs that are moved whenever they wait or have halted end as they would have, among crashes, and pay nothing twice", async () => {
  const journey: Journey = { moves: 0, left: [] };
  const broken = [];
  for (let seed = 1; seed <= 30; seed++) {
    const { violations } = await simulate({ seed, store: (world) => wandering(world, journey) });
    if (violations.length > 0) broken.push({ seed, violations });
  }
  expect([broken.slice(0, 3), journey.left.slice(0, 3)]).toEqual([[], []]);
  expect(journey.moves).toBeGreaterThan(60);
});
