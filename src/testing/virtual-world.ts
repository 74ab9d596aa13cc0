import type { World } from "../ports/world.ts";
import { Agenda } from "./agenda.ts";
import { chance } from "./chance.ts";

export interface VirtualWorldOptions {
  /** Decides chance, and the order of what is ready at the same moment. Default 1. */
  readonly seed?: number;
  /** Milliseconds since 1970. Default: 1 January 2030. */
  readonly start?: number;
}

/** How long `run` goes on before it says that something is stuck. */
export interface RunBounds {
  /** Virtual milliseconds. Default a day. */
  readonly ms?: number;
  /** Callbacks run. Default 1,000,000. */
  readonly rounds?: number;
}

/** One process of a virtual world: what a `Runner` is given as its world. */
export interface VirtualProcess extends World {
  readonly isAlive: boolean;
  readonly isPaused: boolean;
  /** As `kill -9`: nothing it waited for ever comes. */
  kill(): void;
  /** As SIGSTOP: its timers become due, and it does not notice. */
  pause(): void;
  /** As SIGCONT: what became due meanwhile comes at once. */
  wake(): void;
}

/** A clock that several processes share and that moves only when all of them have nothing left to do. */
export interface VirtualWorld {
  now(): number;
  /** From 0 (inclusive) to 1 (exclusive). */
  random(): number;
  /**
   * Starts a process. The same name again is another process with an owner name of its own. Processes see the deaths of
   * those on their own host only; the leases of others have to be waited out.
   */
  process(name: string, host?: string): VirtualProcess;
  /**
   * Lets time pass until the promise settles or the condition holds. Returns what the promise does.
   *
   * @throws StuckError when nothing is left that could happen, or a bound is reached.
   */
  run<T>(until: Promise<T> | (() => boolean | Promise<boolean>), bounds?: RunBounds): Promise<T>;
  /**
   * What happens in the real world, where it takes time: here it takes none. The virtual clock stands still until all of it
   * is over, and its results come in the order in which it was begun.
   */
  outside<T>(real: Promise<T>): Promise<T>;
}

/** Nothing more can happen, or too much has, and what was waited for did not come. */
export class StuckError extends Error {
  /** What is pending: each process with the timers it waits for. */
  readonly pending: readonly string[];
  constructor(why: string, pending: readonly string[]) {
    super(`${why}; pending: ${pending.length > 0 ? pending.join(", ") : "nothing"}`);
    this.name = "StuckError";
    this.pending = pending;
  }
}

interface Task {
  readonly by: Process;
  readonly due: number;
  readonly order: number;
  readonly background: boolean;
  readonly callback: () => void;
}

/** Something of the real world, under way. */
interface RealEvent {
  readonly over: Promise<void>;
  /** Once it is over: hands on what came of it. A second time changes nothing. */
  readonly tell: () => void;
}

const startOf2030 = Date.UTC(2030, 0, 1);
const dayMs = 86_400_000;

/**
 * Makes a world without a clock of its own. A virtual second takes no time, and the same seed gives the same course of
 * events: as long as nothing in it waits for the real world (a socket, a file, a real timer).
 *
 *     const world = virtualWorld({ seed: 7 });
 *     const runner = new Runner(pipeline, { world: world.process("one"), store: memory() });
 *     const result = await world.run(runner.run("input"));
 */
export function virtualWorld(options: VirtualWorldOptions = {}): VirtualWorld {
  return new Virtual(options);
}

class Virtual implements VirtualWorld {
  readonly #chance;
  readonly #processes = new Map<string, Process>();
  #now: number;
  #order = 0;
  #ready: Task[] = [];
  readonly #timers = new Agenda<Task>();
  /** The processes that do not notice what becomes due. */
  readonly paused = new Set<Process>();
  /** How many wait in `run`. */
  #runs = 0;
  #outside: RealEvent[] = [];

  constructor({ seed = 1, start = startOf2030 }: VirtualWorldOptions) {
    this.#chance = chance(seed);
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.#chance.next();
  }

  process(name: string, host = "here"): VirtualProcess {
    const made = new Process(this, `${name}-${this.#processes.size + 1}`, host);
    this.#processes.set(made.owner, made);
    return made;
  }

  async run<T>(until: Promise<T> | (() => boolean | Promise<boolean>), bounds: RunBounds = {}): Promise<T> {
    const { ms = dayMs, rounds = 1_000_000 } = bounds;
    let settled = false;
    const watched = typeof until === "function" ? undefined : until;
    const note = (): void => {
      settled = true;
    };
    watched?.then(note, note);
    this.#runs += 1;
    try {
      await this.#pass(typeof until === "function" ? until : () => settled, ms, rounds);
    } finally {
      this.#runs -= 1;
      if (this.#runs === 0) for (const event of this.#outside) this.#tellAsItComes(event);
    }
    return (await watched) as T; // a condition has no value to hand on
  }

  async #pass(isDone: () => boolean | Promise<boolean>, ms: number, rounds: number): Promise<void> {
    const deadline = this.#now + ms;
    for (let round = 0; ; round++) {
      await this.#quiet();
      if (await this.#answer(isDone())) return;
      if (round >= rounds) throw new StuckError(`not done after ${rounds} rounds`, this.#pending());
      const task = this.#nextReady() ?? this.#nextTimer();
      if (task === undefined) throw new StuckError("nothing is left to happen", this.#pending());
      if (task.due > deadline) throw new StuckError(`not done after ${ms} virtual ms`, this.#pending());
      this.#remove(task);
      this.#now = Math.max(this.#now, task.due);
      task.callback();
    }
  }

  /** A condition may ask the real world, too. */
  async #answer(asked: boolean | Promise<boolean>): Promise<boolean> {
    if (typeof asked === "boolean") return asked;
    let over = false;
    const note = (): void => {
      over = true;
    };
    asked.then(note, note);
    while (!over) await this.#quiet();
    return asked;
  }

  /** While nobody waits in `run`: whoever began it hears at once. A `run` that begins in between waits for it, too. */
  #tellAsItComes(event: RealEvent): void {
    void event.over.then(() => {
      event.tell();
      this.#outside = this.#outside.filter((other) => other !== event);
    });
  }

  outside<T>(real: Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    let tell = (): void => {};
    const over = real.then(
      (value) => {
        tell = () => resolve(value);
      },
      (error: unknown) => {
        tell = () => reject(error);
      },
    );
    const event = { over, tell: () => tell() };
    this.#outside.push(event);
    if (this.#runs === 0) this.#tellAsItComes(event);
    return promise;
  }

  /** Until nothing more comes by itself. */
  async #quiet(): Promise<void> {
    await allSettled();
    while (this.#outside.length > 0) {
      const begun = this.#outside;
      this.#outside = [];
      await Promise.all(begun.map(({ over }) => over));
      for (const { tell } of begun) tell();
      await allSettled();
    }
  }

  /** Whether a process on this host is known to have been killed. */
  isGone(owner: string, host: string): boolean {
    const process = this.#processes.get(owner);
    return process !== undefined && process.host === host && !process.isAlive;
  }

  add(by: Process, ms: number, callback: () => void, background = false): () => void {
    const due = this.#now + Math.max(0, Math.ceil(ms)); // the clock shows whole milliseconds, as Date.now() does
    const task = { by, due, order: this.#order++, background, callback };
    this.#timers.add(task);
    return () => void this.#timers.strike(task);
  }

  addReady(by: Process, callback: () => void): void {
    this.#ready.push({ by, due: this.#now, order: this.#order++, background: false, callback });
  }

  drop(by: Process): void {
    for (const task of this.#timers) if (task.by === by) this.#timers.strike(task);
    this.#ready = this.#ready.filter((task) => task.by !== by);
  }

  /** Any of what is ready: whoever relies on an order among these relies on luck. */
  #nextReady(): Task | undefined {
    const free = this.paused.size === 0 ? this.#ready : this.#ready.filter(({ by }) => !by.isPaused);
    return free.length === 0 ? undefined : this.#chance.pick(free);
  }

  /** The earliest timer; of those due together, the one set first. */
  #nextTimer(): Task | undefined {
    return this.#timers.first(({ by }) => by.isPaused);
  }

  #remove(task: Task): void {
    if (!this.#timers.strike(task)) this.#ready.splice(this.#ready.indexOf(task), 1);
  }

  #pending(): string[] {
    const ready = this.#ready.map(({ by }) => `${by.owner}${by.isPaused ? " (paused)" : ""}: ready`);
    const timers = [...this.#timers]
      .sort((a, b) => a.due - b.due)
      .map(({ by, due, background }) => {
        const marks = `${by.isPaused ? " (paused)" : ""}${background ? " (background)" : ""}`;
        return `${by.owner}: timer in ${due - this.#now} ms${marks}`;
      });
    return [...ready, ...timers];
  }
}

class Process implements VirtualProcess {
  readonly owner: string;
  readonly host: string;
  readonly #world: Virtual;
  #alive = true;
  #ids = 0;

  constructor(world: Virtual, owner: string, host: string) {
    this.#world = world;
    this.owner = owner;
    this.host = host;
  }

  get isAlive(): boolean {
    return this.#alive;
  }
  get isPaused(): boolean {
    return this.#world.paused.has(this);
  }
  now = (): number => this.#world.now();
  random = (): number => this.#world.random();
  id = (): string => `${this.now().toString(36)}-${this.owner}-${++this.#ids}`;
  isGone = (owner: string): boolean => this.#world.isGone(owner, this.host);

  timer = (
    ms: number,
    callback: () => void,
    options: { readonly background?: boolean } = {},
  ): (() => void) => (this.#alive ? this.#world.add(this, ms, callback, options.background) : () => {});

  soon = (callback: () => void): void => {
    if (this.#alive) this.#world.addReady(this, callback);
  };

  kill(): void {
    this.#alive = false;
    this.wake();
    this.#world.drop(this);
  }
  pause(): void {
    if (this.#alive) this.#world.paused.add(this);
  }
  wake(): void {
    this.#world.paused.delete(this);
  }
}

/** Until every promise that can settle has: Node empties its queue of them before it turns to immediates. */
const allSettled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
