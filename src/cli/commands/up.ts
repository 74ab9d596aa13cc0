import { statSync } from "node:fs";
import { relative, resolve } from "node:path";
import type { Command } from "commander";
import { type Duration, milliseconds } from "../../core/duration.ts";
import { FlujoError } from "../../core/errors.ts";
import { nodeWorld } from "../../node-world.ts";
import type { Store } from "../../ports/store.ts";
import { serverApp } from "../../server/app.ts";
import { type Listening, listen } from "../../server/listen.ts";
import { pages } from "../../server/pages.ts";
import { answerPages } from "../answer-pages.ts";
import { exit } from "../exit.ts";
import { farewell } from "../farewell.ts";
import { CommandError, sayError } from "../letter.ts";
import { strayFault } from "../load/fault.ts";
import { anyStoreOption, hostOption } from "../options.ts";
import { portOf } from "../port.ts";
import { readSettings, type Settings } from "../settings.ts";
import { openStore } from "../stores.ts";
import { Application, wordsOf } from "../up/application.ts";
import { healthApp, type Metrics, metricsApp, metricsOf } from "../up/endpoints.ts";
import { type Inventory, pipelinesIn } from "../up/folder.ts";
import type { Tell } from "../up/happening.ts";
import { teller } from "../up/telling.ts";
import { ownVersion } from "../version.ts";

interface Flags {
  readonly port?: number;
  readonly host?: string;
  readonly http: boolean;
  readonly grace: Duration;
  readonly store?: string;
  readonly json?: boolean;
}

/** `flujo up [DIR]` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  program
    .command("up [dir]")
    .description(
      "Serve an application folder: go on with abandoned, due and answered runs, fire schedules, deliver events, answer HTTP. Relative paths begin in the folder.",
    )
    .option(
      "--port <number>",
      "of the HTTP server (default: flujo.config.ts, 3583); 0: any that is free",
      portOf,
    )
    .addOption(hostOption())
    .option("--no-http", "answer no HTTP")
    .option("--grace <duration>", "how long operations may take to finish on SIGTERM", "30s")
    .addOption(anyStoreOption())
    .option("--json", "print a line of JSON for each happening, on standard output")
    .action(async (dir: string | undefined, flags: Flags) => done(await up(dir ?? ".", flags)));
}

async function up(dir: string, flags: Flags): Promise<number> {
  const graceMs = milliseconds(flags.grace);
  const folder = enter(dir);
  const settings = await readSettings(flags);
  const inventory = await pipelinesIn(folder, settings.pipelines);
  if (inventory.pipelines.length === 0) throw nothingIn(folder, inventory);
  const store = typeof settings.store === "string" ? await openStore(settings.store) : settings.store;
  try {
    return await serve({ folder, settings, inventory, store, graceMs, flags });
  } finally {
    await store.close();
  }
}

/** Everything begins in the folder: its configuration, its prices, its store. */
function enter(dir: string): string {
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

interface Service {
  readonly folder: string;
  readonly settings: Settings;
  readonly inventory: Inventory;
  readonly store: Store;
  readonly graceMs: number;
  readonly flags: Flags;
}

async function serve(service: Service): Promise<number> {
  const { folder, settings, inventory, store, graceMs, flags } = service;
  const tell = teller(flags.json === true);
  const { pipelines, broken } = inventory;
  const metrics = flags.http ? await metricsOf() : undefined;
  const application = new Application({
    store,
    world: nodeWorld(),
    settings,
    pipelines,
    instruments: metrics === undefined || "missing" in metrics ? [] : [metrics],
    tell,
  });
  let stopping = false;
  const listening = metrics && (await answer(service, application, metrics, () => stopping));
  const bye = farewell();
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
  });
  await application.start();
  await bye.asked;
  stopping = true;
  tell({ type: "stopping", running: application.running, graceMs });
  endAtLast(graceMs);
  const [drained] = await Promise.all([application.drain(graceMs), listening?.close(graceMs)]);
  await application.leave();
  tell({ type: "stopped", ...drained });
  bye.off();
  stray.off();
  return drained.cutOff.length > 0 || stray.isOurs() ? exit.failed : exit.completed;
}

/** @throws InvalidOptionError when it cannot listen there. */
async function answer(
  { settings, store, inventory, flags }: Service,
  application: Application,
  metrics: Metrics,
  isStopping: () => boolean,
): Promise<Listening> {
  const names = inventory.pipelines.map(({ name }) => name);
  let isGuarded = true;
  const health = healthApp(application, store, names, { isStopping, isGuarded: () => isGuarded });
  const app = serverApp({
    store,
    world: nodeWorld(),
    pipelines: application.served,
    ...(application.outbox === undefined ? {} : { outbox: application.outbox }),
    options: {
      ...settings.server,
      ...(flags.port === undefined ? {} : { port: flags.port }),
      ...(flags.host === undefined ? {} : { host: flags.host }),
    },
    mounts: [
      { at: "/health", app: health },
      { at: "/metrics", app: metricsApp(metrics), role: "viewer" },
      answerPages(settings, store, application.served),
    ],
    pages: pages(),
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
