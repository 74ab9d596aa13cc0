/** How a run came to stand, for people: on stderr, with what to do next. Its output alone goes to stdout. */
import type { Wait } from "../core/waiting.ts";
import type { RunResult, Undone } from "../engine/options.ts";
import { readable } from "../lens/readable.ts";
import type { Store } from "../ports/store.ts";
import type { PriceLine } from "./document.ts";
import { count, duration, money, sourceText } from "./format.ts";
import { sayError } from "./letter.ts";
import { keptInMemory, resumeCommand, shellWord, waysOn } from "./next.ts";
import { paint, result, say, sayStyled } from "./terminal.ts";
import type { Seen } from "./watch.ts";

export interface Told {
  readonly pipeline: string;
  readonly tookMs: number;
  readonly seen: Seen;
  /** What its cost was reckoned by. */
  readonly prices: readonly PriceLine[];
  readonly quiet: boolean;
  readonly store: Store;
  /** The value of `--store`, if it was given. */
  readonly storeFlag: string | undefined;
}

/** A text as it is; anything else as JSON; nothing when there is nothing. */
export async function printOutput(output: unknown): Promise<void> {
  if (output === undefined) return;
  await result(typeof output === "string" ? `${output}\n` : `${JSON.stringify(readable(output), null, 2)}\n`);
}

export function tellEnding(run: RunResult<unknown>, told: Told): void {
  tellStanding(run, told);
  if (told.quiet) return;
  for (const price of told.prices) say(`${price.model} is charged by ${sourceText(price)}.`);
}

function tellStanding(run: RunResult<unknown>, told: Told): void {
  const { runId } = run;
  const where = { runId, store: told.store, flag: told.storeFlag };
  const resume = resumeCommand(where);
  switch (run.status) {
    case "completed":
      if (!told.quiet) sayStyled(`${paint("green", "✔")} ${told.pipeline} completed${facts(run, told)}`);
      return;
    case "failed":
      sayError(run.error);
      if (run.undone !== undefined) {
        say(`Run ${runId} failed${facts(run, told)}${undoneText(run.undone, resume)}`);
        return;
      }
      say(
        `Run ${runId} failed${facts(run, told)}. ${resume === undefined ? keptInMemory : `What it finished is kept: ${resume} tries the rest again.`}`,
      );
      return;
    case "cancelled":
      if (run.undone?.left.length) sayError(run.error);
      say(`Run ${runId} is cancelled${facts(run, told)}${undoneText(run.undone, resume)}`);
      return;
    case "halted":
      sayError(run.error);
      say(
        `Run ${runId} halted${facts(run, told)}. ${resume === undefined ? keptInMemory : `What it paid for is kept. To go on: ${waysOn(where, run.error, run.spent)}`}`,
      );
      return;
    case "waiting":
      say(`Run ${runId} waits${facts(run, told)}:`);
      for (const wait of run.waits) say(`  ${waitText(wait, told.seen)}`);
      say(resume === undefined ? keptInMemory : `${howToAnswer(run, told)}To go on: ${resume}`);
      return;
  }
}

/** What has become of a run's compensations: the end of a sentence. */
function undoneText(undone: Undone | undefined, resume: string | undefined): string {
  if (undone === undefined) return ".";
  const { places, left } = undone;
  const done = `, and ${count(places.length, "place")} ${places.length === 1 ? "is" : "are"} undone`;
  if (left.length === 0) return `${done}.`;
  const again = resume === undefined ? keptInMemory : `To try those again: ${resume}`;
  return `${done}, ${left.length} not. ${again}`;
}

function waitText({ path, kind, due }: Wait, { prompts }: Seen): string {
  const until = due === undefined ? "" : ` until ${new Date(due).toISOString()}`;
  return kind === "timer" ? `${path}  sleeps${until}` : `${path}  ${prompts.get(path) ?? ""}${until}`;
}

/** The commands that answer, where somebody is asked. */
function howToAnswer(
  run: Extract<RunResult<unknown>, { status: "waiting" }>,
  { storeFlag }: Pick<Told, "storeFlag">,
): string {
  const [first, ...more] = run.waits.filter(({ kind }) => kind === "human").map(({ path }) => path);
  if (first === undefined) return "";
  const at = more.length === 0 ? "" : " PATH";
  const store = storeFlag === undefined ? "" : ` --store ${shellWord(storeFlag)}`;
  const [yes, other] = ["approve", "answer"].map((command) => `flujo ${command} ${run.runId}${at}`);
  return `To answer: ${yes}${store}, or ${other} --data JSON${store}. `;
}

function facts({ runId, status, spent }: RunResult<unknown>, { tookMs }: Told): string {
  const cost = spent.calls === 0 ? [] : [money(spent.picoUsd), count(spent.calls, "call")];
  const id = status === "completed" ? [`run ${runId}`] : [];
  return ` (${[duration(tookMs), ...cost, ...id].join(", ")})`;
}
