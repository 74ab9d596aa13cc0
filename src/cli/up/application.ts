/** The pipelines of a folder, served by one process on one store: a `Runner` each, and what they share. */
import { dirname } from "node:path";
import { models } from "../../agents/models.ts";
import { capsOf } from "../../core/caps.ts";
import { milliseconds } from "../../core/duration.ts";
import { FlujoError } from "../../core/errors.ts";
import { Lookout } from "../../dispatch/lookout.ts";
import type { Drained } from "../../engine/options.ts";
import { Runner } from "../../engine/runner.ts";
import type { Allotment } from "../../engine/within.ts";
import { Hooks } from "../../events/hooks.ts";
import type { Outbox } from "../../events/outbox.ts";
import type { Dispatcher, Shift } from "../../ports/dispatcher.ts";
import type { Instrument } from "../../ports/instrument.ts";
import type { Listener } from "../../ports/listener.ts";
import type { Store } from "../../ports/store.ts";
import type { World } from "../../ports/world.ts";
import { releaseAt } from "../../release.ts";
import type { Running, Served } from "../../server/parts.ts";
import { attachHooks } from "../hooks.ts";
import { outboxOf } from "../outbox.ts";
import type { Settings } from "../settings.ts";
import type { Offered } from "./folder.ts";
import type { Tell } from "./happening.ts";
import { RunTales } from "./run-tales.ts";
import { timetableOf } from "./schedules.ts";
import type { Taking } from "./serve.ts";

export interface ApplicationParts {
  readonly store: Store;
  readonly world: World;
  readonly settings: Settings;
  readonly pipelines: readonly Offered[];
  /** Beside those of the settings. */
  readonly instruments: readonly Instrument[];
  readonly tell: Tell;
  /** Default: all that nobody attends to, up to 1,000 runs at once. */
  readonly taking?: Taking;
  /** What is told of runs that are submitted here. */
  readonly dispatcher?: Dispatcher;
  /** Absent: it goes on until it is told to end. */
  readonly time?: Allotment | undefined;
  /** Nothing is under way that was found in the store, and nothing was there to be taken. */
  readonly onIdle?: (() => void) | undefined;
}

/** What works beside the runs, from the start of the application until no new runs are to begin. */
export interface Sideline {
  start(): void | Promise<void>;
  stop(): Promise<void>;
}

/** How often deliveries are looked for that other processes have left. */
const sweepEveryMs = 15_000;

/** An application that is served. */
export class Application {
  /** How runs of each pipeline are started and gone on with. */
  readonly served: readonly Served[];
  /** What tells the sinks, where there are any. */
  readonly outbox: Outbox | undefined;
  readonly #runners: readonly Runner<unknown, unknown>[];
  readonly #listeners: readonly Listener[];
  readonly #sidelines: readonly Sideline[];
  readonly #lookout: Lookout;

  /** @throws InvalidOptionError for hooks, sinks, scopes or a lease that cannot be used. */
  constructor(parts: ApplicationParts) {
    const { store, world, settings, pipelines, tell } = parts;
    const onError = ({ message }: FlujoError): void => tell({ type: "trouble", message });
    const hooks = new Hooks(world, onError);
    attachHooks(settings, hooks);
    this.outbox = outboxOf(settings, store, { onError, sweepEveryMs });
    this.#listeners = this.outbox === undefined ? [hooks] : [hooks, this.outbox];
    const all = models(settings.models);
    const runners = pipelines.map((one) => ({ one, runner: runnerOf(one, parts, all, this.#listeners) }));
    this.#runners = runners.map(({ runner }) => runner);
    if (parts.time !== undefined) for (const runner of this.#runners) runner.limit(parts.time);
    this.served = runners.map(({ one, runner }) => ({ step: one.step, flujo: started(runner, settings) }));
    const starters = new Map(pipelines.map(({ name }, i) => [name, (this.served[i] as Served).flujo])); // as many
    const lookout = lookoutOf(runners, parts);
    this.#lookout = lookout;
    const shift = shiftOf(lookout, parts);
    this.#sidelines = [lookout, ...(shift ? [shift] : []), timetableOf({ store, world, starters, tell })];
  }

  /** The runs under way. */
  get running(): number {
    return this.#runners.reduce((sum, { running }) => sum + running.length, 0);
  }

  /** The runs that wait for somebody, and that nothing here can go on with: their version is another, say. */
  get refused(): number {
    return this.#lookout.refused;
  }

  /** From now on it goes on with what nobody attends to, and delivers what is left undelivered. */
  async start(): Promise<void> {
    this.outbox?.watch();
    for (const sideline of this.#sidelines) await sideline.start();
  }

  /** Begins nothing any more; what is under way has so many milliseconds to finish. */
  async drain(graceMs: number): Promise<Drained> {
    const began = performance.now();
    await Promise.all(this.#sidelines.map((sideline) => sideline.stop()));
    const left = Math.max(0, Math.round(graceMs - (performance.now() - began)));
    const drained = await Promise.all(this.#runners.map((runner) => runner.drain(`${left}ms`)));
    const handedOver = new Set(this.#lookout.letGo);
    for (const one of drained) for (const runId of one.handedOver) handedOver.add(runId);
    return {
      handedOver: [...handedOver],
      cutOff: drained.flatMap(({ cutOff }) => cutOff),
    };
  }

  /** Gives hooks, sinks and instruments a while for what they are about; what is left is somebody else's. */
  async leave(): Promise<void> {
    await Promise.all(this.#listeners.map((listener) => listener.leave()));
    await Promise.all(this.#runners.map((runner) => runner[Symbol.asyncDispose]()));
  }
}

function runnerOf(
  { step, name, file, export: exported }: Offered,
  { store, world, settings, instruments, tell, dispatcher }: ApplicationParts,
  all: ReturnType<typeof models>,
  listeners: readonly Listener[],
): Runner<unknown, unknown> {
  const { lease, scopes, version, instrument = [] } = settings;
  const release = releaseAt(dirname(file));
  const tales = new RunTales(name, tell);
  return new Runner(step, {
    store,
    world,
    models: all,
    takeOver: false, // the lookout does, for all of them
    origin: { file, export: exported },
    ...(dispatcher === undefined ? {} : { dispatcher }),
    instrument: [...[instrument].flat(), ...instruments],
    listeners: [
      ...listeners.map(shared),
      { ...silent, hear: (runId, entries) => tales.hear(runId, entries) },
    ],
    ...(lease === undefined ? {} : { lease }),
    ...(version === undefined ? {} : { version }),
    ...(release === undefined ? {} : { release }),
    ...(scopes === undefined ? {} : { scopes }),
  });
}

const silent = { enter: async (): Promise<void> => {}, leave: async (): Promise<void> => {} };

/** Several runners have it: it leaves when the last of them has. */
const shared = (listener: Listener): Listener => ({
  enter: (runId) => listener.enter(runId),
  hear: (runId, entries, stop) => listener.hear(runId, entries, stop),
  leave: silent.leave,
});

/** New runs have the limit of the settings, unless they are given one; those that exist keep theirs. */
function started(runner: Runner<unknown, unknown>, { budget }: Settings): Running {
  return {
    start: (input, options) =>
      runner.start(input, { ...(budget === undefined ? {} : { budget }), ...options }),
    submit: (input, options) =>
      runner.submit(input, { ...(budget === undefined ? {} : { budget }), ...options }),
    fork: (from, options) => runner.fork(from, { ...(budget === undefined ? {} : { budget }), ...options }),
    resume: (runId, options) => runner.resume(runId, options),
    replay: (runId, options) => runner.replay(runId, options),
    signal: (runId, path, payload, options) => runner.signal(runId, path, payload, options),
    cancel: (runId, reason) => runner.cancel(runId, reason),
    topUp: (target, by) => runner.topUp(target, by),
    events: (runId, options) => runner.events(runId, options),
  };
}

function lookoutOf(
  runners: readonly { readonly one: Offered; readonly runner: Runner<unknown, unknown> }[],
  { store, world, tell, taking, settings, time, onIdle }: ApplicationParts,
): Lookout {
  const { tenants, queues, lease = "15s" } = settings;
  const caps = capsOf(tenants, queues);
  return new Lookout({
    store,
    world,
    leaseMs: milliseconds(lease),
    ...(taking === undefined ? {} : { most: taking.most }),
    choice: { ...taking?.choice, ...(caps === undefined ? {} : { caps }) },
    ...(time === undefined ? {} : { until: time.endsAt - time.leastMs }),
    letGo: ({ pipeline, runId }) => runners.find(({ one }) => one.name === pipeline)?.runner.letGo(runId),
    pipelines: new Map(
      runners.map(
        ({ one, runner }) => [one.name, (runId, why) => runner.adopt(runId, why).result()] as const,
      ),
    ),
    tell: {
      refused: ({ runId, pipeline }, error) =>
        tell({ type: "run-refused", runId, pipeline, ...wordsOf(error) }),
      foreign: ({ pipeline, runId }) => tell({ type: "left-alone", pipeline, runId }),
      store: (trouble) => tell({ type: "trouble", message: troubleWith(store.name, trouble) }),
      ...(onIdle === undefined ? {} : { idle: onIdle }),
    },
  });
}

function troubleWith(name: string, trouble: unknown): string {
  if (trouble === undefined) return `${name} answers again`;
  const { message, hint } = wordsOf(trouble);
  return `${name} does not answer: ${message}${hint === null ? "" : `. ${hint}`}`;
}

/** Takes the jobs that a dispatcher hands over, where there is one. What it never hands over the lookout finds. */
function shiftOf(lookout: Lookout, { taking, tell }: ApplicationParts): Sideline | undefined {
  const engine = taking?.engine;
  if (engine === undefined) return undefined;
  const { dispatcher, queues } = engine;
  let shift: Shift | undefined;
  return {
    async start() {
      shift = await dispatcher.work({
        queues,
        concurrency: taking?.most ?? 1,
        room: () => lookout.room,
        take: (job) => lookout.take(job),
        onTrouble: (trouble) => tell({ type: "trouble", message: troubleWith(dispatcher.name, trouble) }),
      });
    },
    stop: async () => shift?.stop(),
  };
}

/** What an error says, and what to do about it. */
export function wordsOf(error: unknown): { readonly message: string; readonly hint: string | null } {
  const message = error instanceof Error ? error.message : String(error);
  return { message, hint: (FlujoError.isInstance(error) && error.hint) || null };
}
