import { type Duration, milliseconds } from "../core/duration.ts";
import type { Entry, EntryType } from "../core/entries.ts";
import { type FlujoError, HookFailedError } from "../core/errors.ts";
import { eventOf, type RunEvent } from "../core/events.ts";
import type { Listener } from "../ports/listener.ts";
import type { World } from "../ports/world.ts";
import { whyOf } from "./attempt.ts";

/** The events of one or several types; `"*"`: any. */
export type EventOf<T extends EntryType | "*"> = T extends "*" ? RunEvent : Extract<RunEvent, { type: T }>;

/** What a hook has beside the event. */
export interface HookContext {
  readonly runId: string;
  /** Cancels the run for this reason: it stops as with `flujo.cancel`, and keeps its history. */
  readonly stop: (reason: string) => void;
  /** Fires when the hook has taken too long: it is no longer waited for. */
  readonly signal: AbortSignal;
}

export type Hook<T extends EntryType | "*"> = (event: EventOf<T>, context: HookContext) => unknown;

/** Hooks by the events they are called with: one, or several, for each. */
export type HookTable = { readonly [T in EntryType | "*"]?: Hook<T> | readonly Hook<T>[] };

export interface HookOptions {
  /** How long an asynchronous hook is waited for. Default `"10s"`. */
  readonly timeout?: Duration;
  /** Told when the hook throws or takes too long: of the first time, and again once it has worked in between. */
  readonly onError?: (error: FlujoError) => void;
}

interface Called {
  readonly runId: string;
  readonly event: RunEvent;
  readonly stop: (reason: string) => void;
}

/** Events a hook may be behind, of all runs together; what comes beyond is not told to it. */
const mostBehind = 10_000;
/** How long `leave` waits for hooks under way. */
const farewellMs = 10_000;

/** Functions that are told what happens in the runs of this process. Nothing they do hurts a run, unless they stop it. */
export class Hooks implements Listener {
  readonly #world: World;
  readonly #onError: (error: FlujoError) => void;
  readonly #all = new Set<Attached>();

  constructor(world: World, onError: (error: FlujoError) => void) {
    this.#world = world;
    this.#onError = onError;
  }

  /** @returns how to call the hook off. */
  on<T extends EntryType | "*">(
    type: T | readonly T[],
    hook: Hook<T>,
    options: HookOptions = {},
  ): () => void {
    const types = new Set<EntryType | "*">(typeof type === "string" ? [type] : type);
    const attached = new Attached(
      (wanted) => types.has("*") || types.has(wanted),
      hook as unknown as Hook<"*">, // it is handed events of its types only
      milliseconds(options.timeout ?? "10s"),
      this.#world,
      options.onError ?? this.#onError,
    );
    this.#all.add(attached);
    return () => {
      this.#all.delete(attached);
      attached.off();
    };
  }

  async enter(): Promise<void> {}

  hear(runId: string, entries: readonly Entry[], stop: (reason: string) => void): void {
    for (const attached of this.#all) {
      for (const entry of entries) {
        if (attached.wants(entry.type)) attached.call({ runId, event: eventOf(entry), stop });
      }
    }
  }

  async leave(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const off = this.#world.timer(farewellMs, resolve);
    await Promise.race([promise, Promise.all([...this.#all].map((attached) => attached.done()))]);
    off();
    for (const attached of this.#all) attached.off();
  }
}

/** One hook: called for the events of a run one after another, for those of several runs side by side. */
class Attached {
  readonly wants: (type: EntryType) => boolean;
  readonly #hook: Hook<"*">;
  readonly #timeoutMs: number;
  readonly #world: World;
  readonly #onError: (error: FlujoError) => void;
  readonly #behind = new Map<string, Called[]>();
  readonly #under = new Set<Promise<void>>();
  #count = 0;
  #fails = false;
  #isOff = false;

  constructor(
    wants: (type: EntryType) => boolean,
    hook: Hook<"*">,
    timeoutMs: number,
    world: World,
    onError: (error: FlujoError) => void,
  ) {
    this.wants = wants;
    this.#hook = hook;
    this.#timeoutMs = timeoutMs;
    this.#world = world;
    this.#onError = onError;
  }

  call(called: Called): void {
    if (this.#isOff) return;
    if (this.#count >= mostBehind) {
      this.#fail(called, `is ${mostBehind} events behind; it is not told of more until it has caught up`);
      return;
    }
    this.#count++;
    const behind = this.#behind.get(called.runId);
    if (behind !== undefined) {
      behind.push(called);
      return;
    }
    this.#behind.set(called.runId, [called]);
    const under = this.#work(called.runId).finally(() => this.#under.delete(under));
    this.#under.add(under);
  }

  off(): void {
    this.#isOff = true;
    this.#behind.clear();
  }

  async done(): Promise<void> {
    while (this.#under.size > 0) await Promise.all(this.#under);
  }

  /** Calls the hook for what there is of a run, in order. Begins in a moment of its own: whoever committed goes on first. */
  async #work(runId: string): Promise<void> {
    await Promise.resolve();
    const behind = this.#behind.get(runId) ?? [];
    for (let called = behind.shift(); called !== undefined && !this.#isOff; called = behind.shift()) {
      this.#count--;
      await this.#once(called);
    }
    this.#behind.delete(runId);
  }

  async #once(called: Called): Promise<void> {
    const { event, runId, stop } = called;
    const late = new AbortController();
    let off = (): void => {};
    try {
      const told = this.#hook(event, { runId, stop, signal: late.signal });
      if (told instanceof Promise) {
        const { promise, reject } = Promise.withResolvers<never>();
        off = this.#world.timer(this.#timeoutMs, () => {
          late.abort();
          reject(new Error(`no end after ${this.#timeoutMs} ms`));
        });
        await Promise.race([told, promise]);
      }
      this.#fails = false;
    } catch (error) {
      this.#fail(called, `failed: ${whyOf(error)}`);
    } finally {
      off();
    }
  }

  #fail({ event, runId }: Called, what: string): void {
    if (this.#fails) return;
    this.#fails = true;
    const error = new HookFailedError(`a hook on ${event.type} ${what}`, {
      runId,
      path: event.path,
      hint: "The run goes on without it. This is told once, until the hook has worked again.",
    });
    try {
      this.#onError(error);
    } catch {} // whoever is told of errors cannot hurt the run either
  }
}
