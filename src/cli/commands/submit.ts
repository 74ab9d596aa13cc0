import type { Command } from "commander";
import { models as modelsOf } from "../../agents/models.ts";
import { checkedTerms } from "../../core/dispatch.ts";
import { type Duration, milliseconds } from "../../core/duration.ts";
import { InvalidOptionError } from "../../core/errors.ts";
import { limitsOf } from "../../core/limits.ts";
import { checkedScope } from "../../core/scopes.ts";
import type { Submitted } from "../../engine/options.ts";
import { rootOf } from "../../engine/root.ts";
import { Flujo } from "../../flujo.ts";
import type { Dispatcher } from "../../ports/dispatcher.ts";
import type { Store } from "../../ports/store.ts";
import { budgetOf, type LimitFlags } from "../amounts.ts";
import { printJson } from "../document.ts";
import { openEngine } from "../engines.ts";
import { exit } from "../exit.ts";
import { inputOf, stateOf } from "../input.ts";
import { type Loaded, loadPipeline } from "../load/pipeline.ts";
import {
  anyStoreOption,
  budgetOption,
  engineOption,
  exportOption,
  inputJsonOption,
  inputOption,
  jsonOption,
  maxTokensOption,
  runIdOption,
  scopeOption,
  stateOption,
  wholeNumber,
} from "../options.ts";
import { readSettings, type Settings } from "../settings.ts";
import { openStore } from "../stores.ts";
import { result, say } from "../terminal.ts";

interface Flags extends LimitFlags {
  readonly input?: string;
  readonly inputJson?: string;
  readonly stateJson?: string;
  readonly runId?: string;
  readonly queue?: string;
  readonly priority?: number;
  readonly delay?: Duration;
  readonly tenant?: string;
  readonly scope?: readonly string[];
  readonly engine?: string;
  readonly store?: string;
  readonly export?: string;
  readonly json?: boolean;
}

/** `flujo submit FILE` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  program
    .command("submit <file>")
    .description(
      "Make a run of the pipeline of a file, print its id and return: flujo worker, or flujo up, goes on with it. The same --run-id again makes no second one.",
    )
    .addOption(inputOption())
    .addOption(inputJsonOption())
    .addOption(stateOption())
    .addOption(runIdOption())
    .option("--queue <name>", "which workers may take it (default: default)")
    .option("--priority <number>", "from 0 to 1000: higher ones go first", wholeNumber(0))
    .option("--delay <duration>", "how long from now it is not to begin: 10m, 2h, 3d")
    .option("--tenant <name>", "for whom it is: tenants take turns")
    .addOption(budgetOption())
    .addOption(maxTokensOption())
    .addOption(scopeOption())
    .addOption(engineOption())
    .addOption(anyStoreOption())
    .addOption(exportOption("to run"))
    .addOption(jsonOption())
    .action(async (file: string, flags: Flags) => done(await submit(file, flags)));
}

async function submit(file: string, flags: Flags): Promise<number> {
  const input = await inputOf(flags);
  stateOf(flags.stateJson);
  budgetOf(flags); // a slip of the pen is told before anything loads
  flags.scope?.forEach(checkedScope);
  checkedTerms(termsOf(flags));
  if (flags.delay !== undefined) milliseconds(flags.delay);
  const settings = await readSettings(flags);
  const loaded = await loadPipeline(file, flags.export);
  const dispatcher =
    settings.engine === undefined ? undefined : await openEngine(settings.engine, "submitter");
  const store = await storeOf(settings);
  try {
    const submitted = await madeOf({ loaded, settings, store, dispatcher, input, flags });
    await tell(submitted, rootOf(loaded.node).pipeline.name, flags);
    return exit.completed;
  } finally {
    await dispatcher?.close();
    await store.close();
  }
}

interface Parts {
  readonly loaded: Loaded;
  readonly settings: Settings;
  readonly store: Store;
  readonly dispatcher: Dispatcher | undefined;
  readonly input: unknown;
  readonly flags: Flags;
}

async function madeOf({ loaded, settings, store, dispatcher, input, flags }: Parts): Promise<Submitted> {
  const { models, scopes = [] } = settings;
  await using flujo = new Flujo(loaded.step, {
    store,
    origin: { file: loaded.file, export: loaded.export },
    takeOver: false,
    ...(dispatcher === undefined ? {} : { dispatcher }),
    ...(models === undefined ? {} : { models: modelsOf(models) }),
  });
  const standing = settings.budget === undefined ? rootOf(loaded.node).limits : limitsOf(settings.budget);
  const budget = budgetOf(flags, standing) ?? settings.budget;
  const state = stateOf(flags.stateJson);
  return await flujo.submit(input, {
    ...termsOf(flags),
    ...(flags.runId === undefined ? {} : { runId: flags.runId }),
    ...(flags.delay === undefined ? {} : { delay: flags.delay }),
    ...(budget === undefined ? {} : { budget }),
    ...(state === undefined ? {} : { state }),
    scopes: [...scopes, ...(flags.scope ?? [])],
  });
}

const termsOf = ({ queue, priority, tenant }: Flags) => ({
  ...(queue === undefined ? {} : { queue }),
  ...(priority === undefined ? {} : { priority }),
  ...(tenant === undefined ? {} : { tenant }),
});

/** @throws InvalidOptionError for a store that nobody else could find the run in. */
async function storeOf({ store }: Settings): Promise<Store> {
  const opened = typeof store === "string" ? await openStore(store) : store;
  if (opened.durability !== "volatile") return opened;
  await opened.close();
  throw new InvalidOptionError(
    `${opened.name} forgets a run with this process, and no worker would ever find it`,
    { hint: "Name a store that lasts: --store sqlite:.flujo/flujo.db" },
  );
}

async function tell({ runId, isNew, untold }: Submitted, pipeline: string, flags: Flags): Promise<void> {
  if (untold !== undefined)
    say(`${untold.message}. The run is in the store; workers find it there, a little later.`);
  if (!isNew) say(`Run ${runId} was there already; it is left as it is.`);
  if (flags.json)
    await printJson({ runId, pipeline, isNew, untold: untold === undefined ? null : untold.message });
  else await result(`${runId}\n`);
}
