import { type Command, Option } from "commander";
import { InvalidOptionError, InvalidRunIdError } from "../../core/errors.ts";
import { fold } from "../../core/fold.ts";
import { limitsOf } from "../../core/limits.ts";
import type { Node } from "../../core/node.ts";
import { isRunId } from "../../core/paths.ts";
import { checkedScope } from "../../core/scopes.ts";
import { rootOf } from "../../engine/root.ts";
import { readJournal } from "../../lens/journal.ts";
import type { Store } from "../../ports/store.ts";
import { advance } from "../advance.ts";
import { budgetOf, type LimitFlags } from "../amounts.ts";
import { answering, type Known, printJson } from "../document.ts";
import { exit } from "../exit.ts";
import { inputOf, stateOf } from "../input.ts";
import { loadPipeline } from "../load/pipeline.ts";
import {
  type AdvanceFlags,
  advancing,
  anyStoreOption,
  budgetOption,
  exportOption,
  inputJsonOption,
  inputOption,
  maxTokensOption,
  runIdOption,
  scopeOption,
  stateOption,
  wholeNumber,
} from "../options.ts";
import { readSettings, type Settings } from "../settings.ts";
import { openStore } from "../stores.ts";
import { result } from "../terminal.ts";

interface Flags extends LimitFlags, AdvanceFlags {
  readonly input?: string;
  readonly inputJson?: string;
  readonly stateJson?: string;
  readonly runId?: string;
  readonly scope?: readonly string[];
  readonly store?: string;
  readonly export?: string;
  readonly dryRun?: boolean;
  readonly assumeTokens?: number;
  readonly assumeItems?: number;
}

/** `flujo run FILE` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("run <file>")
    .description("Run the pipeline of a TypeScript file. The same --run-id again goes on where it stopped.")
    .addOption(inputOption())
    .addOption(inputJsonOption())
    .addOption(stateOption())
    .addOption(runIdOption())
    .addOption(budgetOption())
    .addOption(maxTokensOption())
    .addOption(scopeOption())
    .addOption(anyStoreOption())
    .addOption(exportOption("to run"));
  advancing(command)
    .option("--dry-run", "say what it can cost at most, and did in past runs; call and store nothing")
    .addOption(
      new Option("--assume-tokens <count>", "in a dry run: tokens of each text not known yet").argParser(
        wholeNumber(0),
      ),
    )
    .addOption(
      new Option("--assume-items <count>", "in a dry run: items of each list not known yet").argParser(
        wholeNumber(0),
      ),
    )
    .action(async (file: string, flags: Flags) =>
      done(await answering(flags, (known) => (flags.dryRun ? price(file, flags) : run(file, flags, known)))),
    );
}

/** The dry run. */
async function price(file: string, flags: Flags): Promise<number> {
  const value = await inputOf(flags);
  const state = stateOf(flags.stateJson);
  budgetOf(flags);
  const settings = await readSettings(flags);
  const { node } = await loadPipeline(file, flags.export);
  const standing = settings.budget === undefined ? (rootOf(node).limits ?? {}) : limitsOf(settings.budget);
  const asked = budgetOf(flags, standing);
  const isGiven = flags.input !== undefined || flags.inputJson !== undefined;
  const { dryRun } = await import("../dry-run.ts");
  const dry = await dryRun({
    node,
    settings,
    limits: asked === undefined ? standing : limitsOf(asked),
    ...(isGiven ? { input: { value } } : {}),
    state,
    textTokens: flags.assumeTokens,
    items: flags.assumeItems,
  });
  if (flags.json) await printJson(dry);
  else await result(`${(await import("../dry-run-text.ts")).dryRunText(dry)}\n`);
  return exit.completed;
}

async function run(file: string, flags: Flags, known: Known): Promise<number> {
  if (flags.assumeTokens !== undefined || flags.assumeItems !== undefined) {
    throw new InvalidOptionError(
      "--assume-tokens and --assume-items are for a --dry-run; a run assumes nothing",
    );
  }
  const input = await inputOf(flags);
  const state = stateOf(flags.stateJson);
  budgetOf(flags); // a slip of the pen is told before anything loads
  flags.scope?.forEach(checkedScope);
  known.runId = flags.runId ?? null;
  const settings = await readSettings(flags);
  const loaded = await loadPipeline(file, flags.export);
  const store = typeof settings.store === "string" ? await openStore(settings.store) : settings.store;
  try {
    const budget = await budgetFor(flags, settings, loaded.node, store);
    const scopes = [...(settings.scopes ?? []), ...(flags.scope ?? [])];
    const options = {
      ...(scopes.length === 0 ? {} : { scopes }),
      ...(flags.runId === undefined ? {} : { runId: flags.runId }),
      ...(budget === undefined ? {} : { budget }),
      ...(state === undefined ? {} : { state }),
    };
    return await advance({
      loaded,
      store,
      settings,
      flags,
      known,
      begin: (flujo) => flujo.start(input, options),
    });
  } finally {
    await store.close();
  }
}

/** The flags over the limits that stand: those of the run, if it exists; else the configuration's, else the pipeline's own. */
async function budgetFor(flags: Flags, { budget }: Settings, node: Node, store: Store) {
  const { pipeline, limits } = rootOf(node);
  if (flags.runId !== undefined && (await exists(store, flags.runId, pipeline.name))) {
    return flags.budget === undefined && flags.maxTokens === undefined
      ? undefined
      : budgetOf(flags, fold((await readJournal(store, flags.runId)) ?? []).limits);
  }
  return budgetOf(flags, budget === undefined ? limits : limitsOf(budget)) ?? budget;
}

/** @throws InvalidRunIdError when the run of that id is another pipeline's. */
async function exists(store: Store, runId: string, pipeline: string): Promise<boolean> {
  if (!isRunId(runId)) return false; // the engine says what is wrong with it
  const [first] = (await store.read(runId, 0, 1)) ?? [];
  if (first?.type !== "run-created") return false;
  if (first.pipeline === pipeline) return true;
  throw new InvalidRunIdError(
    `run ${runId} exists, and it is one of the pipeline "${first.pipeline}", not of "${pipeline}"`,
    {
      runId,
      hint: "Choose another run id.",
    },
  );
}
