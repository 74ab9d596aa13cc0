/** What befalls workers and servers: drawn beforehand, so that a seed says it again. */
import { setTimeout as pause } from "node:timers/promises";
import type { Chance } from "../../src/testing/chance.ts";
import type { Fleet } from "./fleet.ts";

/** A server of a series. */
export interface Server {
  readonly url: string;
  /** Ends it without warning, and starts it again on what it has kept. */
  restart(): Promise<void>;
}

export interface Plan {
  readonly runs: number;
  readonly workers: number;
  /** Workers killed at random while they are at work. */
  readonly kills: number;
  /** Times a server, the store's or the engine's, is ended at once and started again. */
  readonly restarts: number;
  /** Times the network between a worker and a server is cut, for less and for more than a lease. */
  readonly cuts: number;
  /** The pause between two of all these. */
  readonly everyMs: number;
  readonly chance: Chance;
}

export type Way = "store" | "engine";
/** How the network fails: connections break off, or what is said is lost, or comes late; in the latter two nobody is told. */
export type Manner = "shut" | "swallow" | "hold";

type Fault =
  | { readonly kind: "kill" }
  | { readonly kind: "restart"; readonly of: Way }
  | { readonly kind: "cut"; readonly way: Way; readonly manner: Manner; readonly forMs: number };

/** What came to pass of a plan. */
export interface Befell {
  readonly kills: number;
  readonly restarts: number;
  readonly cuts: number;
}

/** Some of it lasts for longer than a lease of two seconds. */
const longestCutMs = 5_000;

function drawn({ kills, restarts, cuts, chance }: Plan, ways: readonly Way[]): readonly Fault[] {
  const manners: readonly Manner[] = ["shut", "swallow", "hold"];
  const faults: Fault[] = [
    ...Array.from({ length: kills }, () => ({ kind: "kill" }) as const),
    ...Array.from({ length: restarts }, () => ({ kind: "restart", of: chance.pick(ways) }) as const),
    ...Array.from({ length: cuts }, (_, i) => {
      const manner = manners[i % manners.length] as Manner; // within its length
      return { kind: "cut", way: chance.pick(ways), manner, forMs: chance.whole(200, longestCutMs) } as const;
    }),
  ];
  return faults
    .map((fault) => ({ fault, place: chance.next() }))
    .sort((a, b) => a.place - b.place)
    .map(({ fault }) => fault);
}

/** Does what the plan says for as long as there is work. One worker is stopped all the while, and goes on when this is over. */
export async function trouble(
  fleet: Fleet,
  servers: { readonly [W in Way]?: Server },
  plan: Plan,
  ended: AbortSignal,
): Promise<Befell> {
  const ways = (Object.keys(servers) as Way[]).filter((way) => servers[way] !== undefined); // its keys
  const { chance, everyMs } = plan;
  const befell = { kills: 0, restarts: 0, cuts: 0 };
  const mending: Promise<void>[] = [];
  const stopped = await fleet.stopOne();
  for (const fault of drawn(plan, ways)) {
    const worker = await fleet.anyAtWork(chance, ended);
    if (worker === undefined) break;
    if (fault.kind === "kill") {
      await worker.kill();
      await fleet.add();
      befell.kills += 1;
    } else if (fault.kind === "restart") {
      await servers[fault.of]?.restart();
      befell.restarts += 1;
    } else {
      mending.push(worker.cut(fault.way, fault.manner, fault.forMs));
      befell.cuts += 1;
    }
    await pause(everyMs);
  }
  await pause(2_500); // past its lease, however little befell
  stopped.goOn();
  await Promise.all(mending);
  return befell;
}
