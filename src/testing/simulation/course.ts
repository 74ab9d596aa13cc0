/** The course of one simulated run: who starts and resumes it, who dies when, until it comes to stand. */
import { FlujoError } from "../../core/errors.ts";
import type { Usd } from "../../core/limits.ts";
import type { EngineOptions, RunHandle, RunResult } from "../../engine/options.ts";
import { Runner } from "../../engine/runner.ts";
import type { Store } from "../../ports/store.ts";
import type { Chance } from "../chance.ts";
import { type CrashPoint, type CrashingStore, crashingStore } from "../crash-store.ts";
import { StuckError, type VirtualProcess, type VirtualWorld } from "../virtual-world.ts";
import { budgetsIn } from "./accounts.ts";
import { answerAt, build } from "./pipeline.ts";
import type { RunPlan } from "./plan.ts";
import type { Provider } from "./provider.ts";
import type { Witness } from "./witness.ts";

export const runId = "simulated";
const leaseMs = 5_000;
const mostAttempts = 200;

/** What goes wrong while a process advances the run. */
type Fault =
  | { readonly kind: "at-commit"; readonly point: CrashPoint }
  | { readonly kind: "at-time"; readonly ms: number; readonly then: "die" | "pause" | "shut-down" };

export interface CourseParts {
  readonly plan: RunPlan;
  readonly world: VirtualWorld;
  readonly store: Store;
  readonly witness: Witness;
  readonly provider: Provider;
  readonly chance: Chance;
  /** Processes that meet with a fault. 0: the crash-free course. */
  readonly faults: number;
  readonly latencyMs: number;
  readonly note: (what: string) => void;
}

/** How the run came to stand. */
export interface End {
  readonly status: "completed" | "failed";
  readonly output: unknown;
  readonly code: string | undefined;
}

/** A process, and the run it is asked to advance. */
interface Attempt {
  readonly process: VirtualProcess;
  readonly runner: Runner<unknown, unknown>;
  readonly store: CrashingStore;
  handle: RunHandle<unknown> | undefined;
  settled: { readonly result: RunResult<unknown> } | { readonly error: unknown } | undefined;
}

export class Course {
  readonly #parts: CourseParts;
  readonly #driver: VirtualProcess;
  readonly #attempts: Attempt[] = [];
  #faults: number;
  #scale = 1;
  /** Topped up: the next attempt hands in new limits. */
  #raised = false;
  #crashes = 0;

  constructor(parts: CourseParts) {
    this.#parts = parts;
    this.#faults = parts.faults;
    this.#driver = parts.world.process("driver");
  }

  /** How many processes died, were paused or shut down. */
  get crashes(): number {
    return this.#crashes;
  }

  /** @throws StuckError */
  async run(): Promise<End> {
    for (let n = 0; n < mostAttempts; n++) {
      await this.#attempt(n === 0);
      for (;;) {
        await this.#parts.world.run(() => this.#news() !== undefined || !this.#isUnderWay(), { rounds: 200_000 });
        const news = this.#news();
        if (news === undefined) break; // dead or paused
        const end = await this.#hear(news);
        if (end !== undefined) return end;
        if (!this.#isUnderWay()) break;
      }
    }
    throw new StuckError(`not done after ${mostAttempts} attempts`, []);
  }

  /** Wakes whoever is paused, lets all that is under way come to its end, and says what does not. */
  async rest(): Promise<void> {
    for (const { process } of this.#attempts) process.wake();
    await this.#parts.world.run(() => !this.#isUnderWay(), { rounds: 200_000 });
    await this.#wait(60_000);
  }

  #isUnderWay(): boolean {
    return this.#attempts.some(
      ({ process, handle, settled }) => handle !== undefined && settled === undefined && process.isAlive && !process.isPaused,
    );
  }

  /** An attempt that has an answer not yet heard. */
  #news(): Attempt | undefined {
    return this.#attempts.find(({ handle, settled, process }) => handle !== undefined && settled !== undefined && process.isAlive);
  }

  async #hear(attempt: Attempt): Promise<End | undefined> {
    const { witness, note, store, world } = this.#parts;
    const settled = attempt.settled as NonNullable<Attempt["settled"]>; // it has news
    const { owner } = attempt.process;
    attempt.handle = undefined;
    if ("error" in settled) {
      const code = FlujoError.isInstance(settled.error) ? settled.error.code : String(settled.error);
      note(`${owner} is refused: ${code}`);
      if (!refusals.has(code)) witness.say(`${owner} was refused with ${code}: ${messageOf(settled.error)}`);
      if (code === "lease-held" && !this.#isUnderWay()) await this.#wait(1 + this.#parts.chance.whole(0, leaseMs));
      return undefined;
    }
    const { result } = settled;
    note(`${owner} reports ${result.status}${"error" in result ? `: ${result.error.code} ${result.error.message}` : ""}`);
    if (witness.fenceOf(attempt.process) !== witness.fence && result.status !== "completed") return undefined; // old news
    await this.#compare(result);
    switch (result.status) {
      case "completed":
        return { status: result.status, output: result.output, code: undefined };
      case "failed":
        return { status: result.status, output: undefined, code: result.error.code };
      case "halted":
        this.#scale *= 2;
        this.#raised = true;
        return undefined;
      case "waiting":
        for (const path of result.signals) {
          // Whoever answers has a process of their own, which lives.
          const desk = this.#runner(this.#driver, store, 1);
          await world.run(desk.signal(runId, path, answerAt(path)).catch((error: unknown) => note(`signal: ${messageOf(error)}`)));
        }
        return undefined;
      default:
        witness.say(`the run is ${result.status}, and nobody asked for that`);
        return { status: "failed", output: undefined, code: result.status };
    }
  }

  /** What the engine reports is what the journal says. */
  async #compare(result: RunResult<unknown>): Promise<void> {
    const { witness, store } = this.#parts;
    const record = witness.record();
    if (record.status !== result.status) witness.say(`reported ${result.status}, and the journal says ${record.status}`);
    const { spent } = record;
    for (const field of ["picoUsd", "inputTokens", "outputTokens", "calls"] as const) {
      if (spent[field] !== result.spent[field]) {
        witness.say(`reported ${result.spent[field]} ${field} spent, and the journal says ${spent[field]}`);
      }
    }
    const [listed] = await store.list({});
    if (listed?.status !== record.status) witness.say(`listed as ${listed?.status}, and the journal says ${record.status}`);
    if (listed?.picoUsd !== String(spent.picoUsd)) {
      witness.say(`listed with ${listed?.picoUsd} pico-dollars, and the journal says ${spent.picoUsd}`);
    }
  }

  /** Somebody goes on with the run: a new process, or one that is idle; now and then two at once. */
  async #attempt(first: boolean): Promise<void> {
    const { chance } = this.#parts;
    const attempt = this.#enter(first);
    if (this.#parts.faults === 0) return;
    if (first || !chance.flip(0.15)) return;
    await this.#wait(chance.whole(0, 2_000));
    if (attempt.process.isAlive) this.#enter(false);
  }

  #enter(first: boolean): Attempt {
    const { chance, witness, note, plan } = this.#parts;
    const fault = this.#faults > 0 && chance.flip(0.85) ? this.#fault() : undefined;
    const idle = this.#attempts.find(({ process, handle }) => process.isAlive && !process.isPaused && handle === undefined);
    const reused = fault === undefined && idle !== undefined && chance.flip() ? idle : undefined;
    const attempt = reused === undefined ? this.#newProcess(fault) : { ...reused, ...this.#freshRunner(reused) };
    if (reused !== undefined) this.#attempts.splice(this.#attempts.indexOf(reused), 1);
    this.#attempts.push(attempt);
    const { process, runner } = attempt;
    const budget = this.#raised || first ? this.#budget() : undefined;
    const options = budget === undefined ? {} : { budget };
    const begun = witness.entries.length > 0;
    const how = !begun || chance.flip(0.3) ? "starts" : "resumes";
    note(`${process.owner} ${how}${budget ? ` with ${JSON.stringify(budget)}` : ""}${fault ? ` (${JSON.stringify(fault)})` : ""}`);
    const handle = how === "starts" ? runner.start("input", { runId, ...options }) : runner.resume(runId, options);
    attempt.handle = handle;
    handle.result().then(
      (result) => {
        attempt.settled = { result };
      },
      (error: unknown) => {
        attempt.settled = { error };
      },
    );
    if (fault?.kind === "at-time") this.#driver.timer(fault.ms, () => this.#strike(attempt, fault.then));
    void plan;
    return attempt;
  }

  #strike(attempt: Attempt, then: "die" | "pause" | "shut-down"): void {
    const { process, runner } = attempt;
    if (!process.isAlive || attempt.handle === undefined) return;
    this.#crashes++;
    this.#parts.note(`${process.owner}: ${then}`);
    if (then === "die") process.kill();
    else if (then === "pause") this.#pauses(process, () => process.pause());
    else void runner[Symbol.asyncDispose]();
  }

  #pauses(process: VirtualProcess, pause: () => void): void {
    pause();
    const forMs = this.#parts.chance.whole(0, 3 * leaseMs);
    this.#driver.timer(forMs, () => {
      if (process.isPaused) this.#parts.note(`${process.owner} wakes`);
      process.wake();
    });
  }

  #newProcess(fault: Fault | undefined): Attempt {
    const { world, chance, store: kept, latencyMs } = this.#parts;
    const real = world.process("p");
    // Some processes run where nobody can see them die: their leases have to be waited out.
    const process = chance.flip() ? real : Object.assign(real, { isGone: () => false });
    if (fault?.kind === "at-commit" && fault.point.then === "pause") {
      const pause = process.pause.bind(process);
      Object.assign(process, {
        pause: () => {
          this.#crashes++;
          this.#parts.note(`${process.owner} is paused at its commit`);
          this.#pauses(process, pause);
        },
      });
    } else if (fault?.kind === "at-commit") {
      this.#crashes++;
    }
    const crash = fault?.kind === "at-commit" ? fault.point : undefined;
    const store = crashingStore(kept, { process, crash, latencyMs });
    return { process, store, runner: this.#runner(process, store, this.#scale), handle: undefined, settled: undefined };
  }

  /** The limits in the tree may have grown. */
  #freshRunner({ process, store }: Attempt): Partial<Attempt> {
    return { runner: this.#runner(process, store, this.#scale), handle: undefined, settled: undefined };
  }

  #runner(process: VirtualProcess, store: Store, scale: number): Runner<unknown, unknown> {
    const { plan, provider, witness } = this.#parts;
    const around = {
      process,
      scale,
      model: provider.modelFor(process),
      onWork: (path: string, operation: string | undefined, key: string) => witness.work(process, path, operation, key),
    };
    const pipeline = build(plan.body, around);
    witness.expect(process, budgetsIn(pipeline.node));
    const options: EngineOptions = { store, world: process, models: provider.modelsFor(process), lease: `${leaseMs}ms` };
    return new Runner(pipeline as never, options as never); // its state is of no concern here
  }

  #budget() {
    const { picoUsd, calls, tokens } = this.#parts.plan.limits;
    const all = {
      ...(picoUsd === undefined ? {} : { cost: `$${((picoUsd * this.#scale) / 1e12).toFixed(12)}` as Usd }),
      ...(calls === undefined ? {} : { calls: calls * this.#scale }),
      ...(tokens === undefined ? {} : { tokens: tokens * this.#scale }),
    };
    return Object.keys(all).length === 0 ? undefined : all;
  }

  #fault(): Fault {
    this.#faults--;
    const { chance } = this.#parts;
    if (chance.flip(0.6)) {
      const then = chance.pick(["die", "die", "die", "pause", "fail"] as const);
      return { kind: "at-commit", point: { commit: chance.whole(1, chance.pick([2, 6, 20])), when: chance.pick(["before", "after"]), then } };
    }
    return { kind: "at-time", ms: chance.whole(0, chance.pick([20, 500, 5_000])), then: chance.pick(["die", "die", "pause", "shut-down"]) };
  }

  async #wait(forMs: number): Promise<void> {
    await this.#parts.world.run(new Promise<void>((resolve) => void this.#driver.timer(forMs, resolve)));
  }
}

/** What a process may be told that goes on with a run others may have. */
const refusals = new Set(["lease-held", "lease-lost", "store-unavailable", "unknown-run"]);

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
