/** One process that serves a folder of pipelines, from its first word to its last: what `flujo up` and `flujo worker` share. */
import { statSync } from "node:fs";
import { relative, resolve } from "node:path";
import { FlujoError } from "../../core/errors.ts";
import { Backlog } from "../../dispatch/backlog.ts";
import type { ChoiceOptions } from "../../dispatch/choice.ts";
import type { Allotment } from "../../engine/within.ts";
import { nodeWorld } from "../../node-world.ts";
import type { Dispatcher } from "../../ports/dispatcher.ts";
import type { Store } from "../../ports/store.ts";
import { serverApp } from "../../server/app.ts";
import { type Listening, listen } from "../../server/listen.ts";
import { pages } from "../../server/pages.ts";
import { answerPages } from "../answer-pages.ts";
import { exit } from "../exit.ts";
import { farewell } from "../farewell.ts";
import { CommandError, sayError } from "../letter.ts";
import { strayFault } from "../load/fault.ts";
import type { Settings } from "../settings.ts";
import { ownVersion } from "../version.ts";
import { Application, wordsOf } from "./application.ts";
import { healthApp, type Metrics, metricsApp, metricsOf } from "./endpoints.ts";
import { type Inventory, pipelinesIn } from "./folder.ts";
import type { Tell } from "./happening.ts";
import { teller } from "./telling.ts";

/** Everything begins in the folder: its configuration, its prices, its store. */
export function enter(dir: string): string {
  const folder = resolve(dir);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    throw new CommandError("usage", `there is no folder ${folder}`, "Name the folder of flujo.config.ts.");
  }
  process.chdir(folder);
  return folder;
}

function nothingIn(folder: string, { broken }: Inventory): CommandError {
  const [first] = broken;
  if (first !== undefined) {
    const { message, hint } = wordsOf(first.error);
    const more = broken.length > 1 ? `, and ${broken.length - 1} more cannot be loaded either` : "";
    return new CommandError(
      "cannot-load",
      `there is nothing to serve in ${folder}: ${message}${more}`,
      hint ?? undefined,
    );
  }
  return new CommandError(
    "no-pipeline",
    `there is nothing to serve in ${folder}: no file in it, or in its folder pipelines, exports a pipeline`,
    "Name the folder, flujo up DIR; or the files, in flujo.config.ts: pipelines: [ … ]",
  );
}

/** What is served, and how. */
export interface Service {
  readonly folder: string;
  readonly settings: Settings;
  readonly inventory: Inventory;
  readonly store: Store;
  readonly graceMs: number;
  readonly json: boolean;
  /** Absent: no HTTP is answered. */
  readonly http?: Http | undefined;
  /** What it takes of the runs that nobody attends to. Default: all, as they come, up to 1,000 at once. */
  readonly taking?: Taking;
  /** What is told of runs that are submitted over HTTP. */
  readonly dispatcher?: Dispatcher | undefined;
  /** It ends by itself when this time is over, or when there is nothing to do. Absent: it goes on until it is told to end. */
  readonly time?: Allotment | undefined;
}

export interface Http {
  /** `all`: the API, pages and the rest. `health`: `/health` and `/metrics` alone. */
  readonly what: "all" | "health";
  readonly port?: number | undefined;
  readonly host?: string | undefined;
}

/** What a worker takes. */
export interface Taking {
  readonly most: number;
  readonly choice: ChoiceOptions;
  /** What hands runs to it, beside what is found in the store. */
  readonly engine?: { readonly dispatcher: Dispatcher; readonly queues: readonly string[] } | undefined;
}

/** @throws CommandError for a folder that has nothing to serve. */
export async function inventoryOf(folder: string, settings: Settings): Promise<Inventory> {
  const inventory = await pipelinesIn(folder, settings.pipelines);
  if (inventory.pipelines.length === 0) throw nothingIn(folder, inventory);
  return inventory;
}

/** @returns the exit code, when it was asked to end and has. */
export async function serve(service: Service): Promise<number> {
  const { folder, settings, inventory, store, http, taking, dispatcher, time } = service;
  const tell = teller(service.json);
  const { pipelines, broken } = inventory;
  const metrics = http ? await metricsOf() : undefined;
  const bye = farewell();
  const application = new Application({
    store,
    world: nodeWorld(),
    settings,
    pipelines,
    instruments: metrics === undefined || "missing" in metrics ? [] : [metrics],
    tell,
    ...(taking === undefined ? {} : { taking }),
    ...(dispatcher === undefined ? {} : { dispatcher }),
    time,
    onIdle: time && (() => application.running === 0 && bye.end()),
  });
  let stopping = false;
  const listening = http && metrics && (await answer(service, http, application, metrics, () => stopping));
  const stray = watchStray(tell, bye.end);
  for (const { file, error } of broken)
    tell({ type: "not-served", file: relative(folder, file), ...wordsOf(error) });
  tell({
    type: "serving",
    version: ownVersion(),
    folder,
    store: store.name,
    pipelines: pipelines.map(({ name, file }) => ({ name, file: relative(folder, file) })),
    url: listening?.url ?? null,
    ...(taking === undefined ? {} : { queues: taking.choice.queues ?? null }),
    ...(taking?.engine === undefined ? {} : { engine: taking.engine.dispatcher.name }),
  });
  await application.start();
  const over = time && setTimeout(bye.end, time.endsAt - Date.now());
  await bye.asked;
  clearTimeout(over);
  stopping = true;
  const graceMs = time === undefined ? service.graceMs : Math.min(service.graceMs, leftIn(time));
  tell({ type: "stopping", running: application.running, graceMs });
  endAtLast(graceMs);
  const isProbe = http?.what === "health"; // it goes on saying that the process stops
  const [drained] = await Promise.all([
    application.drain(graceMs),
    isProbe ? undefined : listening?.close(graceMs),
  ]);
  await application.leave();
  if (isProbe) await listening?.close(lastAnswersMs);
  tell({ type: "stopped", ...drained });
  bye.off();
  stray.off();
  return drained.cutOff.length > 0 || stray.isOurs() ? exit.failed : exit.completed;
}

/** What is left, and as much as it may take to give runs up. */
const leftIn = ({ endsAt }: Allotment): number => Math.max(0, endsAt - Date.now()) + givingUpMs;
const givingUpMs = 500;

/** What is asked for in the end is answered within so many milliseconds, or cut off. */
const lastAnswersMs = 1_000;

/** @throws InvalidOptionError when it cannot listen there. */
async function answer(
  { settings, store, inventory, taking }: Service,
  { what, port, host }: Http,
  application: Application,
  metrics: Metrics,
  isStopping: () => boolean,
): Promise<Listening> {
  const names = inventory.pipelines.map(({ name }) => name);
  const world = nodeWorld();
  const backlog = new Backlog(store, world, names);
  let isGuarded = true;
  const health = healthApp(application, store, names, { isStopping, isGuarded: () => isGuarded });
  const app = serverApp({
    store,
    world,
    pipelines: application.served,
    ...(application.outbox === undefined ? {} : { outbox: application.outbox }),
    options: {
      ...settings.server,
      ...(port === undefined ? {} : { port }),
      ...(host === undefined ? {} : { host }),
    },
    mounts: [
      { at: "/health", app: health },
      {
        at: "/metrics",
        app: metricsApp(metrics, application, backlog, taking?.choice.queues ?? []),
        role: "viewer",
      },
      ...(what === "all" ? [answerPages(settings, store, application.served)] : []),
    ],
    ...(what === "all" ? { pages: pages() } : { hasApi: false }),
  });
  isGuarded = app.guarded;
  return listen(app);
}

/**
 * Errors of the users' code that no step awaits: the run they belong to is unknown, and the other runs go on. One that
 * points to us ends the process.
 */
function watchStray(
  tell: Tell,
  end: () => void,
): { readonly isOurs: () => boolean; readonly off: () => void } {
  let isOurs = false;
  const hear = (error: unknown): void => {
    const fault = strayFault(error);
    if (fault !== undefined) {
      tell({ type: "trouble", message: `an error that no step awaits: ${fault}` });
      return;
    }
    isOurs = true;
    sayError(error);
    end();
  };
  process.on("uncaughtException", hear); // of promises, too
  return { isOurs: () => isOurs, off: () => void process.off("uncaughtException", hear) };
}

/** What goodbyes may take beside the grace: hooks, sinks and instruments have bounds of their own below this. */
const farewellMs = 20_000;

/** Whatever hangs then is left behind: what is recorded is safe, and leases end by themselves. */
function endAtLast(graceMs: number): void {
  const end = (): never => {
    sayError(new FlujoError("stuck", "something does not come to its end; this process leaves it behind"));
    process.exit(exit.failed);
  };
  setTimeout(end, graceMs + farewellMs).unref();
}
