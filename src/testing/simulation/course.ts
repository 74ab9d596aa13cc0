/** The course of one simulated run: who starts and resumes it, who dies when, until it comes to stand. */
import { FlujoError } from "../../core/errors.ts";
import type { Budget, Usd } from "../../core/limits.ts";
import type { Node } from "../../core/node.ts";
import type { Path } from "../../core/paths.ts";
import { eachPlace } from "../../core/tree.ts";
import { cancelRun } from "../../engine/cancel.ts";
import type { Advanced, EngineOptions, RunHandle, RunResult } from "../../engine/options.ts";
import { Runner } from "../../engine/runner.ts";
import { undeliveredIn } from "../../events/undelivered.ts";
import type { Store } from "../../ports/store.ts";
import type { Chance } from "../chance.ts";
import { crashingStore } from "../crash-store.ts";
import { falteringStore } from "../faltering-store.ts";
import { StuckError, type VirtualProcess, type VirtualWorld } from "../virtual-world.ts";
import { budgetsIn } from "./accounts.ts";
import { type Fault, isOutage, randomFalters, randomFault } from "./faults.ts";
import { answerAt, answerFor, build, happened, type Surroundings, toolAt } from "./pipeline.ts";
import { peopleIn, type RunPlan, type Way } from "./plan.ts";
import type { Provider } from "./provider.ts";
import type { Receiver } from "./receiver.ts";
import type { Witness } from "./witness.ts";

/** The run that is simulated. Forks of it have ids of their own. */
export const runId = "simulated";
const leaseMs = 5_000;
const dayMs = 86_400_000;
/** More than any run needs: what is not done by then never will be. */
const bounds = { attempts: 200, rounds: 200_000, looks: 20 } as const;
/** So many processes have a store that does not always answer. */
const mostFaltering = 12;

export interface CourseParts {
  readonly plan: RunPlan;
  readonly world: VirtualWorld;
  readonly store: Store;
  readonly witness: Witness;
  readonly provider: Provider;
  /** Whom the run is told to, if anybody. */
  readonly receiver?: Receiver | undefined;
  readonly chance: Chance;
  /** Decides which processes advance the run for a limited time, and for how long. Default: none does. */
  readonly limits?: Chance | undefined;
  /** Decides when the stores of the first processes do not answer. Default: they always do. */
  readonly outages?: Chance | undefined;
  /** How many processes meet with a fault. 0: the course without any. */
  readonly faults: number;
  readonly latencyMs: number;
  readonly note: (what: string) => void;
  /** The fork whose course it is. Default: none; it is that of the run itself. */
  readonly fork?: { readonly runId: string; readonly at: Path } | undefined;
}

/** How the run came to stand. */
export interface End {
  readonly status: "completed" | "failed" | "cancelled";
  readonly output: unknown;
  readonly code: string | undefined;
}

type Came = RunResult<unknown> | Advanced<unknown>;
type Settled = { readonly result: Came } | { readonly error: unknown };

/** A process that was asked to advance the run. */
interface Attempt {
  readonly process: VirtualProcess;
  readonly store: Store;
  readonly runner: Runner<unknown, unknown>;
  settled: Settled | undefined;
  /** The newest fence when it settled: its process may have woken the run since. */
  fence: number;
  /** Its answer was heard. */
  heard: boolean;
}

export class Course {
  readonly #parts: CourseParts;
  /** Whoever starts, answers, tops up, and strikes: a process that lives. */
  readonly #driver: VirtualProcess;
  readonly #attempts: Attempt[] = [];
  readonly #processes: VirtualProcess[] = [];
  readonly #ways: ReadonlyMap<string, Way>;
  #faultsLeft: number;
  #scale = 1;
  #crashes = 0;

  constructor(parts: CourseParts) {
    this.#parts = parts;
    this.#ways = peopleIn(parts.plan.body);
    this.#faultsLeft = parts.faults;
    this.#driver = parts.world.process("driver");
    this.#processes.push(this.#driver);
  }

  get #runId(): string {
    return this.#parts.fork?.runId ?? runId;
  }

  /** How often a process died, was paused, was shut down, or had a commit fail. */
  get crashes(): number {
    return this.#crashes;
  }

  /** @throws StuckError */
  async run(): Promise<End> {
    this.#cancelLater();
    let raised = true; // the first attempt hands in the limits, too
    for (let n = 0; n < bounds.attempts; n++) {
      await this.#goOn(n === 0, raised);
      if (n === 1) await this.#sendEarly();
      raised = false;
      for (;;) {
        await this.#parts.world.run(() => this.#news() !== undefined || !this.#isUnderWay(), bounds);
        const news = this.#news();
        if (news === undefined) break; // dead, or paused
        const end = await this.#hear(news);
        if (end === "halted") raised = true;
        else if (end !== undefined) return end;
        if (!this.#isUnderWay()) break;
      }
    }
    throw new StuckError(`not done after ${bounds.attempts} attempts`, []);
  }

  /** Somebody who has no pipeline cancels the run. */
  #cancelLater(): void {
    const { plan, faults, store, note, witness } = this.#parts;
    if (plan.cancelAfterMs === undefined || faults === 0) return;
    this.#driver.timer(plan.cancelAfterMs, () => {
      if (witness.entries.length === 0) return; // there is no run yet
      cancelRun(store, this.#driver, this.#runId, "no longer wanted").then(
        (outcome) => note(`it is cancelled: ${outcome}`),
        (error: unknown) => note(`it is not cancelled: ${messageOf(error)}`),
      );
    });
  }

  /** The tree, as whoever looks at the run from outside has it. */
  get tree(): Node {
    return build(this.#parts.plan.body, this.#surroundings(this.#driver)).node;
  }

  /** Wakes whoever is paused and lets all that is still under way come to its end. @throws StuckError */
  async rest(): Promise<void> {
    for (const { process } of this.#attempts) process.wake();
    await this.#parts.world.run(() => !this.#isUnderWay(), bounds);
    await this.#wait(60_000);
    for (const { process, settled, heard } of this.#attempts) {
      if (!heard && process.isAlive && settled !== undefined && "error" in settled) {
        await this.#hearRefusal(process.owner, settled.error);
      }
    }
  }

  /** Ends all who took part: they would look after the forks of the run, too. */
  leave(): void {
    for (const process of this.#processes) process.kill();
  }

  /** Whoever comes next tells what is not told yet, until all is. @throws StuckError */
  async tellTheRest(): Promise<void> {
    const { receiver, store, world } = this.#parts;
    if (receiver === undefined) return;
    receiver.calmDown();
    const outbox = receiver.outboxOf(this.#driver, store);
    for (let looks = 0; looks < bounds.looks; looks++) {
      await world.run(outbox.deliver({ early: true }), bounds);
      if ((await undeliveredIn(store)).waiting.length === 0) return;
      await this.#wait(20_000); // another is about it, or was when it died
    }
    throw new StuckError("there is always more to tell the sink", []);
  }

  #isUnderWay(): boolean {
    return this.#attempts.some(
      ({ process, settled }) => settled === undefined && process.isAlive && !process.isPaused,
    );
  }

  #news(): Attempt | undefined {
    return this.#attempts.find(
      ({ settled, heard, process }) => settled !== undefined && !heard && process.isAlive,
    );
  }

  /** Somebody goes on with the run; now and then two at once. */
  async #goOn(first: boolean, raised: boolean): Promise<void> {
    const { chance, faults } = this.#parts;
    this.#enter(raised);
    if (faults === 0 || first || !chance.flip(0.15)) return;
    await this.#wait(chance.whole(0, 2_000));
    this.#enter(raised);
  }

  #enter(raised: boolean): void {
    const { chance, witness, note } = this.#parts;
    const fault = this.#faultsLeft > 0 && chance.flip(0.85) ? randomFault(chance) : undefined;
    const idle = this.#attempts.find(({ process, heard }) => process.isAlive && !process.isPaused && heard);
    const reused = fault === undefined && idle !== undefined && chance.flip() ? idle : undefined;
    const { process, store } = reused ?? this.#newProcess(fault);
    const runner = this.#runner(process, store);
    const budget = raised ? this.#budget() : undefined;
    const options = budget === undefined ? {} : { budget };
    const starts = witness.entries.length === 0 || chance.flip(0.3);
    const within = raised ? undefined : this.#limit();
    const came = (): Promise<Came> => {
      if (within !== undefined) return this.#advanced(runner, process, within);
      return (starts ? this.#begin(runner, options) : runner.resume(this.#runId, options)).result();
    };
    const attempt: Attempt = { process, store, runner, settled: undefined, fence: 0, heard: false };
    if (reused !== undefined) this.#attempts.splice(this.#attempts.indexOf(reused), 1);
    this.#attempts.push(attempt);
    const details = [budget, fault]
      .filter((detail) => detail !== undefined)
      .map((detail) => ` ${JSON.stringify(detail)}`);
    const what = within === undefined ? (starts ? "starts" : "resumes") : `advances for ${within} ms`;
    note(`${process.owner} ${what}${details.join("")}`);
    came().then(
      (result) => {
        attempt.settled = { result };
        attempt.fence = witness.fence;
      },
      (error: unknown) => {
        attempt.settled = { error };
      },
    );
    if (fault?.kind === "at-time") this.#driver.timer(fault.ms, () => this.#strike(attempt, fault.how));
  }

  /** Runs that are to be gone on with for all that stands in their way, and those that have come to stand, need more than this. */
  #limit(): number | undefined {
    const { limits, witness } = this.#parts;
    const { status } = witness.record();
    if (limits === undefined || (status !== "running" && status !== "waiting")) return undefined;
    return limits.flip(0.7) ? limits.pick([2_000, 5_000, 12_000, 60_000]) : undefined;
  }

  /** Whoever is called for a limited time has come back by then, unless it stood still meanwhile. */
  async #advanced(
    runner: Runner<unknown, unknown>,
    process: VirtualProcess,
    within: number,
  ): Promise<Advanced<unknown>> {
    const { world, witness } = this.#parts;
    const crashes = this.#crashes;
    const began = world.now();
    try {
      return await runner.advance(this.#runId, { within: `${within}ms` });
    } finally {
      const took = world.now() - began;
      if (took > within && crashes === this.#crashes)
        witness.say(`${process.owner} took ${took} ms of ${within}`);
    }
  }

  #begin(runner: Runner<unknown, unknown>, options: { readonly budget?: Budget }): RunHandle<unknown> {
    const { fork } = this.#parts;
    return fork === undefined
      ? runner.start("input", { runId, ...options })
      : runner.fork(runId, { ...fork, ...options });
  }

  #newProcess(fault: Fault | undefined): Pick<Attempt, "process" | "store"> {
    const { world, chance, store: kept, latencyMs } = this.#parts;
    if (fault !== undefined) this.#faultsLeft--;
    const process = world.process("p", chance.pick(["here", "there"]));
    this.#processes.push(process);
    const crash = fault?.kind === "at-commit" ? fault.point : undefined;
    const { outages } = this.#parts;
    const isFaltering = outages !== undefined && this.#processes.length <= mostFaltering;
    const reached = isFaltering ? falteringStore(kept, randomFalters(outages)) : kept;
    const onCrash = (): void => {
      this.#struck(`${process.owner}: ${crash?.how} ${crash?.when} commit ${crash?.commit}`);
      if (crash?.how === "pause") this.#wakeLater(process);
    };
    return { process, store: crashingStore(reached, { process, crash, latencyMs, onCrash }) };
  }

  #strike({ process, runner, settled }: Attempt, how: "die" | "pause" | "shut-down"): void {
    if (!process.isAlive || settled !== undefined) return;
    this.#struck(`${process.owner}: ${how}`);
    if (how === "die") process.kill();
    else if (how === "shut-down") void runner[Symbol.asyncDispose]();
    else {
      process.pause();
      this.#wakeLater(process);
    }
  }

  #struck(what: string): void {
    this.#crashes++;
    this.#parts.note(what);
  }

  /** Before its lease ends, or long after. */
  #wakeLater(process: VirtualProcess): void {
    this.#driver.timer(this.#parts.chance.whole(0, 3 * leaseMs), () => {
      if (process.isPaused) this.#parts.note(`${process.owner} wakes`);
      process.wake();
    });
  }

  /** Every attempt has a runner of its own: limits in the tree grow when the run halts. */
  #runner(process: VirtualProcess, store: Store): Runner<unknown, unknown> {
    const { plan, provider, witness, receiver, fork } = this.#parts;
    const pipeline = build(plan.body, this.#surroundings(process));
    witness.expect(process, budgetsIn(pipeline.node));
    const options: EngineOptions<never> = {
      store,
      world: process,
      models: provider.modelsFor(process),
      lease: `${leaseMs}ms`,
      takeOver: fork === undefined, // whoever lives a fork lets the run it comes from be
      ...(receiver === undefined ? {} : { listeners: [receiver.outboxOf(process, store)] }),
    };
    return new Runner(pipeline, options);
  }

  #surroundings(process: VirtualProcess): Surroundings {
    const { provider, witness } = this.#parts;
    return {
      process,
      scale: this.#scale,
      model: provider.modelFor(process),
      onWork: (path, operation, key) => witness.work(process, path, operation, key),
      onUndo: (path, undo) => witness.undo(path, undo),
      onTool: (path, key, twice) => witness.tool(process, path, key, twice),
    };
  }

  #budget(): Budget | undefined {
    const { picoUsd, calls, tokens } = this.#parts.plan.limits;
    const picoDigits = 12;
    const dollars = ((picoUsd ?? 0) * this.#scale) / 10 ** picoDigits;
    const all: Budget = {
      ...(picoUsd === undefined ? {} : { cost: `$${dollars.toFixed(picoDigits)}` as Usd }), // a number behind its sign
      ...(calls === undefined ? {} : { calls: calls * this.#scale }),
      ...(tokens === undefined ? {} : { tokens: tokens * this.#scale }),
    };
    return Object.keys(all).length === 0 ? undefined : all;
  }

  /** The end of the run, or `halted`, or nothing: it goes on. */
  async #hear(attempt: Attempt): Promise<End | "halted" | undefined> {
    const { witness, note } = this.#parts;
    const { owner } = attempt.process;
    const settled = attempt.settled as Settled; // it has news
    attempt.heard = true;
    if ("error" in settled) {
      await this.#hearRefusal(owner, settled.error);
      return undefined;
    }
    const { result } = settled;
    if (result.status === "running") {
      note(`${owner} hands the run over`);
      if (result.until !== undefined)
        await this.#wait(Math.max(0, result.until.getTime() - this.#parts.world.now()));
      return undefined;
    }
    note(`${owner} reports ${result.status}${"error" in result ? `: ${result.error.message}` : ""}`);
    const isOldNews = [witness.fenceOf(attempt.process), attempt.fence].some((one) => one !== witness.fence);
    if (isOldNews && result.status !== "completed") return undefined;
    await this.#compare(result);
    switch (result.status) {
      case "completed":
        return { status: result.status, output: result.output, code: undefined };
      case "failed":
      case "cancelled":
        return { status: result.status, output: undefined, code: result.error.code };
      case "halted":
        this.#scale *= 2;
        return result.status;
      case "waiting":
        await this.#attend(result);
        return undefined;
    }
  }

  async #hearRefusal(owner: string, error: unknown): Promise<void> {
    const { witness, note, chance } = this.#parts;
    const code = FlujoError.isInstance(error) ? error.code : isOutage(error) ? "outage" : "no Flujo error";
    note(`${owner} is refused: ${code}`);
    if (!refusals.has(code)) witness.say(`${owner} was refused with ${code}: ${messageOf(error)}`);
    // Whoever has it died a moment ago, or is a process that woke the run by itself and has long work to do.
    if (code === "lease-held" && !this.#isUnderWay()) await this.#wait(chance.whole(1, 12 * leaseMs));
  }

  /** Answers what is asked, sends what is waited for; where there is nothing to do, lets time pass. */
  async #attend({ signals, until }: Extract<RunResult<unknown>, { status: "waiting" }>): Promise<void> {
    const { chance, world } = this.#parts;
    const silent = signals.filter((path) => this.#isSilent(path));
    for (const path of signals) if (!silent.includes(path)) await this.#answer(path);
    if (silent.length < signals.length || until === undefined) return;
    await this.#wait(Math.max(0, until.getTime() - world.now()) + chance.pick([0, 1, 60_000, 3 * dayMs]));
  }

  /** Whether nobody answers there now. */
  #isSilent(path: string): boolean {
    const record = this.#parts.witness.record();
    const question = record.questions.get(path)?.at(-1);
    if (question?.asks === "outcome") return false;
    const way = this.#ways.get(toolAt(path) || path.slice(path.lastIndexOf("/") + 1));
    if (way === "default" || way === "fails") return true;
    return way === "escalates" && (record.awaited.get(path) ?? question)?.round === 0;
  }

  async #answer(path: string): Promise<void> {
    const { witness, chance } = this.#parts;
    const record = witness.record();
    const asks = record.questions.get(path)?.at(-1)?.asks;
    if (record.awaited.get(path)?.kind === "signal") {
      if (chance.flip(0.3) && (await this.#send(path, { happened: "not" })))
        witness.say(`an event that does not fit was taken at ${path}`);
      for (let times = chance.whole(1, 2); times > 0; times--) await this.#send(path, happened);
      return;
    }
    await this.#send(path, asks === undefined ? answerAt(path) : answerFor(asks, path));
    const again = { approved: false, note: "too late" };
    if (asks === undefined && chance.flip(0.3) && (await this.#send(path, again)))
      witness.say(`a second answer was taken at ${path}`);
  }

  /** Some of what the run will wait for is sent before it does. */
  async #sendEarly(): Promise<void> {
    const { chance, store } = this.#parts;
    if ((await store.read(this.#runId, 0, 1)) === undefined) return;
    const paths: string[] = [];
    eachPlace(this.tree, "", (place, path) => {
      if (place.kind === "waitFor" && chance.flip(0.5)) paths.push(path);
    });
    for (const path of paths) await this.#send(path, happened);
  }

  /** Whether it was taken. */
  async #send(path: string, what: unknown): Promise<boolean> {
    const { world, store, note } = this.#parts;
    const sent = this.#runner(this.#driver, store).signal(this.#runId, path, what);
    return world.run(
      sent.then(
        () => true,
        (error: unknown) => {
          note(`refused at ${path}: ${messageOf(error)}`);
          return false;
        },
      ),
    );
  }

  /** What the engine reports, and what the store lists, is what the journal says. */
  async #compare(result: RunResult<unknown>): Promise<void> {
    const { witness, store } = this.#parts;
    const { status, spent } = witness.record();
    const [listed] = await store.list({ idPrefix: this.#runId });
    const claim = (whose: string, what: unknown, truth: unknown): void => {
      if (what !== truth) witness.say(`${whose} ${String(what)}, and the journal says ${String(truth)}`);
    };
    claim("the engine reports", result.status, status);
    claim("the store lists", listed?.status, status);
    claim("the store lists pico-dollars:", listed?.picoUsd, String(spent.picoUsd));
    for (const field of ["picoUsd", "inputTokens", "outputTokens", "calls"] as const) {
      claim(`the engine reports ${field}:`, result.spent[field], spent[field]);
    }
  }

  async #wait(forMs: number): Promise<void> {
    const passed = new Promise<void>((resolve) => void this.#driver.timer(forMs, resolve));
    await this.#parts.world.run(passed, { ms: forMs + 1 });
  }
}

/** What a process may be told that goes on with a run which others may have, or may have begun. */
const refusals = new Set([
  ...["lease-held", "lease-lost", "out-of-time", "outage", "store-unavailable", "unknown-run"],
]);

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
