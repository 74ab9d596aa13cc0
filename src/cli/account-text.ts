/** Shared budgets, as text for people. */
import { picoUsd } from "../core/limits.ts";
import type { AccountView, HoldView } from "../lens/accounts.ts";
import type { SpentView } from "../lens/readable.ts";
import { count, duration, limitName, money } from "./format.ts";
import { printable, redact } from "./terminal.ts";

/** One account: what it may spend, has spent, and holds, each hold with its run, call and age. */
export function accountText(account: AccountView): string {
  const { scope, posted, pending, holds, waiting, alerts } = account;
  const lines = [
    `scope    ${scope}`,
    `limits   ${limitsText(account.limits)}`,
    `spent    ${spentText(posted)}`,
    `held     ${spentText(pending)}`,
  ];
  if (account.leftUsd !== null) lines.push(`left     ${signedMoney(account.leftUsd)}`);
  if (waiting > 0) lines.push(`waiting  ${count(waiting, "call")}`);
  for (const { percent, of, runId } of alerts)
    lines.push(`alert    ${percent} % of its ${limitName(of)} limit, by run ${runId}`);
  for (const hold of holds) lines.push(`  ${holdText(hold)}`);
  return redact(lines.map(printable).join("\n"));
}

function holdText({ amount, runId, path, model, ageMs }: HoldView): string {
  return `${costOf(amount)} for ${model} at ${path} of run ${runId}, for ${duration(ageMs)}`;
}

function limitsText({ costUsd, tokens, calls, toolCalls }: AccountView["limits"]): string {
  const limits = [
    ...(costUsd === undefined ? [] : [`$${costUsd}`]),
    ...(tokens === undefined ? [] : [count(tokens, "token")]),
    ...(calls === undefined ? [] : [count(calls, "call")]),
    ...(toolCalls === undefined ? [] : [count(toolCalls, "tool call")]),
  ];
  return limits.length === 0 ? "none: it only counts" : limits.join(", ");
}

function spentText(spent: SpentView): string {
  const { calls, toolCalls = 0 } = spent;
  const tokens = spent.inputTokens + spent.outputTokens;
  return [
    costOf(spent),
    ...(calls === 0 ? [] : [count(calls, "call")]),
    ...(toolCalls === 0 ? [] : [count(toolCalls, "tool call")]),
    ...(tokens === 0 ? [] : [count(tokens, "token")]),
  ].join(", ");
}

const costOf = ({ costUsd }: SpentView): string => money(picoUsd(`$${costUsd}`));

/** What is left is less than nothing where a provider has billed beyond its cap, or a limit was lowered. */
const signedMoney = (usd: string): string =>
  usd.startsWith("-") ? `-${money(picoUsd(`$${usd.slice(1)}`))}` : money(picoUsd(`$${usd}`));
