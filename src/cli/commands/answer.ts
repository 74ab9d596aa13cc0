import type { Command } from "commander";
import { fold } from "../../core/fold.ts";
import type { RunRecord } from "../../core/run-record.ts";
import { sendSignal } from "../../engine/signals.ts";
import { readJournal } from "../../lens/journal.ts";
import { nodeWorld } from "../../node-world.ts";
import type { Store } from "../../ports/store.ts";
import { answering } from "../document.ts";
import { exit } from "../exit.ts";
import { jsonOf } from "../input.ts";
import { CommandError } from "../letter.ts";
import { loadOrigin } from "../load/origin.ts";
import { resumeCommand } from "../next.ts";
import { onlyQuestion } from "../only-question.ts";
import { ofRun } from "../options.ts";
import { fullRunId } from "../run-id.ts";
import { readSettings } from "../settings.ts";
import { openKnown } from "../stores.ts";
import { say } from "../terminal.ts";
import { whoAmI } from "../user.ts";
import { resume } from "./resume.ts";

interface Flags {
  readonly note?: string;
  readonly text?: string;
  readonly data?: string;
  readonly by?: string;
  readonly file?: string;
  readonly export?: string;
  readonly store?: string;
  readonly resume?: boolean;
}

type Done = (exitCode: number) => void;

/** `flujo approve RUN [PATH]` */
export function declareApprove(program: Command, done: Done): void {
  const command = program
    .command("approve <run> [path]")
    .description("Say yes to what a run asks. The path is needed where it asks several things.")
    .option("--note <text>", "what the run is told besides");
  common(command).action(async (run: string, path: string | undefined, flags: Flags) =>
    done(await answer("approve", run, path, flags, approval(true, flags))),
  );
}

/** `flujo reject RUN [PATH]` */
export function declareReject(program: Command, done: Done): void {
  const command = program
    .command("reject <run> [path]")
    .description("Say no to what a run asks. The path is needed where it asks several things.")
    .option("--note <text>", "why, for the run");
  common(command).action(async (run: string, path: string | undefined, flags: Flags) =>
    done(await answer("reject", run, path, flags, approval(false, flags))),
  );
}

/** `flujo answer RUN [PATH]` */
export function declareAnswer(program: Command, done: Done): void {
  const command = program
    .command("answer <run> [path]")
    .description("Answer what a run asks, in words or as JSON. flujo inbox shows what is asked.");
  common(payload(command)).action(async (run: string, path: string | undefined, flags: Flags) =>
    done(await answer("answer", run, path, flags, given(flags))),
  );
}

/** `flujo signal RUN PATH` */
export function declareSignal(program: Command, done: Done): void {
  const command = program
    .command("signal <run> <path>")
    .description(
      "Send an event to a run that waits, or will wait, for it. [] in the path: any item or turn.",
    );
  common(payload(command)).action(async (run: string, path: string, flags: Flags) =>
    done(await answer("signal", run, path, flags, given({ data: "null", ...flags }))),
  );
}

const payload = (command: Command): Command =>
  command.option("--text <text>", "a text").option("--data <json>", "JSON");

const common = (command: Command): Command =>
  ofRun(
    command
      .option("--by <name>", "who answers (default: whoever is logged in)")
      .option("--resume", "go on with the run here and now"),
  );

const approval = (approved: boolean, { note }: Flags) =>
  note === undefined ? { approved } : { approved, note };

/** @throws CommandError */
function given({ text, data }: Flags): unknown {
  if (text !== undefined) return text;
  if (data !== undefined) return jsonOf(data, "--data");
  throw new CommandError("usage", "there is no answer", "Write one: --text 'a text', or --data '{\"a\":1}'.");
}

async function answer(
  command: string,
  name: string,
  path: string | undefined,
  flags: Flags,
  what: unknown,
): Promise<number> {
  const settings = await readSettings(flags);
  const store = await openKnown(settings.store, name);
  let runId: string;
  try {
    runId = await fullRunId(store, name);
    const run = fold((await readJournal(store, runId)) ?? []);
    const at = path ?? onlyQuestion(run, runId);
    const tree = isApproval(run, at)
      ? undefined
      : (await loadOrigin(runId, run, `flujo ${command} ${runId} ${at}`, flags)).node;
    const by = flags.by ?? whoAmI();
    await sendSignal({ store, world: nodeWorld(), tree }, runId, at, what, { by });
    say(`Run ${runId} has it for ${at}.`);
    if (!flags.resume) tellNext(store, runId, flags);
  } finally {
    await store.close();
  }
  return flags.resume ? answering({}, (known) => resume(runId, flags, known)) : exit.completed;
}

function tellNext(store: Store, runId: string, flags: Flags): void {
  const next = resumeCommand({ runId, store, flag: flags.store });
  if (next !== undefined) say(`Unless a program goes on with it: ${next}`);
}

/** An approval is known for one without the pipeline, so that nobody has to load it. */
function isApproval(run: RunRecord, path: string): boolean {
  if (run.questions.has(path)) return true;
  const awaited = run.awaited.get(path);
  return awaited?.kind === "human" && awaited.answer === undefined;
}
