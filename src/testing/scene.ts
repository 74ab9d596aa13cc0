import type { Entry } from "../core/entries.ts";
import type { Step } from "../core/step.ts";
import type { EngineOptions, RunResult, StartOptions } from "../engine/options.ts";
import { Runner } from "../engine/runner.ts";
import type { Store } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { type CrashingStore, type CrashPoint, crashingStore } from "./crash-store.ts";
import { type Falters, falteringStore } from "./faltering-store.ts";
import { type RunBounds, type VirtualProcess, type VirtualWorld, virtualWorld } from "./virtual-world.ts";

/** How one process of a scene differs from an ordinary one. */
export type CastOptions<State> = Partial<EngineOptions<State>> & {
  /** Where it crashes, and how. */
  readonly crash?: CrashPoint;
  /** Which calls of its store fail. Default: none. */
  readonly falters?: Falters;
  /** Processes see one another die on the same host only. */
  readonly host?: string;
};

/** A process with a `Runner`, its own view of the scene's store, and its own death. */
export interface Cast<In, Out, State> {
  readonly process: VirtualProcess;
  readonly store: CrashingStore;
  readonly runner: Runner<In, Out, State>;
  /** Starts a run, or goes on with the one of that id, and lets time pass until it has come to stand. */
  run(input: In, options?: StartOptions): Promise<RunResult<Out>>;
}

/** A virtual world, a store that survives its processes, and the processes. */
export interface Scene {
  readonly world: VirtualWorld;
  /** What survives. */
  readonly store: Store;
  /** Starts a process that can run this step. */
  cast<In, Out, State>(step: Step<In, Out, State>, options?: CastOptions<State>): Cast<In, Out, State>;
  /** Lets time pass until the promise settles. */
  play<T>(promise: Promise<T>, bounds?: RunBounds): Promise<T>;
  /** Lets this much time pass. */
  wait(ms: number): Promise<void>;
  journal(runId: string): Promise<readonly Entry[]>;
}

/**
 * Sets a scene for tests of pipelines that need no real time, processes or store:
 *
 *     const { cast } = scene();
 *     const first = cast(greet, { crash: { commit: 2, when: "after" } });
 *     first.runner.start("Ada", { runId: "r" }); // dies at its second commit
 *     const result = await cast(greet).run("Ada", { runId: "r" });
 */
export function scene(options: { readonly seed?: number; readonly store?: Store } = {}): Scene {
  const { seed = 1, store = memory() } = options;
  const world = virtualWorld({ seed });
  const clock = world.process("clock");
  return {
    world,
    store,
    cast(step, { crash, falters, host, ...engine } = {}) {
      const process = world.process("process", host);
      const reached = falters === undefined ? store : falteringStore(store, falters);
      const own = crashingStore(reached, { process, crash });
      const runner = new Runner(step, { store: own, world: process, ...engine });
      return { process, store: own, runner, run: (input, start) => world.run(runner.run(input, start)) };
    },
    play: (promise, bounds) => world.run(promise, bounds),
    wait: (ms) => world.run(new Promise<void>((resolve) => void clock.timer(ms, resolve)), { ms: ms + 1 }),
    journal: async (runId) => (await store.read(runId, 0, Number.MAX_SAFE_INTEGER)) ?? [],
  };
}
