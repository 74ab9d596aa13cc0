/**
 * The tree as data: what `step()`, `mapOver()`, `.to()`, `.retry()` and the others describe, and all that the
 * engine, validation, fingerprint and graph read. Nodes are frozen; nothing here runs anything.
 *
 * Two families: *places* own a name and a path segment; *qualifiers* wrap one node (`of`) and take its place.
 * A sequence joins places and has no segment of its own.
 */
import type { Context, PaidContext } from "./context.ts";
import type { OnLimit } from "./errors.ts";
import type { ImprovableFields } from "./improvable.ts";
import type { Awaitable, Json, JsonObject } from "./json.ts";
import type { Limits } from "./limits.ts";
import type { Schema } from "./schema.ts";
import type { SettingsTerms } from "./settings.ts";
import type { Reducers } from "./state.ts";
import type { Terms, WayOut } from "./waiting.ts";

export type Node = Place | SequenceNode | Qualifier;

export type Place =
  | WorkNode
  | PipelineNode
  | ParallelNode
  | MapNode
  | BranchNode
  | LoopNode
  | SleepNode
  | HumanNode
  | WaitNode;

export type Qualifier =
  | RetryNode
  | TimeoutNode
  | FallbackNode
  | CachedNode
  | BudgetNode
  | ValidateNode
  | CompensateNode;

/** What a model makes: texts, vectors, or images. */
export type ModelKind = "language" | "embedding" | "image";

/** A body: a function (`step`) or a model (`agent`). */
export interface WorkNode {
  readonly kind: "step" | "agent";
  readonly name: string;
  readonly work: (input: never, context: PaidContext) => Awaitable<unknown>;
  readonly input?: Schema;
  readonly output?: Schema;
  /** Everything beside the kind and name that makes this version of the body what it is; part of the fingerprint. */
  readonly facts: { readonly [fact: string]: Json };
  /** The models it may call, known before it runs: `["openai:gpt-4o"]`. */
  readonly models?: readonly string[];
  /** What they are. Default `language`. */
  readonly modelKind?: ModelKind;
  /** The models themselves, by these names, where the author gave no name but an AI SDK language model. */
  readonly modelObjects?: { readonly [name: string]: object };
  /** The providers that need no registering, so that a misspelt one is found without asking anybody. */
  readonly providers?: readonly string[];
  /** What an agent asks of its models, before it runs: of its input, where that is known by then. For dry runs. */
  readonly asks?: (known?: KnownInput) => Promise<Asked>;
  /** What a step that calls one model buys, for dry runs. */
  readonly buys?: (known?: KnownInput) => Bought;
  /** What of an agent is plain data that an overlay can change: prompts, models, sampling. */
  readonly improvable?: () => ImprovableFields;
  /** The same agent with other data of that kind. */
  readonly improved?: (values: JsonObject) => WorkNode;
  /** Of a step: what its body finds in `ctx.settings`. */
  readonly settings?: SettingsTerms;
  /** An agent's calls are bought anew at each attempt; a step's operations are kept. */
  readonly freshAttempts: boolean;
}

/** What a place will be handed, where that is known before it runs. */
export interface KnownInput {
  readonly input: unknown;
  readonly state: unknown;
}

/** What one attempt of an agent asks of its models at most. */
export interface Asked {
  /** A bound on the input of its first call, as far as it is known. */
  readonly inputTokens: number;
  /** What else that input holds, in words, as "its prompt". Empty: `inputTokens` covers it all. */
  readonly unknown: readonly string[];
  /** The cap of each answer, and the smallest one worth a call. */
  readonly outputTokens: { readonly wanted: number; readonly least: number };
  /** The first call, turns after tools, repairs. Each later one has what was said before in its input. */
  readonly calls: number;
  /** A cut answer is gone on with: a further try of a call has it in its input. */
  readonly goesOn: boolean;
  /** Its tools with a price, which its model may call as often as it likes. */
  readonly pricedTools: readonly string[];
  /** Handed to the provider: some make its prices others. */
  readonly providerOptions?: object | undefined;
}

/** What one attempt of a step that calls one model buys at most, in all its calls. */
export interface Bought {
  /** A bound on the input, as far as it is known. */
  readonly inputTokens: number;
  /** Texts to embed, each of which may be a call of its own; undefined: their number is not known. */
  readonly texts?: number | undefined;
  /** Images, each of which may be a call of its own. */
  readonly images: number;
  readonly providerOptions?: object | undefined;
}

export interface PipelineNode {
  readonly kind: "pipeline";
  readonly name: string;
  readonly body: Node;
  readonly version?: string;
  readonly input?: Schema;
  readonly state?: () => object;
  readonly reducers?: Reducers;
}

export interface SequenceNode {
  readonly kind: "sequence";
  readonly before: Node;
  readonly next: Node;
}

/** `halt`: the first failure fails the whole, siblings are told to stop. `collect`: failures become values. */
export type OnFailure = "halt" | "collect";

export interface ParallelNode {
  readonly kind: "parallel";
  readonly name: string;
  readonly branches: { readonly [name: string]: Node };
  readonly onFailure: OnFailure;
}

export interface MapNode {
  readonly kind: "mapOver";
  readonly name: string;
  readonly each: Node;
  readonly concurrency: number;
  readonly onFailure: OnFailure;
  readonly over?: (input: never, state: never) => Iterable<unknown>;
  readonly key?: (item: never) => string;
}

export interface BranchNode {
  readonly kind: "branchOn";
  readonly name: string;
  readonly choose: (input: never, context: Pick<Context<never>, "state" | "settings">) => Awaitable<string>;
  readonly branches: { readonly [key: string]: Node };
  readonly otherwise?: Node;
  readonly settings?: SettingsTerms;
}

export interface LoopNode {
  readonly kind: "loopUntil";
  readonly name: string;
  readonly body: Node;
  readonly until: (
    value: never,
    loop: { readonly count: number; readonly state: never; readonly settings: object },
  ) => Awaitable<boolean>;
  readonly maxLoops: number;
  /** `fail` throws LoopLimitError; `last` goes on with the last value. */
  readonly onMaxLoops: "fail" | "last";
  readonly settings?: SettingsTerms;
}

export interface SleepNode {
  readonly kind: "sleep";
  readonly name: string;
  /** How long, in milliseconds; or the moment it ends, in milliseconds since 1970. */
  readonly ms: number | { readonly until: (input: never) => number };
}

export interface HumanNode extends Terms {
  readonly kind: "humanInTheLoop";
  readonly name: string;
  readonly prompt: (input: never) => string;
  readonly answer?: Schema;
  /** What helps to decide, shown beside the prompt. */
  readonly context?: (input: never) => unknown;
}

/** Waits for an event from outside. */
export interface WaitNode {
  readonly kind: "waitFor";
  readonly name: string;
  readonly schema?: Schema;
  readonly timeoutMs?: number;
  /** What comes when nothing has been sent in time. Absent: it fails. */
  readonly wayOut?: WayOut;
}

export interface RetryNode extends RetryTerms {
  readonly kind: "retry";
  readonly of: Node;
}

/** When and how to try again. */
export interface RetryTerms {
  /** The first try included. */
  readonly attempts: number;
  /** How many attempts `flujo improve` may try, both within. Absent: it leaves them as they are. */
  readonly improve?: { readonly min: number; readonly max: number };
  /** Wait before the second attempt. */
  readonly backoffMs: number;
  /** Each further wait is this many times the one before. */
  readonly factor: number;
  readonly maxBackoffMs: number;
  /** Full jitter: the wait is drawn between 0 and its value. */
  readonly jitter: boolean;
  readonly when?: (error: unknown) => boolean;
}

export interface TimeoutNode {
  readonly kind: "timeout";
  readonly of: Node;
  readonly ms: number;
}

export interface FallbackNode {
  readonly kind: "fallback";
  readonly of: Node;
  readonly other: Node;
}

export interface CachedNode {
  readonly kind: "cached";
  readonly of: Node;
  readonly ttlMs?: number;
  readonly key?: (input: never) => string;
}

export interface BudgetNode {
  readonly kind: "budget";
  readonly of: Node;
  readonly limits: Limits;
  readonly onLimit?: OnLimit;
  /** Parts of the limits, in percent, at which an alert is due. */
  readonly alertAt?: readonly number[];
}

export interface ValidateNode {
  readonly kind: "validate";
  readonly of: Node;
  readonly check: Schema | ((output: never) => Awaitable<boolean | string>);
}

export interface CompensateNode {
  readonly kind: "compensate";
  readonly of: Node;
  /** Undoes what `of` has done: gets its input, its output, and why. */
  readonly undo: Node;
}

export function isQualifier(node: Node): node is Qualifier {
  return "of" in node;
}

/** The node inside all qualifiers. */
export function bare(node: Node): Place | SequenceNode {
  let inner = node;
  while (isQualifier(inner)) inner = inner.of;
  return inner;
}

const flattened = new WeakMap<SequenceNode, readonly Node[]>();

/** The links of a sequence in order; a node that is no sequence is its own only link. */
export function links(node: Node): readonly Node[] {
  if (node.kind !== "sequence") return [node];
  const known = flattened.get(node);
  if (known) return known;
  const found: Node[] = [];
  const rest: Node[] = [node]; // a stack, not recursion: chains are built 10,000 deep
  for (let top = rest.pop(); top; top = rest.pop()) {
    if (top.kind === "sequence") rest.push(top.next, top.before);
    else found.push(top);
  }
  flattened.set(node, found);
  return found;
}

/** The name a node goes by: its own, or `first..last` for a sequence. */
export function nameOf(node: Node): string {
  const inner = bare(node);
  if (inner.kind !== "sequence") return inner.name;
  const all = links(inner);
  return `${nameOf(all[0] as Node)}..${nameOf(all[all.length - 1] as Node)}`;
}

/** How many checks of one result a node makes: those of one place are recorded beside one another, numbered from 0. */
export function checksIn(node: Node): number {
  if (!isQualifier(node)) return 0;
  return (node.kind === "validate" ? 1 : 0) + checksIn(node.of);
}
