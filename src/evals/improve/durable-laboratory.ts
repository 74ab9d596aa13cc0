/**
 * The laboratory over Flujo: each trial is a run of its own of the pipeline under a candidate, each reflection a call of a model,
 * and all of it is recorded in the run that searches. So nothing is tried, asked or paid for twice.
 */
import { hash } from "node:crypto";
import type { PaidContext } from "../../core/context.ts";
import { BudgetExceededError, FlujoError } from "../../core/errors.ts";
import type { PicoUsd } from "../../core/limits.ts";
import type { Path } from "../../core/paths.ts";
import { archiveOf } from "../../engine/archive.ts";
import { Interruption } from "../../engine/interruption.ts";
import type { Case } from "../dataset/case.ts";
import { conduct, type TrialOptions, trialRunId } from "../experiment/experiment.ts";
import { journalOf } from "../experiment/journal.ts";
import type { TrialRecord } from "../experiment/record.ts";
import { type ScoringContext, textOf } from "../scorers/scorer.ts";
import { type Candidate, fieldsAt } from "./candidate.ts";
import type { Laboratory, Outcome, Proposal, ReflectionRequest } from "./laboratory.ts";
import { readProposals, reflectionMessages } from "./reflection.ts";
import { tracesOf } from "./traces.ts";
import { type Bill, undisturbed } from "./undisturbed.ts";

export interface DurableLaboratoryOptions extends Omit<TrialOptions, "overlay"> {
  /** How many trials at once. */
  readonly concurrency: number;
  /** Who is asked for better texts: absent, nobody is. */
  readonly reflector?: string | object | undefined;
  /** The places whose traces are kept, of these cases. */
  readonly places: readonly Path[];
  readonly traced: ReadonlySet<string>;
  /** Called when a trial is over. */
  readonly onTrial?: (() => void) | undefined;
}

/** What a reflection may take at most, in tokens: room to think, and for the whole value anew, a token for two characters of it. */
const roomToThink = 4_096;
const longestReflection = ({ values, place, field }: ReflectionRequest): number =>
  roomToThink + Math.ceil(textOf(fieldsAt(values, place)[field] ?? "").length / 2);

export class DurableLaboratory implements Laboratory {
  readonly #ctx: PaidContext;
  readonly #options: DurableLaboratoryOptions;
  readonly #outcomes = new Map<string, Promise<Outcome>>();
  readonly #waiting: (() => void)[] = [];
  #busy = 0;
  /** Why no trial is begun any more. */
  #end: { readonly error: unknown } | undefined;
  #trials: { readonly count: number; readonly bill: Bill } = { count: 0, bill: nothing };

  /** @param ctx of the body that searches: what is recorded there is asked for no more. */
  constructor(ctx: PaidContext, options: DurableLaboratoryOptions) {
    this.#ctx = ctx;
    this.#options = options;
  }

  /** What trials have cost so far, judges left out: their calls are the searching run's own. */
  get trials(): { readonly count: number; readonly bill: Bill } {
    return this.#trials;
  }

  async try(candidate: Candidate, cases: readonly Case[], trial: number): Promise<readonly Outcome[]> {
    const outcomes = cases.map((one) => this.#outcome(candidate, one, trial));
    await Promise.allSettled(outcomes); // what others have begun is let finish, and kept
    return Promise.all(outcomes);
  }

  async reflect(request: ReflectionRequest): Promise<readonly Proposal[]> {
    const { reflector } = this.#options;
    if (reflector === undefined) return [];
    const { candidate, place, field, kind, seed } = request;
    const mark = digest(JSON.stringify([place, field, kind, seed]));
    const { system, prompt } = reflectionMessages(request);
    try {
      const text = await this.#ctx.generate(`reflect.${candidate.id}.${mark}`, {
        ...{ model: reflector, system, prompt, maxOutputTokens: longestReflection(request) },
      });
      return readProposals(text, request);
    } catch (error) {
      if (error instanceof Interruption || error instanceof BudgetExceededError) throw error;
      if (this.#ctx.signal.aborted || !FlujoError.isInstance(error)) throw error;
      return [{ patch: null, note: `the reflector failed: ${error.message}`, by: "reflection" }];
    }
  }

  #outcome(candidate: Candidate, one: Case, trial: number): Promise<Outcome> {
    const name = `${candidate.id}.${safe(one.id)}.${trial}`;
    const known = this.#outcomes.get(name);
    if (known !== undefined) return known;
    const outcome = this.#inTurn(() => this.#tried(name, candidate, one, trial));
    this.#outcomes.set(name, outcome);
    return outcome;
  }

  async #tried(name: string, candidate: Candidate, one: Case, trial: number): Promise<Outcome> {
    const { flujo, store, scorers, scopes = [], places, traced } = this.#options;
    const ctx = named(this.#ctx, name);
    const runId = trialRunId(`${this.#ctx.runId}.${candidate.id}`, { case: one, trial });
    const options = { flujo, store, scorers, scopes, overlay: candidate.patch };
    const record = await conduct({ case: one, trial }, runId, ctx, options);
    const seen = await ctx.run("seen", async () => {
      const archive = archiveOf(store);
      const entries = await journalOf(archive, runId);
      const { picoUsd, largestHold } = undisturbed(entries);
      const isTraced = traced.has(one.id) && record.score < 1;
      const traces = isTraced ? await tracesOf(entries, places, ({ hash }) => archive.blob(hash)) : {};
      return { picoUsd: `${picoUsd}`, largestHold: `${largestHold}`, traces };
    });
    this.#charge(BigInt(seen.picoUsd), BigInt(seen.largestHold));
    this.#options.onTrial?.();
    return {
      caseId: one.id,
      score: record.score,
      feedback: feedbackOf(record),
      traces: seen.traces,
      picoUsd: seen.picoUsd,
      ...(record.output === undefined ? {} : { output: record.output }),
    };
  }

  #charge(picoUsd: PicoUsd, hold: PicoUsd): void {
    const { count, bill } = this.#trials;
    const largestHold = hold > bill.largestHold ? hold : bill.largestHold;
    this.#trials = { count: count + 1, bill: { picoUsd: bill.picoUsd + picoUsd, largestHold } };
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy >= this.#options.concurrency)
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#busy += 1;
    try {
      if (this.#end !== undefined) throw this.#end.error;
      return await work();
    } catch (error) {
      this.#end ??= { error };
      throw error;
    } finally {
      const next = this.#waiting.shift(); // its turn is handed over
      if (next === undefined) this.#busy -= 1;
      else next();
    }
  }
}

const nothing: Bill = { picoUsd: 0n, largestHold: 0n };

/** The context with operations of names of their own: trials go on side by side, and end in any order. */
function named(ctx: PaidContext, name: string): ScoringContext {
  return {
    signal: ctx.signal,
    run: (operation, work) => ctx.run(`${name}.${operation}`, work),
    embed: ((operation: string, request: never) =>
      ctx.embed(`${name}.${operation}`, request)) as ScoringContext["embed"], // overloads, handed on as they came
    generate: ((operation: string, request: never) =>
      ctx.generate(`${name}.${operation}`, request)) as ScoringContext["generate"], // as above
  };
}

function feedbackOf({ status, error, scores }: TrialRecord): string {
  const said = scores.map(({ feedback }) => feedback).filter((feedback) => feedback !== "");
  if (status !== "completed") said.push(`The run did not complete (${status}): ${error?.message ?? ""}`);
  return said.join("\n");
}

const digest = (text: string): string => hash("sha256", text).slice(0, 16);

/** As a part of an operation's name. */
const safe = (id: string): string => (/^[\w-]{1,64}$/.test(id) ? id : digest(id));
