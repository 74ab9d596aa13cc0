import type { LanguageModelV4, SharedV4ProviderOptions } from "@ai-sdk/provider";
import type { Approval } from "./approval.ts";
import type { Duration } from "./duration.ts";
import type { SentMessage } from "./entries.ts";
import type { Awaitable } from "./json.ts";
import type { PicoUsd, Usd } from "./limits.ts";
import type { RetryTerms } from "./node.ts";
import type { Path } from "./paths.ts";
import type { Schema, SchemaOutput } from "./schema.ts";
import type { Piece } from "./streamed.ts";
import type { Terms, Words } from "./waiting.ts";

/** What `ctx.generate` asks of a model. */
export interface GenerateRequest {
  /** `"provider:model"`, as `"openai:gpt-4o-mini"`, or an AI SDK language model. */
  readonly model: string | object;
  readonly prompt: string;
  readonly system?: string;
  /** The most tokens the answer may have. Default 4,096; a budget may shrink it. */
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  /** The answer comes in pieces, each an event of the run as soon as it is there. Default false. */
  readonly stream?: boolean;
  /**
   * When a streamed answer is cut in the middle: ask for all of it again, or send the model what it had said and have
   * it go on. A value of a schema is asked for again in any case. Default `"repeat"`.
   */
  readonly onCut?: "repeat" | "continue";
}

/** What `ctx.embed` asks of an embedding model. */
export interface EmbedRequest<Values extends string | readonly string[] = string | readonly string[]> {
  /** `"provider:model"`, as `"openai:text-embedding-3-small"`, or an AI SDK embedding model. */
  readonly model: string | object;
  /** A text, or texts: as many as you like, they are sent in batches as the model takes them. */
  readonly values: Values;
  /** Numbers in a vector, of models that can make it shorter. Default: the model's own. */
  readonly dimensions?: number;
  /** Handed to the provider as it is: `{ google: { taskType: "RETRIEVAL_DOCUMENT" } }`. */
  readonly providerOptions?: ProviderOptions;
}

/** What `ctx.generateImage` asks of an image model. */
export interface ImageRequest<Count extends number | undefined = number | undefined> {
  /** `"provider:model"`, as `"openai:gpt-image-1"`, or an AI SDK image model. */
  readonly model: string | object;
  readonly prompt: string;
  /** How many images, from 1 to 1,000: then they come as a list. Each counts at the whole price. Default: one, by itself. */
  readonly n?: Count;
  /** In pixels, as `"1024x1024"`. Default: the provider's. */
  readonly size?: `${number}x${number}`;
  /** `"16:9"`, of models that take no size. Default: the provider's. */
  readonly aspectRatio?: `${number}:${number}`;
  /** Of models that take one. Where `n` images take several calls, each further call has the next number. */
  readonly seed?: number;
  /** Handed to the provider as it is: `{ openai: { quality: "low" } }`. */
  readonly providerOptions?: ProviderOptions;
}

/** An image as it came. It goes into a prompt as it is: `{ type: "file", ...image }`. */
export interface GeneratedImage {
  readonly data: Uint8Array;
  /** By the image's first bytes: `"image/png"`; `"application/octet-stream"` when they say nothing. */
  readonly mediaType: string;
}

type ProviderOptions = SharedV4ProviderOptions;

/** How `ctx.model` goes by in the journal. */
export interface ModelOptions {
  /** The name of its calls, numbered in the order they are made. Default: the model's, without its provider. */
  readonly name?: string;
}

/**
 * What a body is handed. `run`, `generate`, `embed`, `generateImage`, `model`, `sleep` and `sleepUntil` are durable
 * operations: each is recorded under the step's own path, so a crash inside a step resumes inside it. Give each a name of its
 * own; a repeated name is numbered in the order of use, so a body must call its operations in the same order each time it runs.
 */
export interface Context<State = unknown, Settings = object> {
  readonly runId: string;
  readonly path: Path;
  /** From 1. */
  readonly attempt: number;
  /** Fires when the attempt is to stop: timeout, cancellation, a sibling's failure, a halt, a lost lease. */
  readonly signal: AbortSignal;
  /** The run's shared memory as this attempt sees it, its own changes included. Frozen: change it with `set` or `update`. */
  readonly state: Readonly<State>;
  /** What the step declares as its settings, as they are now: an overlay can change them. */
  readonly settings: Settings;
  /** Stable across attempts and restarts: hand it to services that deduplicate. */
  readonly idempotencyKey: string;
  /** Changes fields of the state; committed together with the step's output, or not at all. */
  set(patch: Partial<State>): void;
  /** Changes one field from its present value. */
  update<Field extends keyof State>(field: Field, change: (current: State[Field]) => State[Field]): void;
  /** Runs `work` once: recorded, its result is returned from then on without running it again. */
  run<T>(name: string, work: (signal: AbortSignal) => Awaitable<T>): Promise<T>;
  /** One model call, inside the budget; text, or a value of the `output` schema. */
  generate<S extends Schema>(
    name: string,
    request: GenerateRequest & { readonly output: S },
  ): Promise<SchemaOutput<S>>;
  generate(name: string, request: GenerateRequest): Promise<string>;
  /**
   * The vectors of texts: of one, or of a list in its order. Sent in batches as the model takes them, each a call inside
   * the budget and recorded: a crash repeats none but those under way.
   *
   * @throws BudgetExceededError before a call the budget cannot pay; the run halts.
   */
  embed(name: string, request: EmbedRequest<string>): Promise<number[]>;
  embed(name: string, request: EmbedRequest<readonly string[]>): Promise<number[][]>;
  /**
   * An image, or `n` of them as a list, inside the budget and recorded. Under a cost limit the model needs a price of its
   * images: `models({ prices: { "openai:gpt-image-1": { image: "$0.04" } } })`.
   *
   * @throws BudgetExceededError before a call the budget cannot pay; the run halts.
   */
  generateImage(name: string, request: ImageRequest<undefined>): Promise<GeneratedImage>;
  generateImage(name: string, request: ImageRequest<number>): Promise<GeneratedImage[]>;
  /**
   * A language model of the AI SDK (`ai`), for code that calls `generateText`, `streamText` or another library by itself.
   * Every call through it is inside the budget and recorded, as an operation of the step: a resumed step gets the
   * recorded answers and buys only what is missing. The library's own retries find nothing to do.
   *
   * @param id `"provider:model"`, or an AI SDK language model.
   */
  model(id: string | object, options?: ModelOptions): LanguageModelV4;
  /**
   * Spends money of the budget on something other than a model: `amount`, the most the work may cost, is reserved
   * before it begins, and refused when the budget cannot pay it. It costs that much, unless the work says
   * `costs(amount)`; work that throws costs all of it. Recorded, the result is returned from then on.
   *
   * @throws BudgetExceededError before the work, when the budget cannot pay; the run halts.
   */
  spend<T>(name: string, amount: Usd, work: (spending: Spending) => Awaitable<T>): Promise<T>;
  /** Records what has been spent already, whatever the limits say; over one, a `budget-breached` event comes. */
  spend(name: string, amount: Usd): Promise<void>;
  /** Waits, durably: a run resumed later waits only for what is left. */
  sleep(name: string, duration: Duration): Promise<void>;
  /**
   * Waits until a moment, as `sleep` does; one that has passed is not waited for. The moment is recorded when the body
   * comes here, and stays.
   *
   * @throws InvalidOptionError for a date that is none.
   */
  sleepUntil(name: string, moment: Date): Promise<void>;
}

/** What the work of `ctx.spend` is handed. */
export interface Spending {
  /** Fires when the run is to stop and the work has had its grace period: what it costs is spent all the same. */
  readonly signal: AbortSignal;
  /** Stable for this attempt to spend: hand it to services that deduplicate. */
  readonly idempotencyKey: string;
  /** Says what the work has cost in truth. The last word counts. */
  costs(amount: Usd): void;
}

/** The most a model call, or another operation with a price, can cost and use, known before it is made. */
export interface Quote {
  /** What is bought: the model; of other kinds, a name for it. */
  readonly model: string;
  /** Default `model-call`. The others have no tokens: their price is the `fee`. */
  readonly kind?: Purchase;
  /** A fixed price beside that of the tokens. */
  readonly fee?: PicoUsd;
  /** What the model's price is for. Default: tokens. Of images, the `fee` is the price. */
  readonly per?: "image";
  /** It has been spent already: it is recorded, whatever the limits say. */
  readonly reported?: true;
  /** A provable upper bound on the tokens of the input. */
  readonly inputTokens: number;
  /** The cap the author asked for, and the smallest one worth making the call for. */
  readonly outputTokens: { readonly wanted: number; readonly least: number };
  /** Absent when the model has no known price. */
  readonly rates?: QuotedRates;
  /** What is asked, by hashes of its parts (`requestMark`), tools and settings too: a replay tells it from another by them. */
  readonly asked?: string;
  /** How the model is to choose its words, for those who watch. */
  readonly sampling?: CallSampling;
}

/** What a call says about how its answer is chosen. */
export interface CallSampling {
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly seed?: number | undefined;
}

/** The highest rates that can apply, in pico-dollars a token, and where they are from. */
export interface QuotedRates {
  readonly input: PicoUsd;
  readonly output: PicoUsd;
  /** Pico-dollars an image, of a model that is paid by the image: the `fee` of a quote has it for each. */
  readonly image?: PicoUsd;
  readonly source?: string | undefined;
  /** The day of which the source says so: `"2026-09-23"`. */
  readonly date?: string | undefined;
}

/** What is paid for: a call of a model, a call of a tool, or what a step says it spends. */
export type Purchase = "model-call" | "tool-call" | "spend";

/**
 * A call whose answer is worth going on with when it is cut: the quote of a new try depends on what was said before.
 */
export interface Continuable {
  /** What is asked, by its hash: only an answer to the same is gone on with. */
  readonly request: string;
  /** @param said the part of the answer that came before the cut; empty when nothing did. */
  readonly quote: (said: string) => Quote;
}

/** Leave to make one call. */
export interface Grant {
  /** The output cap to write into the request: what was wanted, or less when the budget pays for less. */
  readonly outputTokens: number;
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  /** What a cut try of a `Continuable` call has said: to be gone on with. Empty otherwise. */
  readonly said: string;
  /** Takes a piece of the answer as it comes: recorded within moments, and an event of the run. */
  readonly hear: (piece: Piece) => void;
}

/** What a call returned and truly cost. */
export interface Receipt<T> {
  readonly value: T;
  readonly picoUsd: PicoUsd;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What the tightest budgets around a place leave; absent where nothing is limited. */
export interface Remaining {
  readonly picoUsd?: PicoUsd;
  /** The smallest part of a cost limit that is left: from 0 to 1. */
  readonly share?: number;
  readonly tokens?: number;
  readonly calls?: number;
}

/** How an errand is run, and what is done when nobody knows what became of it. */
export interface ErrandTerms {
  /** What each try may cost: reserved before it begins. */
  readonly quote: Quote;
  /** The longest one try may take. Absent: no limit. */
  readonly timeoutMs?: number | undefined;
  readonly retry?: RetryTerms | undefined;
  /**
   * For a try whose end was not recorded (the process died, or its time was up): `retry` runs it again, `ask` asks a
   * person, `fail` throws. With `ask` and `fail` its beginning is in the store before it begins.
   */
  readonly onUnknown: "retry" | "ask" | "fail";
}

/** One try of an errand. */
export interface ErrandAttempt {
  /** Counts the tries whose failure is recorded, and this one: from 1. */
  readonly number: number;
  readonly signal: AbortSignal;
  /** Says what the try has cost in truth. The last word counts. */
  readonly costs: (amount: Usd) => void;
}

/** An operation that may ask a person first, and is run under its terms. */
export interface Errand {
  readonly path: Path;
  /** Stable across tries and restarts. */
  readonly idempotencyKey: string;
  /**
   * A person's leave, asked once; until there is an answer the run waits at the errand's path.
   *
   * @param words what is asked; undefined: nobody has to be.
   * @throws TimeoutError with the errand's path when nobody has answered in time, and nothing is declared for that.
   */
  approval(words: () => Awaitable<Words | undefined>, terms: Terms): Promise<Approval | undefined>;
  /**
   * Does the work. A try costs what was quoted, unless it says otherwise.
   *
   * @throws BudgetExceededError when the budget cannot pay the next try; what its last try threw, TimeoutError with the errand's path, or OutcomeUnknownError.
   */
  carryOut<T>(work: (attempt: ErrandAttempt) => Awaitable<T>): Promise<T>;
}

export interface PaidOptions {
  /** What a model is sent, for readers, without what earlier calls of the body have sent or brought. Asked for when it is sent. */
  readonly sent?: () => readonly SentMessage[];
  /** The operation takes its place among those of its name now, and begins when this is done. It fails with it. */
  readonly after?: Promise<unknown> | undefined;
  /** Whether a retryable failure is worth another try within the operation. Default: always, up to three tries. */
  readonly mayRepeat?: () => boolean;
}

/** What agents are handed besides: operations that cost money, and errands. */
export interface PaidContext<State = unknown> extends Context<State> {
  /** Where agents find models and prices: what the run was given as its `Models`. Absent: the default ones. */
  readonly models?: object | undefined;
  /**
   * Reserves the quote's worst case, durably; calls; records result and settlement in one append. Recorded, it
   * returns the result. A ModelCallError with `charge: "none"` releases the reservation, any other error keeps it.
   *
   * @throws BudgetExceededError when the budget cannot pay the least; the run halts.
   */
  paid<T>(
    name: string,
    quote: Quote | Continuable,
    call: (grant: Grant) => Promise<Receipt<T>>,
    options?: PaidOptions,
  ): Promise<T>;
  /** Runs `body` once, as `run` does; `body` may ask a person and does its work under the terms. */
  errand<T>(name: string, terms: ErrandTerms, body: (errand: Errand) => Promise<T>): Promise<T>;
  /** What `choose` returns, once; recorded with whatever is recorded next. */
  decide<T>(name: string, choose: () => T): Promise<T>;
  /** What is left of the budgets of this place at this moment. To act on it, `decide`: later there is less. */
  remaining(): Remaining;
  /** Whether the budgets of this place can pay for a call, now or once those under way are settled. */
  affords(quote: Quote): boolean;
  /**
   * Does `work`, whose first operation is named `name`. Undefined when it failed for good, but not of the budget: that
   * `other` is done instead is recorded, and `work` is not tried again.
   */
  unlessFailed<T>(
    name: string,
    other: string,
    work: () => Promise<T>,
  ): Promise<{ readonly value: T } | undefined>;
}
