/**
 * Many runs over several workers that wait for one budget nearly all the time, while workers are killed and stand still: who is
 * served, in which order, and how soon after those who stood before it are dead.
 */
import { agent } from "../../agents/agent.ts";
import { models } from "../../agents/models.ts";
import { branchOn, mapOver, pipeline } from "../../core/compose.ts";
import { Runner } from "../../engine/runner.ts";
import type { Store } from "../../ports/store.ts";
import { memory } from "../../stores/memory.ts";
import { type Chance, chance } from "../chance.ts";
import { crashingStore } from "../crash-store.ts";
import { scriptedModel } from "../scripted-model.ts";
import { type VirtualProcess, virtualWorld } from "../virtual-world.ts";
import { Turnstile } from "./turnstile.ts";

export interface PressedOptions {
  readonly seed: number;
  /** Default: `memory()`. */
  readonly store?: () => Store;
}

export interface PressedReport {
  readonly seed: number;
  /** What should not have been, as sentences. */
  readonly violations: readonly string[];
  readonly kills: number;
  readonly pauses: number;
  /** How often somebody was told to wait. */
  readonly waits: number;
  /** The longest time for which the first who waited could have been served and was not. */
  readonly longestIdleMs: number;
}

const leaseMs = 3_000;
/** A lease that has just been renewed, the pauses of who looks, and its way to the store. */
const mostIdleMs = leaseMs + 2_000;
const cent = 10_000_000_000n;
type Size = "large" | "small";

/** Of two pipelines, so that runs may be left for a while without anybody who could go on with them. */
const names = ["one", "other"] as const;
type Name = (typeof names)[number];

interface Worker {
  readonly name: Name;
  readonly process: VirtualProcess;
  readonly runner: Runner<readonly Size[], string[], unknown>;
}

/**
 * Simulates a budget under pressure, from a seed, and checks: nobody is overtaken, nobody who lives loses a place, money does not
 * lie idle while the first of those who live could have it, but for the time it takes to know that others are dead; every run
 * completes.
 *
 *     const { violations } = await simulatePressed({ seed: 42 });
 */
export async function simulatePressed({ seed, store = memory }: PressedOptions): Promise<PressedReport> {
  const world = virtualWorld({ seed });
  const draw = chance(seed ^ 0x9e55);
  const done = new Set<string>();
  const runs = Array.from({ length: draw.whole(5, 12) }, (_, i) => ({
    ...{
      runId: `run-${i}`,
      name: draw.pick(names),
      scopes: draw.pick([["team"], ["team"], ["team", "desk"]]),
    },
    items: Array.from({ length: draw.whole(1, 4) }, () => draw.pick<Size>(["large", "small", "small"])),
  }));
  const turnstile: Turnstile = new Turnstile(store(), world, {
    room: { team: 25n * cent, desk: 20n * cent },
    mostIdleMs,
    onEntry({ type }, runId) {
      if (type === "run-completed") done.add(runId);
      if (type === "run-failed" || type === "run-halted") turnstile.violations.push(`${runId}: ${type}`);
    },
  });
  const driver = world.process("driver");
  const hire = hiring(turnstile, draw, (name, host) => world.process(name, host));
  const crew = [...names, ...names.filter(() => draw.flip())].map(hire);
  let [kills, pauses, faults] = [0, 0, draw.whole(3, 10)];

  /** Whoever is there goes on with what is not done. */
  const hand = (): void => {
    const able = crew.filter(({ process }) => process.isAlive && !process.isPaused);
    for (const { runId, name, items, scopes } of runs.filter((run) => !done.has(run.runId))) {
      const fit = able.filter((worker) => worker.name === name);
      if (fit.length > 0)
        draw
          .pick(fit)
          .runner.start(items, { runId, scopes })
          .result()
          .catch(() => {}); // somebody else has it
    }
    driver.timer(1_000, hand);
  };
  const strike = (): void => {
    if (faults-- <= 0) return;
    driver.timer(draw.whole(100, 5_000), strike);
    const struck = draw.pick(crew);
    if (!struck.process.isAlive) return;
    if (draw.flip(0.7)) {
      kills += 1;
      struck.process.kill();
      driver.timer(draw.pick([0, 2_000, 20_000]), () =>
        crew.splice(crew.indexOf(struck), 1, hire(struck.name)),
      );
    } else {
      pauses += 1;
      struck.process.pause();
      driver.timer(draw.whole(0, 3 * leaseMs), () => {
        struck.process.wake();
        void turnstile.look();
      });
    }
    void turnstile.look();
  };
  hand();
  driver.timer(2_000, strike);
  try {
    await world.run(() => done.size === runs.length || turnstile.violations.length > 0, { ms: 600_000 });
  } catch (error) {
    turnstile.violations.push(String(error));
  }
  const { violations, waits, longestIdleMs } = turnstile;
  return { seed, violations, kills, pauses, waits, longestIdleMs };
}

function hiring(turnstile: Turnstile, draw: Chance, begin: (name: string, host: string) => VirtualProcess) {
  return (name: Name): Worker => {
    const process = begin("worker", draw.pick(["here", "there"]));
    const model = scriptedModel({
      replies: () => ({ text: "four", delayMs: draw.whole(20, 3_000) }),
      price: { input: "$0", output: "$10000" }, // a cent a token
      world: process,
    });
    const asking = (cents: number) =>
      agent<Size>("ask", {
        ...{ model, system: "", prompt: (size) => size },
        ...{ maxOutputTokens: cents, minOutputTokens: cents },
      });
    const each = branchOn("size", (size: Size) => size, { large: asking(20), small: asking(6) });
    const runner = new Runner(pipeline(name, mapOver("all", each, { concurrency: 2 })), {
      store: crashingStore(turnstile.storeOf(process), { process, latencyMs: draw.pick([0, 2, 15]) }),
      world: process,
      models: models({ prices: model.prices, now: process.now }),
      lease: `${leaseMs}ms`,
    });
    return { name, process, runner };
  };
}
