import { type Command, Option } from "commander";
import { carryCursors, cursors } from "../../events/cursor.ts";
import { untoldRuns } from "../../events/undelivered.ts";
import { type Copied, type CopyOptions, copyRuns } from "../../lens/copy.ts";
import { nodeWorld } from "../../node-world.ts";
import type { Store } from "../../ports/store.ts";
import { printJson } from "../document.ts";
import { exit } from "../exit.ts";
import { count } from "../format.ts";
import { type SelectionFlags, selecting, selectionOf } from "../lens/selection.ts";
import { CommandError } from "../letter.ts";
import { jsonOption, quietOption } from "../options.ts";
import { fullRunId } from "../run-id.ts";
import { isThere, nameOf, openStore } from "../stores.ts";
import { printable, say } from "../terminal.ts";

interface Flags extends SelectionFlags {
  readonly move?: boolean;
  readonly run?: readonly string[];
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

/** `flujo store copy FROM TO` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  const store = program.command("store").description("Stores as a whole.");
  const copy = store
    .command("copy <from> <to>")
    .description(
      "Copy runs that nobody advances from one store to another (sqlite:PATH, postgres://HOST/DATABASE, …), and compare each with what it was. Called again it goes on.",
    )
    .option("--move", "remove each run where it was once it is verified; takes waiting and halted ones along")
    .addOption(new Option("--run <id...>", "only these runs"));
  selecting(copy)
    .option("--dry-run", "only say what would be copied")
    .addOption(quietOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      "\nThe exit code is 0 when every run that was meant is there, 5 where some were left, 1 where one was not the same when it was read back.",
    )
    .action(async (from: string, to: string, flags: Flags) => done(await run(from, to, flags)));
}

async function run(fromUri: string, toUri: string, flags: Flags): Promise<number> {
  if (fromUri === toUri)
    throw new CommandError("usage", `both stores are ${nameOf(toUri)}`, "Name two: FROM, then TO.");
  for (const uri of [fromUri, toUri])
    if (uri.startsWith("memory:"))
      throw new CommandError("usage", "a store in memory ends with this command", "Name one that stays.");
  if (!isThere(fromUri)) {
    throw new CommandError(
      "usage",
      `there is no store ${nameOf(fromUri)}`,
      "A relative path begins in the folder you are in.",
    );
  }
  const isDry = flags.dryRun ?? false;
  const from = await openStore(fromUri);
  try {
    // A look makes nothing: what is not there is looked at as an empty one.
    const to = await openStore(isDry && !isThere(toUri) ? "memory:" : toUri);
    try {
      return await between(from, isDry && to.name === "memory:" ? { ...to, name: nameOf(toUri) } : to, flags);
    } finally {
      await to.close();
    }
  } finally {
    await from.close();
  }
}

async function between(from: Store, to: Store, flags: Flags): Promise<number> {
  const { move: isMove = false, dryRun: isDry = false, quiet = false, json = false } = flags;
  const ids = flags.run && new Set(await Promise.all(flags.run.map((name) => fullRunId(from, name))));
  const untold = isMove ? await untoldRuns(from) : new Set<string>();
  const told = isMove ? await toldSinks(from) : new Map<string, string[]>();
  const options: CopyOptions = {
    ...selectionOf(flags),
    ...{ from, to, world: nodeWorld(), isMove, isDry },
    ...(ids === undefined ? {} : { ids }),
    reasonToKeep: (runId) =>
      untold.has(runId)
        ? "a sink has not been told all its events: let flujo up or a worker tell them first (flujo outbox)"
        : undefined,
    onLeave: (runId) => carryCursors(from, to, runId, told.get(runId) ?? []),
    ...(quiet ? {} : { onRun: progress }),
  };
  const copied = await copyRuns(options);
  if (json) await printJson(copied);
  else tell(copied);
  if (copied.faults.length > 0) return exit.failed;
  return copied.left.length > 0 ? exit.refused : exit.completed;
}

/** The sinks that are told of a run that has not ended, by its id. */
async function toldSinks(store: Store): Promise<ReadonlyMap<string, string[]>> {
  const sinks = new Map<string, string[]>();
  for await (const { sink, runId } of cursors(store)) sinks.set(runId, [...(sinks.get(runId) ?? []), sink]);
  return sinks;
}

const tellEvery = 500;

function progress(looked: number): void {
  if (looked % tellEvery === 0) say(`${count(looked, "run")} so far`);
}

/** Runs that are named. */
const mostShown = 50;

function tell({ isDry, isMove, from, to, runs, left, faults }: Copied): void {
  for (const { runId, what } of faults) say(printable(`run ${runId}: ${what}`));
  for (const { runId, why } of left.slice(0, mostShown)) say(printable(`left ${runId}: ${why}`));
  if (left.length > mostShown)
    say(`… and ${(left.length - mostShown).toLocaleString("en")} more: --json has them all`);
  const were = runs.filter(({ wasThere }) => wasThere).length;
  const told = [
    `${count(runs.length - were, "run")} ${isDry ? "would be " : ""}${isMove ? "moved" : "copied"} from ${from} to ${to}`,
    ...(were > 0 ? [`${were.toLocaleString("en")} there before`] : []),
    ...(left.length > 0 ? [`${left.length.toLocaleString("en")} left`] : []),
    ...(faults.length > 0 ? [count(faults.length, "fault")] : []),
  ];
  say(`${told.join(", ")}.${isDry ? " Nothing was written." : ""}`);
}
