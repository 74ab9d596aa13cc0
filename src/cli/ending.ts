/** How a run came to stand, for people: on stderr, with what to do next. Its output alone goes to stdout. */
import type { FlujoError } from "../core/errors.ts";
import { decimalUsd, type Limits, picoUsd } from "../core/limits.ts";
import type { RunResult } from "../engine/options.ts";
import { readable } from "../lens/readable.ts";
import type { Store } from "../ports/store.ts";
import type { PriceLine } from "./document.ts";
import { count, duration, money, sourceText } from "./format.ts";
import { sayError } from "./letter.ts";
import { keptInMemory, resumeCommand } from "./next.ts";
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
  const resume = resumeCommand({ runId, store: told.store, flag: told.storeFlag });
  switch (run.status) {
    case "completed":
      if (!told.quiet) sayStyled(`${paint("green", "✔")} ${told.pipeline} completed${facts(run, told)}`);
      return;
    case "failed":
      sayError(run.error);
      say(
        `Run ${runId} failed${facts(run, told)}. ${resume === undefined ? keptInMemory : `What it finished is kept: ${resume} tries the rest again.`}`,
      );
      return;
    case "cancelled":
      say(`Run ${runId} is cancelled${facts(run, told)}.`);
      return;
    case "halted":
      sayError(run.error);
      say(
        `Run ${runId} halted${facts(run, told)}. ${resume === undefined ? keptInMemory : `What it paid for is kept. To go on: ${resume}${isShared(run.error) ? "" : raised(told.seen.limits)}`}`,
      );
      return;
    case "waiting":
      say(`Run ${runId} waits${facts(run, told)}:`);
      for (const path of run.signals) say(`  ${path}  ${told.seen.prompts.get(path) ?? ""}`);
      say(
        resume === undefined
          ? keptInMemory
          : `Answer from a program, flujo.signal("${runId}", path, answer), then: ${resume}`,
      );
      return;
  }
}

function facts({ runId, status, spent }: RunResult<unknown>, { tookMs }: Told): string {
  const cost = spent.calls === 0 ? [] : [money(spent.picoUsd), count(spent.calls, "call")];
  const id = status === "completed" ? [`run ${runId}`] : [];
  return ` (${[duration(tookMs), ...cost, ...id].join(", ")})`;
}

/** Raising the run's own limit does not help where a budget it shares with others is used up; the hint says what does. */
const isShared = ({ hint }: FlujoError): boolean => hint?.includes("flujo budget top-up") === true;

/** Less than this is no proposal to go on with: most single calls cost or use as much. */
const leastRaised = { picoUsd: picoUsd("$0.01"), tokens: 10_000 };

/** The limit that holds, doubled: a proposal to go on with. */
function raised({ picoUsd: cost, tokens }: Limits): string {
  if (cost !== undefined) {
    const double = BigInt(cost) * 2n;
    const next = double > leastRaised.picoUsd ? double : leastRaised.picoUsd;
    return ` --budget '$${decimalUsd(next)}'`;
  }
  return tokens === undefined
    ? " --budget '$1.00'"
    : ` --max-tokens ${Math.max(tokens * 2, leastRaised.tokens)}`;
}
