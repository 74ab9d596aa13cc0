import { type Command, Option } from "commander";
import { fold } from "../../core/fold.ts";
import { isEnded } from "../../core/run-record.ts";
import type { VersionPolicy } from "../../engine/options.ts";
import { readJournal } from "../../lens/journal.ts";
import { advance } from "../advance.ts";
import { budgetOf, type LimitFlags } from "../amounts.ts";
import { answering, type Known } from "../document.ts";
import { loadOrigin } from "../load/origin.ts";
import { type AdvanceFlags, advancing, maxTokensOption, type OriginFlags, ofRun } from "../options.ts";
import { fullRunId } from "../run-id.ts";
import { readSettings } from "../settings.ts";
import { openKnown } from "../stores.ts";

interface Flags extends LimitFlags, OriginFlags, AdvanceFlags {
  readonly forceVersion?: boolean;
  readonly versionPolicy?: VersionPolicy;
  readonly store?: string;
}

/** `flujo resume RUN` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  const command = program
    .command("resume <run>")
    .description(
      "Go on with a run: crashed, interrupted, failed, halted, waiting. The first characters of its id are enough.",
    )
    .option("--budget <amount>", "a new limit: '$1.00' (in single quotes); what is spent stays spent")
    .addOption(maxTokensOption("a new limit of tokens"))
    .addOption(
      new Option(
        "--version-policy <policy>",
        "go on under the run's own version alone, under one that fits what is recorded (default), or under any",
      ).choices(["strict", "compatible", "force"]),
    )
    .option("--force-version", "--version-policy force");
  advancing(ofRun(command)).action(async (run: string, flags: Flags) =>
    done(await answering(flags, (known) => resume(run, flags, known))),
  );
}

/** @returns the exit code. */
export async function resume(name: string, flags: Flags, known: Known): Promise<number> {
  budgetOf(flags);
  known.runId = name;
  const settings = await readSettings(flags);
  const store = await openKnown(settings.store, name);
  try {
    const runId = await fullRunId(store, name);
    known.runId = runId;
    const past = (await readJournal(store, runId)) ?? [];
    const run = fold(past);
    known.pipeline = run.created?.pipeline ?? null;
    known.fingerprint = run.fingerprint || null;
    const loaded = await loadOrigin(runId, run, `flujo resume ${runId}`, flags);
    const budget = isEnded(run) ? undefined : budgetOf(flags, run.limits);
    const options = {
      ...(budget === undefined ? {} : { budget }),
      ...(flags.versionPolicy === undefined ? {} : { version: flags.versionPolicy }),
      ...(flags.forceVersion ? { forceVersion: true } : {}),
    };
    const { budget: _, ...rest } = settings; // of new runs; this one has its own
    return await advance({
      loaded,
      store,
      settings: rest,
      flags,
      known,
      past,
      begin: (flujo) => flujo.resume(runId, options),
    });
  } finally {
    await store.close();
  }
}
