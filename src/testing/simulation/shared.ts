/**
 * Several runs in one world that share accounts, among crashes, pauses and take-overs between a hold, its reservation
 * and its settlement. The books are kept a second time, from the journals and the provider's meter alone.
 */
import { agent } from "../../agents/agent.ts";
import { mapOver, pipeline, step } from "../../core/compose.ts";
import type { Context } from "../../core/context.ts";
import { FlujoError } from "../../core/errors.ts";
import { decimalUsd, type Usd } from "../../core/limits.ts";
import { daily, type SharedScope } from "../../core/scopes.ts";
import type { RunHandle, RunResult } from "../../engine/options.ts";
import { Runner } from "../../engine/runner.ts";
import type { Store } from "../../ports/store.ts";
import { memory } from "../../stores/memory.ts";
import { type Chance, chance } from "../chance.ts";
import { crashingStore } from "../crash-store.ts";
import { falteringStore } from "../faltering-store.ts";
import { type VirtualProcess, type VirtualWorld, virtualWorld } from "../virtual-world.ts";
import { Books } from "./books.ts";
import { isOutage, randomFalters, randomFault } from "./faults.ts";
import { promptOf } from "./meanings.ts";
import { asked, toolOf } from "./pipeline.ts";
import type { AgentPlan, Streaming, ToolPlan } from "./plan.ts";
import { Provider } from "./provider.ts";
import { streaming } from "./streaming.ts";

export interface SharedOptions {
  readonly seed: number;
  /** Makes the store that survives the crashes. Default: `memory()`. One that waits in real time: `grounded`. */
  readonly store?: (world: VirtualWorld) => Store;
  /** Let the stores of most processes not answer now and then. Default false: the course of a seed differs with it. */
  readonly outages?: boolean;
}

export interface SharedReport {
  readonly seed: number;
  /** What should not have been, as sentences; empty when every promise was kept. */
  readonly violations: readonly string[];
  readonly schedule: readonly string[];
  readonly crashes: number;
  /** How often a run was told to wait, halted, and went on with more. */
  readonly waits: number;
  readonly raises: number;
  readonly toolCalls: number;
  /** Of streamed answers. */
  readonly pieces: number;
}

/** What one run does, and what pays for it. */
interface Plan {
  readonly runId: string;
  readonly items: number;
  readonly concurrency: number;
  readonly trouble: AgentPlan["trouble"];
  readonly cap: number;
  readonly streaming: Streaming;
  /** What its agents call, and how often in each of their turns before they answer. */
  readonly tool: ToolPlan;
  readonly script: AgentPlan["script"];
  /** Pico-dollars each item spends beside its model call; 0: none. */
  readonly fee: number;
  /** Calls that the place inside may make, times its scale. */
  readonly placeCalls: number | undefined;
  readonly runLimit: number | undefined;
  readonly scopes: readonly (string | SharedScope)[];
}

const leaseMs = 5_000;
/** More than any seed needs. */
const mostAttempts = 1_000;
/** So many processes of a run have a store that does not always answer. */
const mostFaltering = 8;
const bounds = { ms: 20 * 86_400_000, rounds: 300_000 } as const;
const usd = (pico: number): Usd => `$${decimalUsd(BigInt(pico))}` as Usd; // a whole number of pico-dollars

/** @param tools draws what agents do with tools, and moves nothing else. */
function randomPlans(chance: Chance, tools: Chance): readonly Plan[] {
  const tenant: SharedScope = {
    scope: "tenant:acme",
    cost: usd(chance.pick([400_000_000, 900_000_000, 3_000_000_000])),
    alertAt: [0.5],
    ...(chance.flip(0.3) ? { calls: chance.whole(2, 12) } : {}),
    ...(tools.flip(0.3) ? { toolCalls: tools.whole(1, 8) } : {}),
  };
  const day = daily("acme", usd(chance.pick([500_000_000, 2_000_000_000])));
  return Array.from({ length: chance.whole(2, 4) }, (_, i) => ({
    runId: `run-${i}`,
    items: chance.whole(1, 4),
    concurrency: chance.whole(1, 3),
    trouble: chance.pick(["none", "none", "refuses", "breaks"] as const),
    cap: chance.pick([16, 64, 120]),
    streaming: streaming(chance),
    tool: randomTool(tools),
    script: tools.pick([[], [[0]], [[0, 0]], [[0], [0, 0, 0]]]),
    fee: chance.flip(0.4) ? chance.pick([1_000_000, 90_000_000]) : 0,
    placeCalls: chance.flip(0.4) ? chance.whole(1, 3) : undefined,
    runLimit: chance.flip(0.4) ? chance.pick([300_000_000, 800_000_000]) : undefined,
    scopes: chance.pick([[tenant], [tenant, day], [tenant, "counted"], [tenant, day, "counted"]]),
  }));
}

function randomTool(chance: Chance): ToolPlan {
  const fails = chance.pick([0, 0, 1, 2]);
  return {
    ...{ name: "look", ms: chance.pick([0, 50, 3_000]), fails, attempts: chance.whole(1, 3) },
    ...{ how: chance.pick(["throws", "hangs"]), onUnknown: "retry", asks: false },
    price: chance.pick(["$0", "$0.00005"]),
  };
}

/**
 * Simulates runs that share accounts, from a seed, and checks: at every moment, on every account, posted and pending
 * stay within the limit, by the ledger, by the journals and by the provider's meter; what is posted is what the
 * journals settled; every hold is resolved in the end; every run completes.
 *
 *     const { violations } = await simulateShared({ seed: 42 });
 */
export async function simulateShared({
  seed,
  store = memory,
  outages = false,
}: SharedOptions): Promise<SharedReport> {
  const world = virtualWorld({ seed });
  const began = world.now();
  const schedule: string[] = [];
  const note = (what: string): void => void schedule.push(`${world.now() - began} ms: ${what}`);
  const books = new Books(store(world));
  const draw = chance(seed ^ 0xacc0);
  const lives = randomPlans(draw.fork(), chance(seed ^ 0x7001)).map(
    (plan, i) =>
      new Life(plan, {
        ...{ world, books, chance: draw, note },
        ...(outages ? { outages: chance((seed + i) ^ 0x0a7e) } : {}),
      }),
  );
  try {
    for (const { plan, provider } of lives) books.follow(plan.runId, provider);
    const isOver = (): boolean => lives.map((life) => life.step()).every((done) => done);
    await world.run(() => books.violations.length > 0 || isOver(), bounds);
    for (const life of lives) life.wake();
    const rest = world.process("rest");
    await world.run(new Promise<void>((resolve) => void rest.timer(120_000, resolve)));
    await books.close();
  } catch (error) {
    books.say(error instanceof Error ? error.message : String(error));
  }
  return {
    seed,
    violations: books.violations,
    schedule,
    crashes: lives.reduce((sum, { crashes }) => sum + crashes, 0),
    waits: books.waits,
    toolCalls: books.toolCalls,
    pieces: books.pieces,
    raises: lives.reduce((sum, { raises }) => sum + raises, 0),
  };
}

interface Surroundings {
  readonly world: VirtualWorld;
  readonly books: Books;
  readonly chance: Chance;
  readonly note: (what: string) => void;
  /** Decides when the stores of a run's first processes do not answer. Default: they always do. */
  readonly outages?: Chance;
}

/** Who advances the run now. */
interface Attempt {
  readonly process: VirtualProcess;
  result: RunResult<unknown> | undefined;
  refusal: unknown;
}

/** One run, through all the processes that advance it. */
class Life {
  readonly plan: Plan;
  readonly provider: Provider;
  crashes = 0;
  raises = 0;
  readonly #around: Surroundings;
  readonly #driver: VirtualProcess;
  readonly #processes: VirtualProcess[] = [];
  #attempt: Attempt | undefined;
  #attempts = 0;
  #faultsLeft: number;
  #scale = 1;
  #notBefore = 0;
  #raising: Promise<unknown> | undefined;
  #done = false;

  constructor(plan: Plan, around: Surroundings) {
    this.plan = plan;
    this.#around = around;
    this.#driver = around.world.process(`driver of ${plan.runId}`);
    this.#faultsLeft = around.chance.whole(0, 4);
    const onBill = (): void => around.books.check();
    this.provider = new Provider({
      onCall: () => {},
      onBill,
      onPiece: () => {},
      onRush: () => {},
      callsPerMinute: undefined,
    });
  }

  /** Looks after the run; true when it is done. */
  step(): boolean {
    const { world, chance, books } = this.#around;
    if (this.#done || this.#raising !== undefined || world.now() < this.#notBefore) return this.#done;
    const attempt = this.#attempt;
    if (attempt?.process.isAlive && !attempt.process.isPaused) {
      if (attempt.result === undefined && attempt.refusal === undefined) return false;
      this.#hear(attempt);
      if (this.#done || this.#raising !== undefined) return this.#done;
    }
    if (++this.#attempts > mostAttempts) {
      books.say(`${this.plan.runId} is not done after ${mostAttempts} attempts`);
      this.#done = true;
      return true;
    }
    this.#later(chance.whole(0, 2_000));
    this.#begin();
    return false;
  }

  wake(): void {
    for (const process of this.#processes) process.wake();
  }

  /** A timer of the driver's, so that time passes while nobody advances the run. */
  #later(ms: number): void {
    this.#notBefore = this.#around.world.now() + ms;
    this.#driver.timer(ms, () => {});
  }

  #begin(): void {
    const { world, chance, books, note } = this.#around;
    const { runId, runLimit, scopes } = this.plan;
    const fault = this.#faultsLeft > 0 && chance.flip(0.8) ? randomFault(chance) : undefined;
    if (fault !== undefined) this.#faultsLeft--;
    const process = world.process(runId, chance.pick(["here", "there"]));
    this.#processes.push(process);
    const struck = (what: string): void => {
      this.crashes++;
      note(`${process.owner}: ${what}`);
    };
    const pause = (): void => {
      process.pause();
      this.#driver.timer(chance.whole(0, 3 * leaseMs), () => process.wake());
    };
    const { outages } = this.#around;
    const isFaltering = outages !== undefined && this.#processes.length <= mostFaltering;
    const reached = isFaltering ? falteringStore(books.store, randomFalters(outages)) : books.store;
    const store = crashingStore(reached, {
      process,
      crash: fault?.kind === "at-commit" ? fault.point : undefined,
      latencyMs: chance.pick([0, 2, 15]),
      onCrash: () => {
        struck(JSON.stringify(fault));
        if (fault?.kind === "at-commit" && fault.point.how === "pause") pause();
      },
    });
    const runner = new Runner(this.#pipeline(process), {
      store,
      world: process,
      models: this.provider.modelsFor(process),
      lease: `${leaseMs}ms`,
      scopes,
      ...(runLimit === undefined ? {} : { budget: usd(runLimit * this.#scale) }),
    });
    note(`${process.owner} goes on${fault === undefined ? "" : `, to meet with ${JSON.stringify(fault)}`}`);
    const attempt: Attempt = { process, result: undefined, refusal: undefined };
    this.#attempt = attempt;
    this.#listen(runner.start("input", { runId }), attempt);
    if (fault?.kind !== "at-time") return;
    this.#driver.timer(fault.ms, () => {
      if (!process.isAlive || attempt.result !== undefined) return;
      struck(fault.how);
      if (fault.how === "die") process.kill();
      else if (fault.how === "pause") pause();
      else void runner[Symbol.asyncDispose]();
    });
  }

  #listen(handle: RunHandle<unknown>, attempt: Attempt): void {
    handle.result().then(
      (result) => {
        attempt.result = result;
      },
      (error: unknown) => {
        attempt.refusal = error;
      },
    );
  }

  #hear({ process, result, refusal }: Attempt): void {
    const { books, note, chance } = this.#around;
    this.#attempt = undefined;
    if (result === undefined) {
      const code = FlujoError.isInstance(refusal)
        ? refusal.code
        : isOutage(refusal)
          ? "outage"
          : String(refusal);
      note(`${process.owner} is refused: ${code}`);
      if (!refusals.has(code)) books.say(`${process.owner} was refused with ${code}: ${String(refusal)}`);
      return;
    }
    note(`${process.owner} reports ${result.status}${"error" in result ? `: ${result.error.message}` : ""}`);
    if (result.status === "completed") this.#done = true;
    else if (result.status === "halted") this.#raise(chance);
    else
      books.say(
        `${this.plan.runId} is ${result.status}${"error" in result ? `: ${result.error.message}` : ""}`,
      );
  }

  /** Whatever was short is doubled: the run's limits, its place's, and the accounts of all. */
  #raise(chance: Chance): void {
    const { books } = this.#around;
    this.raises++;
    this.#scale *= 2;
    this.#later(chance.flip(0.3) ? 20 * 3_600_000 : 1); // perhaps another day
    this.#raising = books.raiseAll().finally(() => {
      this.#raising = undefined;
    });
  }

  #pipeline(process: VirtualProcess) {
    const { items, concurrency, trouble, cap, fee, placeCalls, tool, script } = this.plan;
    const does = { name: "ask", trouble, tools: [tool], script, ...this.plan.streaming };
    const ask = agent<string>("ask", {
      ...asked(this.plan.streaming),
      model: this.provider.modelFor(process),
      system: "Answer.",
      prompt: (item) => promptOf(does, item),
      tools: [toolOf(tool, process, () => {})],
      maxOutputTokens: cap,
      minOutputTokens: 1,
    });
    const spend = step("spend", async (text: string, ctx: Context) => {
      if (fee > 0) await ctx.spend("fee", usd(fee), async ({ costs }) => costs(usd(fee / 2)));
      return text;
    });
    const one = ask.to(spend);
    const each = placeCalls === undefined ? one : one.budget({ calls: placeCalls * this.#scale });
    const list = step("list", () => Array.from({ length: items }, (_, i) => `item ${i}`), { version: "1" });
    return pipeline(this.plan.runId, list.to(mapOver("all", each, { concurrency })));
  }
}

const refusals = new Set(["lease-held", "lease-lost", "outage", "store-unavailable", "unknown-run"]);
