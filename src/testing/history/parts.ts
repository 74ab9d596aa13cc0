/** A history of the ledger as several: what is asked of accounts that no request names together can be judged apart. */
import type { Account } from "../../core/account.ts";
import type { Call } from "./call.ts";

/** All accounts, in groups: those that a request decides on together are in one. */
export function groupsOf(history: readonly Call[]): readonly ReadonlySet<string>[] {
  const groups = new Map<string, Set<string>>();
  const join = (scopes: readonly string[]): void => {
    const one = new Set(scopes.flatMap((scope) => [scope, ...(groups.get(scope) ?? [])]));
    for (const scope of one) groups.set(scope, one);
  };
  for (const call of history) {
    if (call.kind === "accounts") for (const scope of call.asked) join([scope]);
    if (call.kind === "ledger") join(decidedOn(call));
  }
  return [...new Set(groups.values())];
}

/** What is settled together was held together, or is the whole of what a dead run held: each by itself. */
function decidedOn({ asked }: Call<"ledger">): readonly string[] {
  switch (asked.kind) {
    case "hold":
      return asked.accounts.map(({ scope }) => scope);
    case "leave":
      return asked.scopes;
    case "amend":
      return [asked.scope];
    case "settle":
      return [];
  }
}

/** What a history tells of a group. Commits stay, whatever they settle: they make safe what was before them. */
export function partOf(history: readonly Call[], group: ReadonlySet<string>): readonly Call[] {
  return history.flatMap((call): readonly Call[] => {
    if (call.kind === "ledger" && call.asked.kind !== "settle")
      return decidedOn(call).some((scope) => group.has(scope)) ? [call] : [];
    if (call.kind !== "accounts") return [call];
    const asked = call.asked.filter((scope) => group.has(scope));
    const answer = call.answer?.filter(({ scope }: Account) => group.has(scope));
    return asked.length > 0 ? [{ ...call, asked, answer }] : [];
  });
}
