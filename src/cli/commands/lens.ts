import { type Command, InvalidArgumentError, Option } from "commander";

import { UnknownRunError } from "../../core/errors.ts";
import type { RunStatus } from "../../core/fold.ts";
import { readJournal } from "../../lens/journal.ts";
import { type RunLine, runLine } from "../../lens/list.ts";
import { show } from "../../lens/show.ts";
import { printJson } from "../document.ts";
import { exit } from "../exit.ts";
import { listText, showText } from "../report.ts";
import { fullRunId } from "../run-id.ts";
import { readSettings } from "../settings.ts";
import { isThere, openKnown, openStore } from "../stores.ts";
import { result, say } from "../terminal.ts";
import { declare as serve } from "./lens/serve.ts";

const statuses: readonly RunStatus[] = ["running", "completed", "failed", "halted", "waiting", "cancelled"];
const storeHelp = "sqlite:PATH or file:DIR (default: FLUJO_STORE, flujo.config.ts, sqlite:.flujo/flujo.db)";

interface ListFlags {
  readonly status?: RunStatus;
  readonly limit: number;
  readonly store?: string;
  readonly json?: boolean;
}

interface ShowFlags {
  readonly store?: string;
  readonly json?: boolean;
}

/** `flujo lens list`, `flujo lens show RUN`, `flujo lens serve` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  const lens = program.command("lens").description("Look at recorded runs.");
  lens
    .command("list")
    .description("The runs of a store, newest first.")
    .addOption(new Option("--status <status>", "only those that stand so").choices(statuses))
    .addOption(new Option("--limit <count>", "at most so many").default(100).argParser(wholeNumber))
    .option("--store <uri>", storeHelp)
    .option("--json", "print one JSON document")
    .action(async (flags: ListFlags) => done(await list(flags)));
  lens
    .command("show <run>")
    .description("Everything recorded in a run. The first characters of its id are enough.")
    .option("--store <uri>", storeHelp)
    .option("--json", "print one JSON document, every value whole")
    .action(async (run: string, flags: ShowFlags) => done(await showRun(run, flags)));
  serve(lens, done);
}

async function list(flags: ListFlags): Promise<number> {
  const { store: uri } = await readSettings(flags);
  const runs = isThere(uri) ? await linesOf(uri, flags) : [];
  if (flags.json) await printJson({ runs });
  else if (runs.length > 0) await result(`${listText(runs)}\n`);
  else {
    const which = flags.status === undefined ? "no runs" : `no ${flags.status} runs`;
    say(`There are ${which} in ${typeof uri === "string" ? uri : uri.name}. Start one: flujo run FILE`);
    say("--store or FLUJO_STORE names another store; a relative path begins in the folder you are in.");
  }
  return exit.completed;
}

async function linesOf(uri: Parameters<typeof isThere>[0], { status, limit }: ListFlags): Promise<RunLine[]> {
  const store = typeof uri === "string" ? await openStore(uri) : uri;
  try {
    const runs = await store.list({ limit, ...(status === undefined ? {} : { status: [status] }) });
    return runs.map((run) => runLine(run, Date.now()));
  } finally {
    await store.close();
  }
}

/** Values of more characters are shown to people by their size. */
const mostShown = 100_000;

async function showRun(name: string, flags: ShowFlags): Promise<number> {
  const settings = await readSettings(flags);
  const store = await openKnown(settings.store, name);
  try {
    const runId = await fullRunId(store, name);
    const entries = (await readJournal(store, runId)) ?? [];
    if (entries.length === 0) {
      throw new UnknownRunError(`run ${runId} was given its id, and nothing else was recorded`, {
        runId,
        hint: "Its process died at the very beginning, before anything ran. Start it again with the same run id.",
      });
    }
    const report = await show(runId, entries, async (blob) =>
      flags.json || blob.size <= mostShown ? store.blob(blob.hash) : undefined,
    );
    const [listing] = (await store.list({ idPrefix: runId })).filter((run) => run.runId === runId);
    const advancedBy = listing === undefined ? null : runLine(listing, Date.now()).advancedBy;
    if (flags.json) await printJson(report);
    else await result(`${showText(report, advancedBy)}\n`);
    return exit.completed;
  } finally {
    await store.close();
  }
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("It takes a whole number from 1.");
}
