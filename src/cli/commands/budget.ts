import type { Command } from "commander";
import type { Account, AmendRequest } from "../../core/account.ts";
import { InvalidOptionError, UnknownRunError } from "../../core/errors.ts";
import { limitsOf } from "../../core/limits.ts";
import { isRunId } from "../../core/paths.ts";
import { checkedScope, percents } from "../../core/scopes.ts";
import { topUpRun, topUpScope } from "../../engine/raises.ts";
import { accountView } from "../../lens/accounts.ts";
import { nodeWorld } from "../../node-world.ts";
import type { Store } from "../../ports/store.ts";
import { accountText } from "../account-text.ts";
import { type AmountFlags, amountsOf, limitChanges } from "../amounts.ts";
import { printJson } from "../document.ts";
import { exit } from "../exit.ts";
import { CommandError } from "../letter.ts";
import { jsonOption, storeOption } from "../options.ts";
import { fullRunId } from "../run-id.ts";
import { readSettings } from "../settings.ts";
import { isThere, nameOf, openStore } from "../stores.ts";
import { result, say } from "../terminal.ts";

interface Flags extends AmountFlags {
  readonly store?: string;
  readonly json?: boolean;
  readonly alertAt?: string;
}

/** `flujo budget show [SCOPE]`, `flujo budget set SCOPE`, `flujo budget top-up SCOPE|RUN` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  const budget = program
    .command("budget")
    .description("Budgets that runs share: a tenant's, a day's, any you name. And more money for a run.");
  budget
    .command("show [scope]")
    .description(
      "What a shared budget may spend, has spent, and holds, and for which calls. Without a name: all.",
    )
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (scope: string | undefined, flags: Flags) => done(await show(scope, flags)));
  budget
    .command("set <scope>")
    .description("Set limits of a shared budget, which is made when there is none. Limits not named stay.")
    .option("--cost <amount>", "the most it may cost in all: '$20' (in single quotes), or none")
    .option("--tokens <count>", "the most tokens, in and out: 1000, 500k, 2M, or none")
    .option("--calls <count>", "the most model calls, or none")
    .option("--tool-calls <count>", "the most tool calls, or none")
    .option("--alert-at <parts>", "parts of the limits at which an event comes, once each: 0.5,0.8")
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (scope: string, flags: Flags) => done(await set(scope, flags)));
  budget
    .command("top-up <name> [amount]")
    .description("Raise the limits of a shared budget or of a run by so much: flujo budget top-up day '$5'")
    .option("--tokens <count>", "so many tokens more")
    .option("--calls <count>", "so many model calls more")
    .option("--tool-calls <count>", "so many tool calls more")
    .option("--time <duration>", "so much more time for a run: 90s, 30m, 1h")
    .addOption(storeOption())
    .addOption(jsonOption("(of a shared budget)"))
    .action(async (name: string, amount: string | undefined, flags: Flags) =>
      done(await topUp(name, amount === undefined ? flags : { ...flags, cost: amount }, flags)),
    );
}

/** Opens the store of the flags for a piece of work; `undefined` when it is not there and is not to be made. */
async function withStore<T>(
  flags: Flags,
  make: boolean,
  work: (store: Store | undefined, name: string) => Promise<T>,
): Promise<T> {
  const { store: uri } = await readSettings(flags);
  const name = nameOf(uri);
  if (!make && !isThere(uri)) return work(undefined, name);
  const store = typeof uri === "string" ? await openStore(uri) : uri;
  try {
    return await work(store, name);
  } finally {
    await store.close();
  }
}

const show = (scope: string | undefined, flags: Flags): Promise<number> =>
  withStore(flags, false, async (store, name) => {
    const filter = scope === undefined ? {} : { scopes: [checkedScope(scope)] };
    const accounts = (await store?.accounts(filter)) ?? [];
    if (scope !== undefined && accounts.length === 0) throw unknownScope(scope, name);
    await print(accounts, flags);
    if (accounts.length === 0 && !flags.json) {
      say(`There are no shared budgets in ${name}. Make one: flujo budget set day --cost '$20'`);
    }
    return exit.completed;
  });

const set = (scope: string, flags: Flags): Promise<number> => {
  const changes = limitChanges(flags);
  const alertAt = flags.alertAt === undefined ? undefined : partsOf(flags.alertAt);
  if (Object.keys(changes).length === 0 && alertAt === undefined) {
    throw new CommandError("usage", "nothing to set", "Name a limit: flujo budget set day --cost '$20'");
  }
  const request: AmendRequest = {
    kind: "amend",
    scope: checkedScope(scope),
    set: changes,
    ...(alertAt === undefined ? {} : { alertAt }),
  };
  return withStore(flags, true, async (store) => {
    await store?.ledger(request);
    await print((await store?.accounts({ scopes: [scope] })) ?? [], flags);
    return exit.completed;
  });
};

async function topUp(name: string, amounts: AmountFlags, flags: Flags): Promise<number> {
  const by = limitsOf(amountsOf(amounts));
  if (Object.keys(by).length === 0) {
    throw new CommandError(
      "usage",
      "no amount to top up by",
      `Say how much: flujo budget top-up ${name} '$5'`,
    );
  }
  return withStore(flags, false, async (store, where) => {
    const [account] = (await store?.accounts({ scopes: [name] })) ?? [];
    if (store === undefined) throw unknownName(name, where);
    if (account !== undefined) {
      await topUpScope(store, name, by);
      await print(await store.accounts({ scopes: [name] }), flags);
      return exit.completed;
    }
    if (!isRunId(name)) throw unknownScope(name, where);
    const runId = await fullRunId(store, name).catch((error: unknown) => {
      throw error instanceof UnknownRunError ? unknownName(name, where) : error;
    });
    const outcome = await topUpRun(store, nodeWorld(), runId, by);
    say(
      outcome === "recorded"
        ? `The limits of run ${runId} are raised. To go on: flujo resume ${runId}`
        : `Run ${runId} is being advanced by another process, which goes on with the new limits within a second.`,
    );
    return exit.completed;
  });
}

async function print(accounts: readonly Account[], { json }: Flags): Promise<void> {
  const views = accounts.map((account) => accountView(account, Date.now()));
  if (json) await printJson({ budgets: views });
  else if (views.length > 0) await result(`${views.map(accountText).join("\n\n")}\n`);
}

function partsOf(text: string): readonly number[] {
  return percents(text.split(",").map((part) => (part.trim() === "" ? Number.NaN : Number(part))));
}

const unknownScope = (scope: string, store: string): InvalidOptionError =>
  new InvalidOptionError(`there is no shared budget "${scope}" in ${store}`, {
    hint: "flujo budget show lists them; --store or FLUJO_STORE names another store.",
  });

const unknownName = (name: string, store: string): InvalidOptionError =>
  new InvalidOptionError(`${name} is neither a shared budget nor a run in ${store}`, {
    hint: "flujo budget show and flujo lens list show them; --store or FLUJO_STORE names another store.",
  });
