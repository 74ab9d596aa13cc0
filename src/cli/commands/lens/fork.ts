import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { InvalidOptionError } from "../../../core/errors.ts";
import { fold } from "../../../core/fold.ts";
import { limitsOf } from "../../../core/limits.ts";
import type { Node } from "../../../core/node.ts";
import type { Overlay } from "../../../core/overlay.ts";
import { settingAt } from "../../../core/overlay-at.ts";
import type { ForkOptions } from "../../../engine/options.ts";
import { rootOf } from "../../../engine/root.ts";
import { readJournal } from "../../../lens/journal.ts";
import { advance } from "../../advance.ts";
import { budgetOf, type LimitFlags } from "../../amounts.ts";
import { answering, type Known } from "../../document.ts";
import { jsonOf } from "../../input.ts";
import { loadOrigin } from "../../load/origin.ts";
import { type AdvanceFlags, advancing, maxTokensOption, type OriginFlags, ofRun } from "../../options.ts";
import { fullRunId } from "../../run-id.ts";
import { readSettings, type Settings } from "../../settings.ts";
import { openKnown } from "../../stores.ts";

export interface ForkFlags extends LimitFlags, OriginFlags, AdvanceFlags {
  readonly at: string;
  readonly setInput?: string;
  readonly setPrompt?: readonly string[];
  readonly setSystem?: readonly string[];
  readonly setModel?: readonly string[];
  readonly overlay?: string;
  readonly runId?: string;
  readonly forceVersion?: boolean;
  readonly store?: string;
}

/** `flujo lens fork RUN --at PATH` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("fork <run>")
    .description(
      "Start a new run that shares what a run has recorded, but for a point and what follows from it, and pays only for that.",
    )
    .requiredOption("--at <path>", "the point: a place or an operation, as flujo lens show tells it")
    .option("--set-input <json>", "the input of the place at the point")
    .option(
      "--set-prompt <text...>",
      "the prompt of the agent at the point, or PATH=TEXT; @FILE for a file's text",
    )
    .option("--set-system <text...>", "its system prompt, in the same ways")
    .option("--set-model <model...>", "its model, in the same ways")
    .option("--overlay <file>", "a JSON Patch (RFC 6902) over prompts and settings of agents")
    .option("--run-id <id>", "the new run's id (default: a new one)")
    .option(
      "--budget <amount>",
      "the most it may cost: '$0.50' (in single quotes); the shared part costs nothing",
    )
    .addOption(maxTokensOption())
    .option("--force-version", "share also what is recorded of places that have changed since");
  advancing(ofRun(command)).action(async (run: string, flags: ForkFlags) => done(await fork(run, flags)));
}

/** @returns the exit code: that of the new run. */
export const fork = (name: string, flags: ForkFlags): Promise<number> =>
  answering(flags, (known) => forkKnown(name, flags, known));

async function forkKnown(name: string, flags: ForkFlags, known: Known): Promise<number> {
  budgetOf(flags); // a slip of the pen is told before anything loads
  const input = flags.setInput === undefined ? undefined : jsonOf(flags.setInput, "--set-input");
  known.runId = flags.runId ?? null;
  const settings = await readSettings(flags);
  const store = await openKnown(settings.store, name);
  try {
    const runId = await fullRunId(store, name);
    const run = fold((await readJournal(store, runId)) ?? []);
    const loaded = await loadOrigin(runId, run, `flujo lens fork ${runId} --at ${flags.at}`, flags);
    const budget = budgetFor(flags, settings, loaded.node);
    const options: ForkOptions = {
      at: flags.at,
      overlay: overlayOf(flags, loaded.node),
      ...(input === undefined ? {} : { input }),
      ...(flags.runId === undefined ? {} : { runId: flags.runId }),
      ...(budget === undefined ? {} : { budget }),
      ...(settings.scopes === undefined ? {} : { scopes: settings.scopes }),
      ...(flags.forceVersion ? { forceVersion: true } : {}),
    };
    return await advance({
      loaded,
      store,
      settings,
      flags,
      known,
      begin: (flujo) => flujo.fork(runId, options),
    });
  } finally {
    await store.close();
  }
}

/** The flags over the configuration's limits, else over the pipeline's own. */
function budgetFor(flags: ForkFlags, { budget }: Settings, node: Node) {
  const standing = budget === undefined ? rootOf(node).limits : limitsOf(budget);
  return budgetOf(flags, standing) ?? budget;
}

/** The file's patch, then what the flags set. */
function overlayOf(flags: ForkFlags, node: Node): Overlay {
  const { setPrompt = [], setSystem = [], setModel = [], at } = flags;
  const sets = (field: string, texts: readonly string[]) =>
    texts.map((text) => set(rootOf(node).node, at, field, text));
  return [
    ...(flags.overlay === undefined ? [] : patchIn(flags.overlay)),
    ...sets("prompt", setPrompt),
    ...sets("system", setSystem),
    ...sets("model", setModel),
  ];
}

function set(root: Node, at: string, field: string, text: string): Overlay[number] {
  const [, path = at, value = text] = /^(\/[^=]+)=(.*)$/s.exec(text) ?? [];
  return settingAt(root, path, field, value.startsWith("@") ? textIn(value.slice(1)) : value);
}

/** @throws InvalidOptionError */
function textIn(file: string): string {
  try {
    return readFileSync(file, "utf8").replace(/\n$/, "");
  } catch (error) {
    throw new InvalidOptionError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** @throws InvalidOptionError */
function patchIn(file: string): Overlay {
  const patch: unknown = jsonOf(textIn(file), file);
  if (Array.isArray(patch)) return patch as Overlay; // each operation is looked at when it is applied
  throw new InvalidOptionError(`${file} is no JSON Patch`, {
    hint: 'It is a list: [{ "op": "replace", "path": "/~1q3~1summarise/system", "value": "Be brief." }]',
  });
}
