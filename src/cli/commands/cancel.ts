import type { Command } from "commander";
import { FlujoError } from "../../core/errors.ts";
import { fold } from "../../core/fold.ts";
import { isEnded } from "../../core/run-record.ts";
import { cancelRun } from "../../engine/cancel.ts";
import { readJournal } from "../../lens/journal.ts";
import { nodeWorld } from "../../node-world.ts";
import { nothingKnown } from "../document.ts";
import { exit } from "../exit.ts";
import { ofRun, yesOption } from "../options.ts";
import { outboxOf } from "../outbox.ts";
import { fullRunId } from "../run-id.ts";
import { readSettings } from "../settings.ts";
import { openKnown } from "../stores.ts";
import { say } from "../terminal.ts";
import { resume } from "./resume.ts";

interface Flags {
  readonly reason: string;
  readonly file?: string;
  readonly export?: string;
  readonly store?: string;
  readonly yes?: boolean;
}

/** `flujo cancel RUN` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("cancel <run>")
    .description(
      "Stop a run for good, wherever it runs. Calls already paid for are kept; what can be undone is undone.",
    )
    .option("--reason <text>", "why, for the journal", "by flujo cancel");
  ofRun(command, "where the pipeline is now, if something is to be undone (default: where the run came from)")
    .addOption(yesOption())
    .action(async (run: string, flags: Flags) => done(await cancel(run, flags)));
}

async function cancel(name: string, flags: Flags): Promise<number> {
  const { runId, outcome } = await cancelled(name, flags);
  switch (outcome) {
    case "kept":
      return exit.completed;
    case "cancelled":
      say(`Run ${runId} is cancelled.`);
      return exit.completed;
    case "told":
      say(
        `Run ${runId} is being advanced by another process, which has been told to stop and does so within a second.`,
      );
      return exit.completed;
    case "left":
      say(`Run ${runId} is to be cancelled, and what it has done is undone first.`);
      return undo(runId, flags);
  }
}

interface Cancelled {
  readonly runId: string;
  /** `kept`: it was not meant after all. */
  readonly outcome: Awaited<ReturnType<typeof cancelRun>> | "kept";
}

async function cancelled(name: string, { reason, yes, ...flags }: Flags): Promise<Cancelled> {
  const settings = await readSettings(flags);
  const store = await openKnown(settings.store, name);
  try {
    const runId = await fullRunId(store, name);
    if (!yes && process.stdin.isTTY && process.stderr.isTTY && !(await isMeant(runId)))
      return { runId, outcome: "kept" };
    const outbox = outboxOf(settings, store);
    const outcome = await cancelRun(store, nodeWorld(), runId, reason, (entries) =>
      outbox?.hear(runId, entries),
    );
    await outbox?.leave();
    return { runId, outcome };
  } finally {
    await store.close();
  }
}

/** Undoes with the pipeline the run came from, unless whoever serves that pipeline is faster. */
async function undo(runId: string, { file, export: name, store }: Flags): Promise<number> {
  const given = { ...(file && { file }), ...(name && { export: name }), ...(store && { store }) };
  let code: number;
  try {
    code = await resume(runId, given, nothingKnown());
  } catch (error) {
    if (!FlujoError.isInstance(error) || error.code !== "lease-held") throw error;
    say("Another process is about it already.");
    return exit.completed;
  }
  if (code !== exit.failed) return code;
  const again = await openKnown((await readSettings(given)).store, runId);
  try {
    return isEnded(fold((await readJournal(again, runId)) ?? [])) ? exit.completed : code;
  } finally {
    await again.close();
  }
}

/** A cancelled run cannot be resumed; a person is asked once more. */
async function isMeant(runId: string): Promise<boolean> {
  const { confirm } = await import("@clack/prompts");
  const message = `Stop run ${runId} for good? It cannot be resumed.`;
  return (await confirm({ message, initialValue: false, output: process.stderr })) === true;
}
