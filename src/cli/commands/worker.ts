import type { Command } from "commander";
import { capsOf } from "../../core/caps.ts";
import { defaultQueue } from "../../core/dispatch.ts";
import { type Duration, milliseconds } from "../../core/duration.ts";
import { InvalidOptionError } from "../../core/errors.ts";
import { versionOf } from "../../core/fingerprint.ts";
import { allotted } from "../../engine/within.ts";
import type { Dispatcher } from "../../ports/dispatcher.ts";
import { openEngine } from "../engines.ts";
import {
  anyStoreOption,
  engineOption,
  graceOption,
  hostOption,
  linesOption,
  queuesOption,
  wholeNumber,
} from "../options.ts";
import { portOf } from "../port.ts";
import { queuesOf } from "../queues.ts";
import { readSettings } from "../settings.ts";
import { openStore } from "../stores.ts";
import type { Inventory } from "../up/folder.ts";
import { enter, inventoryOf, serve, type Taking } from "../up/serve.ts";

interface Flags {
  readonly pipelines: string;
  readonly engine?: string;
  readonly queues: string;
  readonly concurrency: number;
  readonly port?: number;
  readonly host?: string;
  readonly grace: Duration;
  readonly for?: Duration;
  readonly store?: string;
  readonly json?: boolean;
}

/** A run of another version of its pipeline is left to workers that have it for so long. Who ends soon leaves nothing: others may not come. */
const patienceMs = 15_000;
/** A run that was submitted is left to the engine for so long, before it is taken from the store. */
const headStartMs = 15_000;

/** `flujo worker` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  program
    .command("worker")
    .description(
      "Advance the runs that are submitted, and those that are abandoned, due or answered, for the pipelines of a folder. Relative paths begin in the folder.",
    )
    .option("--pipelines <dir>", "the folder of flujo.config.ts and the pipelines", ".")
    .addOption(engineOption())
    .addOption(queuesOption(defaultQueue))
    .option("--concurrency <count>", "runs it advances at once, at most", wholeNumber(1), 100)
    .option("--port <number>", "answers /health and /metrics there; 0: any that is free", portOf)
    .addOption(hostOption())
    .addOption(graceOption())
    .option("--for <duration>", "ends by itself after so long, or when nothing waits: 50s")
    .addOption(anyStoreOption())
    .addOption(linesOption())
    .action(async (flags: Flags) => done(await worker(flags)));
}

async function worker(flags: Flags): Promise<number> {
  const graceMs = milliseconds(flags.grace);
  const time = flags.for === undefined ? undefined : allotted({ within: flags.for }, Date.now());
  const queues = queuesOf(flags.queues);
  const folder = enter(flags.pipelines);
  const settings = await readSettings(flags);
  capsOf(settings.tenants, settings.queues); // a slip of the pen is told before anything is made
  const inventory = await inventoryOf(folder, settings);
  const dispatcher = settings.engine === undefined ? undefined : await openEngine(settings.engine, "worker");
  const store = typeof settings.store === "string" ? await openStore(settings.store) : settings.store;
  try {
    const { concurrency: most, port, host } = flags;
    const taking: Taking = {
      most,
      choice: {
        ...(queues === undefined ? {} : { queues }),
        versions: { own: versionsIn(inventory), patienceMs: time === undefined ? patienceMs : 0 },
        ...(dispatcher === undefined ? {} : { headStartMs: time === undefined ? headStartMs : 0 }),
      },
      engine: dispatcher && { dispatcher, queues: queuesAt(dispatcher, queues) },
    };
    const http = port === undefined ? undefined : ({ what: "health", port, host } as const);
    const json = flags.json === true;
    return await serve({ folder, settings, inventory, store, graceMs, json, http, taking, time });
  } finally {
    await dispatcher?.close();
    await store.close();
  }
}

/** @throws InvalidOptionError: an engine hands over runs of queues that are named. */
function queuesAt(dispatcher: Dispatcher, queues: readonly string[] | undefined): readonly string[] {
  if (queues !== undefined) return queues;
  throw new InvalidOptionError(`--queues '*' does not go with an engine: ${dispatcher.name} asks for names`, {
    hint: "Name them: --queues default,mail",
  });
}

const versionsIn = ({ pipelines }: Inventory): ReadonlyMap<string, string> =>
  new Map(pipelines.map(({ name, node }) => [name, versionOf(node).fingerprint]));
