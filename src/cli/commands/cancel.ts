import type { Command } from "commander";
import { cancelRun } from "../../engine/cancel.ts";
import { nodeWorld } from "../../node-world.ts";
import { exit } from "../exit.ts";
import { outboxOf } from "../outbox.ts";
import { fullRunId } from "../run-id.ts";
import { readSettings } from "../settings.ts";
import { openKnown } from "../stores.ts";
import { say } from "../terminal.ts";

interface Flags {
  readonly reason: string;
  readonly store?: string;
  readonly yes?: boolean;
}

/** `flujo cancel RUN` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  program
    .command("cancel <run>")
    .description("Stop a run for good, wherever it runs. Calls already paid for are kept.")
    .option("--reason <text>", "why, for the journal", "by flujo cancel")
    .option(
      "--store <uri>",
      "sqlite:PATH or file:DIR (default: FLUJO_STORE, flujo.config.ts, sqlite:.flujo/flujo.db)",
    )
    .option("--yes", "ask nothing")
    .action(async (run: string, flags: Flags) => done(await cancel(run, flags)));
}

async function cancel(name: string, { reason, yes, ...flags }: Flags): Promise<number> {
  const settings = await readSettings(flags);
  const store = await openKnown(settings.store, name);
  try {
    const runId = await fullRunId(store, name);
    if (!yes && process.stdin.isTTY && process.stderr.isTTY && !(await isMeant(runId))) return exit.completed;
    const outbox = outboxOf(settings, store);
    const outcome = await cancelRun(store, nodeWorld(), runId, reason, (entries) =>
      outbox?.hear(runId, entries),
    );
    await outbox?.leave();
    say(
      outcome === "cancelled"
        ? `Run ${runId} is cancelled.`
        : `Run ${runId} is being advanced by another process, which has been told to stop and does so within a second.`,
    );
    return exit.completed;
  } finally {
    await store.close();
  }
}

/** A cancelled run cannot be resumed; a person is asked once more. */
async function isMeant(runId: string): Promise<boolean> {
  const { confirm } = await import("@clack/prompts");
  const message = `Stop run ${runId} for good? It cannot be resumed.`;
  return (await confirm({ message, initialValue: false, output: process.stderr })) === true;
}
