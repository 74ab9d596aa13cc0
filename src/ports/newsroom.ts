/** Tells watchers of a store what its processes say to one another on a line of its server. */
import { setTimeout as pause, setImmediate as turn } from "node:timers/promises";
import type { Watcher } from "./store.ts";

/** Passes on what one process says to all that hear, as far as it can. */
export interface Line {
  /**
   * Hears what is said from now on, and keeps no process alive. Rejects where the server does not take it.
   *
   * @param ended is called when it has broken.
   */
  open(heard: (said: string) => unknown, ended: () => void): Promise<{ close(): void }>;
  /** Says it on another connection than the one that hears. */
  say(said: string): Promise<void>;
}

/** How a line is tried. */
export interface LinePace {
  /** What one says oneself is heard within so many milliseconds, or the line is dead. Default 3,000. */
  readonly echoMs?: number;
  /** So often one says something to oneself while the process works: a line may die without a word. Default 2,000. */
  readonly busyMs?: number;
  /** The same while it does not. Default 30,000. */
  readonly everyMs?: number;
  /** The pause before a line that broke is opened again. Default 1,000; twice as long each time that it carried nothing. */
  readonly againMs?: number;
  /** The longest one: through a pooler, say, no line ever carries a word. Default 60,000. */
  readonly rarelyMs?: number;
}

/** What one says to oneself begins so; no run id does. */
const toOneself = "?";

/** One line for all watchers of a store in a process; open while there are any. */
export class Newsroom {
  readonly #line: Line;
  readonly #pace: Required<LinePace>;
  readonly #watchers = new Set<Watcher>();
  #isLive = false;
  #stop: AbortController | undefined;
  #closed = false;
  #echo: { readonly said: string; readonly heard: () => void } | undefined;
  /** When it was tried last, by `performance.now()`. */
  #triedAt = 0;
  /** Ends the pause before it is tried again. */
  #try = (): void => {};

  constructor(
    line: Line,
    { echoMs = 3_000, busyMs = 2_000, everyMs = 30_000, againMs = 1_000, rarelyMs = 60_000 }: LinePace = {},
  ) {
    this.#line = line;
    this.#pace = { echoMs, busyMs, everyMs, againMs, rarelyMs };
  }

  /** This process asks its server something: who works wants to know soon that the line is dead. */
  works(): void {
    if (performance.now() >= this.#triedAt + this.#pace.busyMs) this.#try();
  }

  /** The server did not answer: the line may be dead, too. */
  doubts(): void {
    this.#try();
  }

  watch(watcher: Watcher): () => void {
    if (this.#closed) return () => {};
    this.#watchers.add(watcher);
    if (this.#isLive) queueMicrotask(() => this.#watchers.has(watcher) && watcher.live(this.#isLive));
    if (this.#stop === undefined) {
      this.#stop = new AbortController();
      void this.#listen(this.#stop.signal);
    }
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#rest();
    };
  }

  /** Nobody is told anything any more. */
  close(): void {
    this.#closed = true;
    this.#watchers.clear();
    this.#rest();
  }

  #rest(): void {
    this.#isLive = false;
    this.#stop?.abort();
    this.#stop = undefined;
  }

  async #listen(stop: AbortSignal): Promise<void> {
    const { againMs, rarelyMs } = this.#pace;
    for (let pauseMs = againMs; !stop.aborted; ) {
      pauseMs = (await this.#once(stop)) ? againMs : Math.min(rarelyMs, 2 * pauseMs);
      this.#tell(false, stop);
      await quiet(pauseMs, stop);
    }
  }

  /** One opening of the line, until it is dead. Returns whether it ever carried a word. */
  async #once(stop: AbortSignal): Promise<boolean> {
    const end = new AbortController();
    const over = AbortSignal.any([stop, end.signal]);
    let open: { close(): void } | undefined;
    let carried = false;
    try {
      open = await this.#line.open(
        (said) => this.#hear(said, stop),
        () => end.abort(),
      );
      while (!over.aborted && (await this.#echoes(over))) {
        carried = true;
        this.#tell(true, stop);
        await this.#pause(over);
      }
    } catch {
      // the server is away, or does not allow it: whoever needs it for more than this says so
    } finally {
      open?.close();
    }
    return carried;
  }

  /** Until it is to be tried again. */
  #pause(over: AbortSignal): Promise<void> {
    const again = new AbortController();
    this.#try = () => again.abort();
    return quiet(this.#pace.everyMs, AbortSignal.any([over, again.signal]));
  }

  /** Whether what is said is heard. Where it cannot even be said for so long, nobody is to rely on news meanwhile. */
  async #echoes(over: AbortSignal): Promise<boolean> {
    const { echoMs } = this.#pace;
    const said = `${toOneself}${crypto.randomUUID()}`;
    const heard = new AbortController();
    this.#echo = { said, heard: () => heard.abort() };
    this.#triedAt = performance.now();
    const isLate = setTimeout(() => this.#tell(false, over), echoMs).unref();
    try {
      await this.#line.say(said);
      await quiet(echoMs, AbortSignal.any([over, heard.signal]));
      await turn(); // a process that was busy meanwhile may have it before it, unread
    } finally {
      clearTimeout(isLate);
    }
    return heard.signal.aborted;
  }

  #hear(said: string, stop: AbortSignal): void {
    if (said === this.#echo?.said) this.#echo.heard();
    if (said.startsWith(toOneself) || stop.aborted) return;
    for (const watcher of [...this.#watchers]) watcher.news(said);
  }

  #tell(isLive: boolean, stop: AbortSignal): void {
    if (stop.aborted || isLive === this.#isLive) return;
    this.#isLive = isLive;
    for (const watcher of [...this.#watchers]) watcher.live(isLive);
  }
}

/** Whether a line carries a word within so many milliseconds. Rejects where it cannot be opened. */
export async function carries(line: Line, withinMs: number): Promise<boolean> {
  const said = `${toOneself}${crypto.randomUUID()}`;
  const heard = new AbortController();
  const open = await line.open(
    (one) => one === said && heard.abort(),
    () => {},
  );
  try {
    await line.say(said);
    await pause(withinMs, undefined, { signal: heard.signal }).catch(() => {});
    return heard.signal.aborted;
  } finally {
    open.close();
  }
}

/** So many milliseconds, or until the signal fires. */
const quiet = (ms: number, signal: AbortSignal): Promise<void> =>
  pause(ms, undefined, { signal, ref: false }).catch(() => {});
