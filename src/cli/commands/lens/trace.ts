import { type Command, Option } from "commander";
import { isWithin } from "../../../core/paths.ts";
import { trace } from "../../../lens/trace.ts";
import { printJson } from "../../document.ts";
import { exit } from "../../exit.ts";
import { atRun, type LookFlags, looking, type Recorded } from "../../lens/recorded.ts";
import { traceText } from "../../lens/trace-text.ts";
import { CommandError } from "../../letter.ts";
import { result } from "../../terminal.ts";
import { advancedBy } from "./show.ts";

interface Flags extends LookFlags {
  readonly at?: string;
  readonly full?: boolean;
}

/** `flujo lens trace RUN` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("trace <run>")
    .description(
      "A run as a tree: times, attempts, costs, decisions, state, and what went to and came from its models.",
    )
    .addOption(new Option("--at <path>", "only this place and what is inside"))
    .option("--full", "every text and every item whole");
  looking(command).action(async (name: string, flags: Flags) =>
    done(await atRun(name, flags, (run) => traceRun(run, flags))),
  );
}

/** Values of more characters are fetched only when they are shown whole. */
const mostFetched = 100_000;

async function traceRun(run: Recorded, { json, at, full = false }: Flags): Promise<number> {
  const { store, runId, entries } = run;
  const whole = json || full;
  const traced = await trace(runId, entries, async ({ hash, size }) =>
    whole || size <= mostFetched ? store.blob(hash) : undefined,
  );
  const operations =
    at === undefined ? traced.operations : traced.operations.filter(({ path }) => isWithin(path, at));
  if (at !== undefined && operations.length === 0) {
    throw new CommandError(
      "usage",
      `run ${runId} has recorded nothing at ${at}`,
      `flujo lens trace ${runId} shows the paths there are. A path with [ or # in it wants quotes.`,
    );
  }
  if (json) await printJson({ ...traced, operations });
  else await result(`${traceText({ ...traced, operations }, { advancedBy: await advancedBy(run), full })}\n`);
  return exit.completed;
}
