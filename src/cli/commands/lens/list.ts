import { type Command, Option } from "commander";
import type { RunStatus } from "../../../core/fold.ts";
import { runLine } from "../../../lens/list.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import { atStore, type LookFlags, looking, sayEmpty, wholeNumber } from "../../recorded.ts";
import { listText } from "../../report.ts";
import { result } from "../../terminal.ts";

export const statuses: readonly RunStatus[] = [
  "running",
  "completed",
  "failed",
  "halted",
  "waiting",
  "cancelled",
];

interface Flags extends LookFlags {
  readonly status?: RunStatus;
  readonly pipeline?: string;
  readonly limit: number;
}

/** `flujo lens list` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("list")
    .description("The runs of a store, newest first.")
    .addOption(new Option("--status <status>", "only those that stand so").choices(statuses))
    .option("--pipeline <name>", "only those of this pipeline")
    .addOption(new Option("--limit <count>", "at most so many").default(100).argParser(wholeNumber));
  looking(command).action(async (flags: Flags) => done(await list(flags)));
}

async function list(flags: Flags): Promise<number> {
  const { status, pipeline, limit } = flags;
  const filter = {
    limit,
    ...(status === undefined ? {} : { status: [status] }),
    ...(pipeline === undefined ? {} : { pipeline }),
  };
  const now = Date.now();
  const runs = await atStore(flags, [], async (store) =>
    (await store.list(filter)).map((run) => runLine(run, now)),
  );
  if (flags.json) await printJson({ runs });
  else if (runs.length > 0) await result(`${listText(runs)}\n`);
  else
    await sayEmpty(
      `no ${[status, "runs"].filter(Boolean).join(" ")}${pipeline === undefined ? "" : ` of ${pipeline}`}`,
      flags,
    );
  return exit.completed;
}
