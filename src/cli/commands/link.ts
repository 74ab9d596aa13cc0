import type { Command } from "commander";
import type { Duration } from "../../core/duration.ts";
import { fold } from "../../core/fold.ts";
import { readJournal } from "../../lens/journal.ts";
import { exit } from "../exit.ts";
import { jsonOf } from "../input.ts";
import { onlyQuestion } from "../only-question.ts";
import { storeOption } from "../options.ts";
import { linksOf } from "../outbox.ts";
import { fullRunId } from "../run-id.ts";
import { readSettings } from "../settings.ts";
import { openKnown } from "../stores.ts";
import { result } from "../terminal.ts";

interface Flags {
  readonly for?: string;
  readonly answer?: string;
  readonly expires?: string;
  readonly store?: string;
}

/** `flujo link RUN [PATH]` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  program
    .command("link <run> [path]")
    .description(
      "A link by which what a run asks is answered, once. The path is needed where it asks several things.",
    )
    .option("--for <name>", "who answers by it, for the journal")
    .option("--answer <json>", `the answer itself, to be confirmed: '{"approved":true}'`)
    .option(
      "--expires <duration>",
      "how long it works, up to 90d (default: 7d, or as long as an answer is taken)",
    )
    .addOption(storeOption())
    .action(async (run: string, path: string | undefined, flags: Flags) =>
      done(await link(run, path, flags)),
    );
}

async function link(name: string, path: string | undefined, flags: Flags): Promise<number> {
  const settings = await readSettings(flags);
  const store = await openKnown(settings.store, name);
  try {
    const runId = await fullRunId(store, name);
    const at = path ?? onlyQuestion(fold((await readJournal(store, runId)) ?? []), runId);
    const made = await linksOf(settings, store).to(runId, at, {
      ...(flags.for === undefined ? {} : { by: flags.for }),
      ...(flags.answer === undefined ? {} : { answer: jsonOf(flags.answer, "--answer") }),
      ...(flags.expires === undefined ? {} : { expires: flags.expires as Duration }), // read, and refused, as one
    });
    await result(`${made}\n`);
    return exit.completed;
  } finally {
    await store.close();
  }
}
