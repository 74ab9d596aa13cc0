/**
 * `improve` in a task world, among crashes, pauses and take-overs: it comes to what it comes to when nothing disturbs it, byte
 * for byte; nothing recorded is tried or bought again; and all of it stays inside one budget.
 */
import { models } from "../../agents/models.ts";
import { FlujoError } from "../../core/errors.ts";
import { decimalUsd, type PicoUsd, type Usd } from "../../core/limits.ts";
import type { Step } from "../../core/step.ts";
import type { RunResult } from "../../engine/options.ts";
import { Runner } from "../../engine/runner.ts";
import { improve, improveInput } from "../../evals/improve/improve.ts";
import type { Improvement } from "../../evals/improve/improvement.ts";
import type { Store } from "../../ports/store.ts";
import { memory } from "../../stores/memory.ts";
import { type Chance, chance } from "../chance.ts";
import { crashingStore } from "../crash-store.ts";
import { falteringStore } from "../faltering-store.ts";
import { type VirtualProcess, type VirtualWorld, virtualWorld } from "../virtual-world.ts";
import { type TaskWorld, taskWorld, type WorldOptions, worldFamilies } from "../worlds/world.ts";
import { type Fault, randomFalters, randomFault } from "./faults.ts";

export interface ImprovingOptions {
  readonly seed: number;
  /** Let the stores of the first processes not answer now and then. Default false. */
  readonly outages?: boolean;
}

export interface ImprovingReport {
  readonly seed: number;
  /** What should not have been, as sentences; empty when every promise was kept. */
  readonly violations: readonly string[];
  readonly schedule: readonly string[];
  readonly crashes: number;
  /** Calls of models beyond those of a search that nothing disturbs: their results were not recorded. */
  readonly repeats: number;
  /** How often it halted, and went on with a larger budget. */
  readonly raises: number;
  /** Whether the search found something to prove. */
  readonly proved: boolean;
}

const runId = "improve";
const scope = `improve:${runId}`;
const leaseMs = 5_000;
const mostAttempts = 60;
/** So many processes may have a store that does not always answer. */
const mostFaltering = 12;
/** Much more than any of them costs, what crashes leave in doubt included. */
const plenty: PicoUsd = 20_000_000_000_000n;
const usd = (pico: PicoUsd): Usd => `$${decimalUsd(pico)}` as Usd; // digits and a point

/** What is improved, and how. */
interface Plan {
  readonly world: WorldOptions;
  readonly rollouts: number;
  readonly concurrency: number;
}

function randomPlan(chance: Chance, seed: number): Plan {
  const sizes = { train: chance.whole(3, 8), validation: chance.whole(3, 8), test: chance.whole(6, 10) };
  return {
    world: { family: chance.pick(worldFamilies), seed, sizes, variant: chance.pick(["helpful", "null"]) },
    rollouts: chance.whole(12, 60),
    concurrency: chance.whole(1, 4),
  };
}

/**
 * Simulates one search from a seed, first calm, then disturbed.
 *
 *     const { violations } = await simulateImproving({ seed: 42 });
 */
export async function simulateImproving({
  seed,
  outages = false,
}: ImprovingOptions): Promise<ImprovingReport> {
  const plan = randomPlan(chance(seed ^ 0x1397), seed);
  const calm = new Stage(plan, seed, chance(seed), plenty);
  const expected = await calm.end(0);
  const draws = chance(seed ^ 0xc4a5);
  const isShort = draws.flip(0.3);
  const budget = isShort
    ? (BigInt(expected?.picoUsd ?? 0) * BigInt(draws.whole(5, 120))) / 100n + 1n
    : plenty;
  const rough = new Stage(plan, seed, draws, budget, outages ? chance(seed ^ 0x0a7e) : undefined);
  const found = await rough.end(draws.whole(1, 6));
  const violations = [...calm.violations, ...rough.violations];
  // Who is short of money ends where the money ends: that depends on what crashes have left in doubt.
  if (!isShort && JSON.stringify(found) !== JSON.stringify(expected))
    violations.push(`it came to ${JSON.stringify(found)}, and undisturbed to ${JSON.stringify(expected)}`);
  return {
    ...{ seed, violations, schedule: rough.schedule, crashes: rough.crashes },
    repeats: isShort ? 0 : rough.calls - calm.calls,
    raises: rough.raises,
    proved: expected?.promotion !== undefined,
  };
}

/** A world in which something is improved, through all the processes that go on with it. */
class Stage {
  readonly violations: string[] = [];
  readonly schedule: string[] = [];
  crashes = 0;
  raises = 0;
  #budget: PicoUsd;
  /** What its input says: the same whenever it is gone on with. */
  readonly #first: PicoUsd;
  readonly #plan: Plan;
  readonly #task: TaskWorld;
  readonly #world: VirtualWorld;
  readonly #driver: VirtualProcess;
  readonly #store: Store = memory();
  readonly #chance: Chance;
  readonly #outages: Chance | undefined;

  constructor(plan: Plan, seed: number, chance: Chance, budget: PicoUsd, outages?: Chance) {
    this.#outages = outages;
    this.#plan = plan;
    this.#first = budget;
    this.#budget = budget;
    this.#task = taskWorld(plan.world);
    this.#world = virtualWorld({ seed });
    this.#driver = this.#world.process("driver");
    this.#chance = chance;
  }

  get calls(): number {
    return this.#task.model.calls.length + this.#task.reflector.calls.length;
  }

  /** Goes on until it is done. */
  async end(faults: number): Promise<Improvement | undefined> {
    const processes: VirtualProcess[] = [];
    for (let attempt = 0; attempt < mostAttempts; attempt += 1) {
      const fault = attempt < faults ? randomFault(this.#chance) : undefined;
      const process = this.#world.process("process", this.#chance.pick(["here", "there"]));
      processes.push(process);
      const result = await this.#goOn(process, fault, attempt < mostFaltering ? this.#outages : undefined);
      if (result?.status === "completed") {
        for (const one of processes) one.wake();
        await this.#wait(60_000); // whoever was paused finds out that it owns nothing any more
        await this.#audit();
        return result.output;
      }
      const message = result !== undefined && "error" in result ? result.error.message : "";
      if (result?.status === "halted") await this.#raise();
      else if (result !== undefined) this.violations.push(`it is ${result.status}: ${message}`);
      await this.#wait(this.#chance.whole(0, 2 * leaseMs));
    }
    this.violations.push(`it is not done after ${mostAttempts} attempts`);
    return undefined;
  }

  /** What one process makes of it; undefined when that died, stands still, or was refused. */
  async #goOn(
    process: VirtualProcess,
    fault: Fault | undefined,
    outages: Chance | undefined,
  ): Promise<RunResult<Improvement> | undefined> {
    const struck = (how: string): void => {
      this.crashes += 1;
      this.schedule.push(`${process.owner}: ${how} ${JSON.stringify(fault)}`);
    };
    const reached =
      outages === undefined ? this.#store : falteringStore(this.#store, randomFalters(outages, true));
    const store = crashingStore(reached, {
      process,
      crash: fault?.kind === "at-commit" ? fault.point : undefined,
      latencyMs: this.#chance.pick([0, 3, 20]),
      onCrash: () => {
        struck("met");
        if (fault?.kind === "at-commit" && fault.point.how === "pause") this.#wakeLater(process);
      },
    });
    const { task, scorers, reflector, dataset, prices } = this.#task;
    const engine = {
      ...({ store, world: process, lease: `${leaseMs}ms`, takeOver: false } as const),
      models: models({ prices, now: process.now }),
      scopes: [{ scope, cost: usd(this.#budget) }],
    };
    const typed = task as Step<never, unknown, never>; // cases are its inputs
    const flujo = new Runner(typed, engine);
    const how = { task: typed, scorers, reflector, flujo, store, scopes: engine.scopes };
    const { rollouts, concurrency } = this.#plan;
    const improver = new Runner(improve({ ...how, concurrency }), engine);
    const input = improveInput(how, dataset, { seed: 1, rollouts, patience: 5, budget: usd(this.#first) });
    let result: RunResult<Improvement> | undefined;
    let isRefused = false;
    improver.run(input, { runId }).then(
      (one) => {
        result = one;
      },
      (error: unknown) => {
        isRefused = true;
        const code = FlujoError.isInstance(error) ? error.code : String(error);
        this.schedule.push(`${process.owner} is refused: ${code}`);
        if (!refusals.has(code)) this.violations.push(`it was refused with ${code}: ${String(error)}`);
      },
    );
    if (fault?.kind === "at-time") {
      this.#driver.timer(fault.ms, () => {
        if (!process.isAlive || result !== undefined) return;
        struck(fault.how);
        if (fault.how === "die") process.kill();
        else if (fault.how === "pause") {
          process.pause();
          this.#wakeLater(process);
        } else {
          void improver[Symbol.asyncDispose]();
          void flujo[Symbol.asyncDispose]();
        }
      });
    }
    await this.#world.run(() => {
      this.#checkBill();
      return result !== undefined || isRefused || !process.isAlive || process.isPaused;
    });
    return result;
  }

  async #raise(): Promise<void> {
    this.raises += 1;
    this.#budget *= 2n;
    await this.#store.ledger({ kind: "amend", scope, set: { picoUsd: `${this.#budget}` } });
  }

  #wakeLater(process: VirtualProcess): void {
    process.pause();
    this.#driver.timer(this.#chance.whole(0, 3 * leaseMs), () => process.wake());
  }

  #wait(ms: number): Promise<void> {
    return this.#world.run(new Promise<void>((resolve) => void this.#driver.timer(ms, resolve)));
  }

  #checkBill(): void {
    const { model, reflector } = this.#task;
    const billed = model.billedPicoUsd + reflector.billedPicoUsd;
    if (billed > this.#budget) this.violations.push(`${usd(billed)} were billed of ${usd(this.#budget)}`);
  }

  /** Of all journals: what has a result is not bought, nor recorded, again. */
  async #audit(): Promise<void> {
    const runs = await this.#store.list({ limit: 100_000 });
    for (const { runId } of runs) {
      const done = new Set<string>();
      for (const entry of (await this.#store.read(runId, 0, Number.MAX_SAFE_INTEGER)) ?? []) {
        if (!("path" in entry) || entry.path === undefined) continue;
        if (entry.type === "budget-reserved" && done.has(entry.path))
          this.violations.push(`${entry.path} of ${runId} was bought again after its result was recorded`);
        if (entry.type !== "operation-completed" && entry.type !== "step-completed") continue;
        if (done.has(entry.path)) this.violations.push(`${entry.path} of ${runId} was recorded twice`);
        done.add(entry.path);
      }
    }
    const [account] = await this.#store.accounts({ scopes: [scope] });
    if (account !== undefined && account.holds.length > 0)
      this.violations.push(`the account still holds money for ${account.holds.length} calls`);
  }
}

const refusals = new Set(["lease-held", "lease-lost", "store-unavailable", "unknown-run"]);
