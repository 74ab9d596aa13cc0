/** What a person may enter next. */
import { BudgetExceededError, type ExceededLimit, type FlujoError } from "../core/errors.ts";
import { decimalUsd, picoUsd, type Spent } from "../core/limits.ts";
import type { Store } from "../ports/store.ts";

/** Where a run is, as the next command has to be told. */
export interface Whereabouts {
  readonly runId: string;
  readonly store: Store;
  /** The value of `--store`, if it was given: the next command needs it, too. */
  readonly flag: string | undefined;
}

/** `flujo resume r1 --store file:runs`; nothing where the run is gone with this process. */
export function resumeCommand({ runId, store, flag }: Whereabouts): string | undefined {
  if (store.durability === "volatile") return undefined;
  return `flujo resume ${runId}${storePart(flag)}`;
}

/** What a halted run goes on with: more of the limit that refused, and enough of it. */
export function waysOn(where: Whereabouts, error: FlujoError, spent: Spent): string {
  const resume = resumeCommand(where) ?? "";
  const exceeded = error instanceof BudgetExceededError ? error.exceeded : undefined;
  // Without figures there is a price to be given; a place has its limit from the pipeline. The hint says so.
  if (exceeded === undefined || exceeded.of === "place") return resume;
  if (exceeded.of === "run" && exceeded.limit === "cost")
    return `${resume} --budget '$${decimalUsd(enough(exceeded, spent))}'`;
  if (exceeded.of === "run" && exceeded.limit === "tokens")
    return `${resume} --max-tokens ${enough(exceeded, spent)}`;
  return `flujo budget top-up ${topUpWords(where, exceeded, spent)} && ${resume}`;
}

function topUpWords({ runId, flag }: Whereabouts, exceeded: ExceededLimit, spent: Spent): string {
  const { of, scope, limit, allowed } = exceeded;
  const name = of === "run" ? runId : shellWord(scope);
  const more = larger(enough(exceeded, spent) - allowed, least[limit]);
  const words = {
    cost: `'$${decimalUsd(more)}'`,
    tokens: `--tokens ${more}`,
    calls: `--calls ${more}`,
    toolCalls: `--tool-calls ${more}`,
    time: `--time ${(more + 999n) / 1_000n}s`,
  };
  return `${name} ${words[limit]}${storePart(flag)}`;
}

/** Less than this is no proposal to go on with: most single calls cost or use as much. */
const least = { cost: picoUsd("$0.01"), tokens: 10_000n, calls: 1n, toolCalls: 1n, time: 60_000n };

/** The limit doubled, and at least what is used by now and what was refused. A clock goes on while the run stands. */
function enough({ of, limit, allowed, used, needed }: ExceededLimit, spent: Spent): bigint {
  const ofRun = {
    cost: spent.picoUsd,
    tokens: BigInt(spent.inputTokens + spent.outputTokens),
    calls: BigInt(spent.calls),
    toolCalls: BigInt(spent.toolCalls),
    time: used,
  };
  const now = of === "run" ? larger(used, ofRun[limit]) : used;
  const rest = limit === "time" ? larger(allowed, least.time) : needed;
  return larger(larger(2n * allowed, now + rest), least[limit]);
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

const storePart = (flag: string | undefined): string =>
  flag === undefined ? "" : ` --store ${shellWord(flag)}`;

/** Said instead of it. */
export const keptInMemory =
  "It was kept in memory only and is gone. Choose a store to be able to resume: --store sqlite:.flujo/flujo.db";

export const shellWord = (text: string): string =>
  /^[\w:./@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
