import type { Command } from "commander";
import { type Duration, milliseconds } from "../../core/duration.ts";
import { openEngine } from "../engines.ts";
import { anyStoreOption, graceOption, hostOption, linesOption, queuesOption } from "../options.ts";
import { portOf } from "../port.ts";
import { queuesOf } from "../queues.ts";
import { readSettings } from "../settings.ts";
import { openStore } from "../stores.ts";
import { enter, inventoryOf, serve } from "../up/serve.ts";

interface Flags {
  readonly port?: number;
  readonly host?: string;
  readonly http: boolean;
  readonly queues: string;
  readonly grace: Duration;
  readonly store?: string;
  readonly json?: boolean;
}

/** Runs it advances at once. */
const mostAtOnce = 1_000;

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
    .addOption(queuesOption("*"))
    .addOption(graceOption())
    .addOption(anyStoreOption())
    .addOption(linesOption())
    .action(async (dir: string | undefined, flags: Flags) => done(await up(dir ?? ".", flags)));
}

async function up(dir: string, flags: Flags): Promise<number> {
  const graceMs = milliseconds(flags.grace);
  const queues = queuesOf(flags.queues);
  const folder = enter(dir);
  const settings = await readSettings(flags);
  const inventory = await inventoryOf(folder, settings);
  const dispatcher =
    settings.engine === undefined ? undefined : await openEngine(settings.engine, "submitter");
  const store = typeof settings.store === "string" ? await openStore(settings.store) : settings.store;
  try {
    const { port, host } = flags;
    const http = flags.http ? ({ what: "all", port, host } as const) : undefined;
    const json = flags.json === true;
    const taking = queues === undefined ? {} : { taking: { most: mostAtOnce, choice: { queues } } };
    return await serve({ folder, settings, inventory, store, graceMs, json, http, dispatcher, ...taking });
  } finally {
    await dispatcher?.close();
    await store.close();
  }
}
