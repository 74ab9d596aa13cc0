import type { LanguageModelV4 } from "@ai-sdk/provider";
import type {
  Continuable,
  EmbedRequest,
  ErrandTerms,
  GenerateRequest,
  ImageRequest,
  ModelOptions,
  PaidContext,
  PaidOptions,
  Quote,
  Remaining,
} from "../../core/context.ts";
import { reviveError } from "../../core/error-record.ts";
import { InvalidOptionError } from "../../core/errors.ts";
import type { Path } from "../../core/paths.ts";
import type { Schema } from "../../core/schema.ts";
import type { Patch } from "../../core/state.ts";
import type { Models } from "../../ports/models.ts";
import { keyOf } from "../body-context.ts";
import type { Frame } from "../frame.ts";
import { OperationNames } from "../operation-names.ts";
import { wholeOf } from "../said.ts";
import { Draft } from "../state-scope.ts";
import type { Tenure } from "../tenure.ts";
import { open } from "../values.ts";
import type { Delivery } from "./delivery.ts";

/** Who hears what a body asks for. */
export interface Asker {
  operation(path: Path, kind: string): void;
  call(path: Path, quote: Quote): void;
}

/** One attempt that is walked again. */
export interface Walked {
  readonly frame: Frame;
  readonly path: Path;
  readonly number: number;
  readonly prefix: Path;
  readonly settings: object;
  readonly delivery: Delivery;
  readonly asker: Asker;
}

/**
 * The context of a body that is walked again. Every operation is answered from the record: nothing in here could call
 * the work, the model or the tool that is handed to it.
 */
export class WalkedContext implements PaidContext<Record<string, unknown>> {
  readonly signal: AbortSignal = new AbortController().signal;
  readonly #walked: Walked;
  readonly #names: OperationNames;
  readonly #draft: Draft;

  constructor(walked: Walked) {
    this.#walked = walked;
    this.#names = new OperationNames(walked.prefix);
    this.#draft = new Draft(walked.frame.state, walked.path);
  }

  get path(): Path {
    return this.#walked.path;
  }
  get runId(): string {
    return this.#tenure.runId;
  }
  get attempt(): number {
    return this.#walked.number;
  }
  get models(): object | undefined {
    return this.#tenure.models;
  }
  get idempotencyKey(): string {
    return keyOf(this.runId, this.path);
  }
  get settings(): object {
    return this.#walked.settings;
  }
  get state(): Readonly<Record<string, unknown>> {
    return this.#draft.view();
  }

  set(patch: object): void {
    this.#draft.set(patch);
  }
  update(field: string, change: (current: never) => unknown): void {
    this.#draft.set({ [field]: change(this.#draft.view()[field] as never) }); // the field's type is the author's
  }

  run<T>(name: string): Promise<T> {
    return this.#recorded(this.#names.take(name), "operation");
  }
  async paid<T>(
    name: string,
    quote: Quote | Continuable,
    _call: unknown,
    { after }: PaidOptions = {},
  ): Promise<T> {
    const path = this.#names.take(name);
    await after;
    const asked = "request" in quote ? quote.quote("") : quote;
    const { kind = "model-call" } = asked;
    if (kind === "model-call") this.#walked.asker.call(path, asked);
    return this.#recorded(path, kind);
  }
  spend(name: string): Promise<never> {
    return this.#recorded(this.#names.take(name), "spend");
  }
  errand<T>(name: string, _terms: ErrandTerms): Promise<T> {
    return this.#recorded(this.#names.take(name), "tool-call");
  }
  decide<T>(name: string): Promise<T> {
    return this.#recorded(this.#names.take(name), "decision");
  }
  async sleep(name: string): Promise<void> {
    const path = this.#names.take(name);
    this.#walked.asker.operation(path, "sleep");
    await this.#walked.delivery.take(path);
  }
  /** The moment is taken as recorded: bodies reckon it from the clock. */
  sleepUntil(name: string): Promise<void> {
    return this.sleep(name);
  }

  /** What was left is what was decided by it: nothing is known of it but those decisions. */
  remaining(): Remaining {
    return {};
  }
  affords(): boolean {
    return true;
  }
  async unlessFailed<T>(
    name: string,
    _other: string,
    work: () => Promise<T>,
  ): Promise<{ readonly value: T } | undefined> {
    if (this.#tenure.run.abandoned.has(this.#names.next(name))) return undefined;
    return { value: await work() };
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

  /** The state changes of this walk. */
  changes(): Patch | undefined {
    return this.#draft.patch(this.path);
  }

  get #tenure(): Tenure {
    return this.#walked.frame.tenure;
  }

  async #recorded<T>(path: Path, kind: string): Promise<T> {
    const { delivery, asker } = this.#walked;
    asker.operation(path, kind);
    await delivery.take(path);
    const { run, store, runId } = this.#tenure;
    const done = run.completed.get(path);
    if (done !== undefined) return (await open(await wholeOf(done, this.#tenure), store)) as T; // as the body had it
    const failed = run.failures.get(path);
    throw failed === undefined
      ? new InvalidOptionError(`${path} has no recorded end`) // never: it was delivered
      : reviveError(failed.error, runId);
  }

  #modelsFor(method: string): Models {
    const { models } = this.#tenure;
    if (models !== undefined) return models;
    throw new InvalidOptionError(`${this.path} calls ctx.${method}, and this engine was given no models`, {
      path: this.path,
    });
  }
}
