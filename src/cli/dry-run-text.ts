import type { Verdict } from "../budget/verdict.ts";
import { picoUsd } from "../core/limits.ts";
import type { DryRun, ExpectedView, PlaceView, WorstView } from "./dry-run.ts";
import { count, money, sourceText, tableText } from "./format.ts";

/** A dry run for people. */
export function dryRunText(dry: DryRun): string {
  const { pipeline, fingerprint, budget, worst, expected, places } = dry;
  const limits = [
    ...(budget.costUsd === undefined ? [] : [`$${budget.costUsd}`]),
    ...(budget.tokens === undefined ? [] : [count(budget.tokens, "token")]),
    ...(budget.calls === undefined ? [] : [count(budget.calls, "call")]),
  ];
  const rows = places.map(placeRow);
  const head = ["PLACE", "MODEL", "A CALL AT MOST", "TIMES", "AT MOST", "PAST RUNS"];
  const prices = new Map(
    places.flatMap(({ model, price }) => (model === null ? [] : [[model, price] as const])),
  );
  const lines = [
    `pipeline  ${pipeline}  ${fingerprint}`,
    `budget    ${limits.length === 0 ? "none" : limits.join(", ")}`,
    ...[...prices].map(
      ([model, price]) => `price     ${model}  ${price === null ? "not known" : sourceText(price)}`,
    ),
    "",
    ...(rows.length === 0 ? ["It calls no model."] : tableText([head, ...rows]).split("\n")),
    "",
    `at most   ${worstText(worst)}${worst.calls === null ? "" : `, ${count(worst.calls, "call")}`}`,
    ...(worst.costUsd === null && budget.costUsd !== undefined
      ? [`          the budget holds it at $${budget.costUsd}`]
      : []),
    ...worst.unbounded.map((why) => `          unbounded because ${why}`),
    `past      ${expected === null ? "no completed run of these places to go by" : expectedText(expected)}`,
    `verdict   ${verdictText[dry.verdict]}`,
    ...dry.why.filter((why) => !worst.unbounded.includes(why)).map((why) => `          ${why}`),
  ];
  return lines.join("\n");
}

const verdictText: { readonly [verdict in Verdict]: string } = {
  fits: "It fits the budget.",
  "might-not-fit": "It might not fit the budget: then it halts there, and can be topped up.",
  "cannot-fit": "It cannot fit the budget: the run would halt.",
  "no-budget": "There is no budget: --budget '$…' sets one.",
};

function placeRow({ place, model, price, call, times, worst, expected }: PlaceView): string[] {
  const input = [call?.inputTokens.toLocaleString("en"), ...(call?.unknownInput ?? [])].join(" + ");
  const what =
    price?.usdPerImage === undefined
      ? `${input} in, ${call?.outputTokens.toLocaleString("en")} out`
      : "an image";
  return [
    place,
    model ?? "in its body",
    call === null ? "" : `${what}${call.costUsd === null ? "" : `: ${usd(call.costUsd)}`}`,
    times.map(({ what, n }) => (n === undefined ? what : `${n} ${what}`)).join(" x "),
    worst === null ? "unknown" : worstText(worst),
    expected === null ? "" : `${usd(expected.meanUsd)}, p95 ${usd(expected.p95Usd)}`,
  ];
}

const usd = (decimal: string): string => money(picoUsd(`$${decimal}`));

function worstText({ costUsd, known }: WorstView): string {
  return costUsd === null ? `unbounded (${usd(known.costUsd)} is known)` : usd(costUsd);
}

function expectedText({ runs, meanUsd, p95Usd, mostUsd, meanCalls }: ExpectedView): string {
  return `${usd(meanUsd)} and ${count(meanCalls, "call")} on average of ${count(runs, "run")}; 95% cost at most ${usd(p95Usd)}, the dearest ${usd(mostUsd)}`;
}
