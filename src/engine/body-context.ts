import type { LanguageModelV4 } from "@ai-sdk/provider";
import { ask } from "../budget/ledger.ts";
import { fixedPrice } from "../core/balance.ts";
import type {
  Continuable,
  EmbedRequest,
  Errand,
  ErrandTerms,
  GenerateRequest,
  Grant,
  ImageRequest,
  ModelOptions,
  PaidContext,
  PaidOptions,
  Quote,
  Receipt,
  Remaining,
  Spending,
} from "../core/context.ts";
import { type Duration, milliseconds } from "../core/duration.ts";
import { recordError } from "../core/error-record.ts";
import { BudgetExceededError, InvalidOptionError, TimeoutError } from "../core/errors.ts";
import { sha256 } from "../core/fingerprint.ts";
import type { Awaitable } from "../core/json.ts";
import { picoUsd, type Usd } from "../core/limits.ts";
import { attemptPath, isOperationOf, type Path } from "../core/paths.ts";
import type { Schema } from "../core/schema.ts";
import type { Patch } from "../core/state.ts";
import type { Models } from "../ports/models.ts";
import { type Attempt, decided, durable } from "./durable.ts";
import { errand } from "./errand.ts";
import { watched } from "./footprint.ts";
import type { Frame } from "./frame.ts";
import { instrumented } from "./instrumented.ts";
import { Interruption } from "./interruption.ts";
import { checkedMoment, slept } from "./nodes/pause.ts";
import { OperationNames } from "./operation-names.ts";
import { paid } from "./paid.ts";
import { remainingIn } from "./remaining.ts";
import { Draft } from "./state-scope.ts";
import { open } from "./values.ts";

/** The context one attempt of a body is handed. */
export class BodyContext implements PaidContext<Record<string, unknown>>, Attempt {
  readonly path: Path;
  readonly number: number;
  readonly freshFrom: number;
  readonly #frame: Frame;
  /** What the operations' paths begin with: the step's path, and for fresh attempts their number. */
  readonly #prefix: Path;
  /** Made when first needed: most bodies leave the state alone. */
  #changed: Draft | undefined;
  readonly #names: OperationNames;
  #over = false;
  #suspended: Interruption | undefined;
  readonly settings: object;

  constructor(frame: Frame, path: Path, attempt: number, prefix: Path, settings: object) {
    this.settings = settings;
    this.#frame = frame;
    this.path = path;
    this.number = attempt;
    this.freshFrom = frame.freshFrom;
    this.#prefix = prefix;
    this.#names = new OperationNames(prefix);
  }

  get tenure(): Frame["tenure"] {
    return this.#frame.tenure;
  }
  get runId(): string {
    return this.tenure.runId;
  }
  get attempt(): number {
    return this.number;
  }
  get signal(): AbortSignal {
    return this.#frame.stop.signal;
  }
  get models(): object | undefined {
    return this.tenure.models;
  }
  get idempotencyKey(): string {
    return keyOf(this.runId, this.path);
  }
  get state(): Readonly<Record<string, unknown>> {
    const { footprint } = this.#frame;
    const view = this.#draft.view();
    return footprint === undefined ? view : watched(view, footprint);
  }

  set(patch: object): void {
    this.#checkOpen();
    for (const field of Object.keys(patch)) this.#frame.footprint?.noteWritten(field);
    this.#draft.set(patch);
  }

  update(field: string, change: (current: never) => unknown): void {
    this.#checkOpen();
    this.#frame.footprint?.noteRead(field);
    this.#frame.footprint?.noteWritten(field);
    this.#draft.set({ [field]: change(this.#draft.view()[field] as never) }); // the field's type is the author's
  }

  async run<T>(name: string, work: (signal: AbortSignal) => Awaitable<T>): Promise<T> {
    const path = this.#undertaking(name);
    const json = await durable(this, path, "operation", async () =>
      this.#frame.stop.race(() => instrumented(this.tenure, path, () => work(this.signal))),
    );
    return (await open(json, this.tenure.store)) as T; // what was recorded is what `work` returned
  }

  async paid<T>(
    name: string,
    quote: Quote | Continuable,
    call: (grant: Grant) => Promise<Receipt<T>>,
    options: PaidOptions = {},
  ): Promise<T> {
    const path = this.#undertaking(name);
    const { scopes, stop } = this.#frame;
    const { after } = options;
    if (after !== undefined) {
      await stop.race(() => after);
      this.#checkOpen();
    }
    const key = keyOf(this.runId, path);
    const earlier = this.#earlier(path);
    const json = await this.#heeded(
      paid(this, { ...options, path, quote, call, scopes, stop, key, earlier }),
    );
    return (await open(json, this.tenure.store)) as T; // as in run()
  }

  async spend(name: string, amount: Usd, work?: (spending: Spending) => Awaitable<unknown>): Promise<never> {
    const fee = picoUsd(amount);
    const quote = fixedPrice("spend", name, fee);
    const call = async ({ signal, idempotencyKey }: Grant): Promise<Receipt<unknown>> => {
      let cost = fee;
      const costs = (actual: Usd): void => {
        cost = picoUsd(actual);
      };
      const value = await work?.({ signal, idempotencyKey, costs });
      return { value, picoUsd: cost, inputTokens: 0, outputTokens: 0 };
    };
    const reported = work === undefined ? { ...quote, reported: true as const } : quote;
    return (await this.paid(name, reported, call)) as never; // overloads hold the type
  }

  async errand<T>(name: string, terms: ErrandTerms, body: (errand: Errand) => Promise<T>): Promise<T> {
    const path = this.#undertaking(name);
    const { stop, scopes } = this.#frame;
    const key = keyOf(this.runId, path);
    const isEarlier = (other: Path): boolean =>
      isOperationOf(other, this.path, name) && !other.startsWith(`${this.#prefix}:`);
    const json = await this.#heeded(errand(this, { path, stop, scopes, isEarlier, key, terms }, body));
    return (await open(json, this.tenure.store)) as T; // as in run()
  }

  async decide<T>(name: string, choose: () => T): Promise<T> {
    const json = await decided(this, this.#operation(name), choose);
    return (await open(json, this.tenure.store)) as T; // as in run()
  }

  remaining(): Remaining {
    return remainingIn(this.#frame.scopes);
  }

  affords(quote: Quote): boolean {
    return ask(this.#frame.scopes, quote, this.tenure.world.now()).verdict !== "refused";
  }

  async unlessFailed<T>(
    name: string,
    other: string,
    work: () => Promise<T>,
  ): Promise<{ readonly value: T } | undefined> {
    const { run, journal } = this.tenure;
    const [path, to] = [this.#names.next(name), this.#names.next(other)];
    if (run.abandoned.has(path)) return undefined;
    try {
      return { value: await work() };
    } catch (error) {
      if (error instanceof Interruption || error instanceof BudgetExceededError || this.#over) throw error;
      this.#frame.stop.check();
      journal.put({ type: "fallback-taken", path, to, error: recordError(error, path) });
      await journal.sync();
      return undefined;
    }
  }

  async generate(name: string, request: GenerateRequest & { readonly output?: Schema }): Promise<never> {
    return (await this.#modelsFor("generate").generate(this, name, request)) as never; // overloads hold the type
  }

  async embed(name: string, request: EmbedRequest): Promise<never> {
    return (await this.#modelsFor("embed").embed(this, name, request)) as never; // as in generate()
  }

  async generateImage(name: string, request: ImageRequest): Promise<never> {
    return (await this.#modelsFor("generateImage").generateImage(this, name, request)) as never; // as in generate()
  }

  model(id: string | object, options?: ModelOptions): LanguageModelV4 {
    return this.#modelsFor("model").model(this, id, options);
  }

  #modelsFor(method: string): Models {
    this.#checkOpen();
    const { models } = this.tenure;
    if (models !== undefined) return models;
    throw new InvalidOptionError(`${this.path} calls ctx.${method}, and this engine was given no models`, {
      path: this.path,
    });
  }

  async sleep(name: string, duration: Duration): Promise<void> {
    const ms = milliseconds(duration);
    await this.#rest(name, () => this.tenure.world.now() + ms);
  }

  async sleepUntil(name: string, moment: Date): Promise<void> {
    await this.#rest(name, () => checkedMoment(moment.getTime()));
  }

  async #rest(name: string, end: () => number): Promise<void> {
    await this.#heeded(slept(this.#operation(name), end, this.#frame));
  }

  /** What an operation comes to. One that has to be waited for is remembered, whatever the body makes of it. */
  async #heeded<T>(operation: Promise<T>): Promise<T> {
    try {
      return await operation;
    } catch (error) {
      if (error instanceof Interruption && error.why === "suspended") this.#suspended = error;
      throw error;
    }
  }

  /** @throws the body waits for something: whatever it has made of that, nothing of it is its result. */
  checkAwake(): void {
    if (this.#suspended !== undefined) throw this.#suspended;
  }

  isOver(): boolean {
    return this.#over;
  }

  /** Ends the attempt: from now on nothing it does is written. */
  end(): void {
    this.#over = true;
  }

  /** The state changes of this attempt. */
  changes(): Patch | undefined {
    return this.#changed?.patch(this.path);
  }

  get #draft(): Draft {
    this.#changed ??= new Draft(this.#frame.state, this.path);
    return this.#changed;
  }

  /** Where an operation stood in the attempts before, newest first. */
  #earlier(path: Path): Path[] {
    if (this.#prefix === this.path) return []; // at the same path
    const operation = path.slice(this.#prefix.length);
    return Array.from(
      { length: this.number - 1 },
      (_, i) => attemptPath(this.path, this.number - 1 - i) + operation,
    );
  }

  #operation(name: string): Path {
    this.#checkOpen();
    this.#checkHere(() => this.tenure.checkStaying());
    return this.#names.take(name);
  }

  /** One that takes its time. */
  #undertaking(name: string): Path {
    const path = this.#operation(name);
    if (!this.tenure.run.completed.has(path)) this.#checkHere(() => this.tenure.checkFitting(path));
    return path;
  }

  /** @throws the process lets the run go: what begins now is left to whoever goes on with it. */
  #checkHere(isStaying: () => void): void {
    try {
      isStaying();
    } catch (left) {
      this.#suspended = left as Interruption; // nothing else is thrown there
      throw left;
    }
  }

  #checkOpen(): void {
    this.#frame.stop.check();
    this.checkAwake();
    if (this.#over) {
      throw new TimeoutError(`this attempt of ${this.path} is over: nothing it does now is recorded`, {
        path: this.path,
      });
    }
  }
}

export const keyOf = (runId: string, path: Path): string =>
  `flujo-${sha256(`${runId} ${path}`).slice(0, 32)}`;
