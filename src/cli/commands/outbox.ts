import type { Command } from "commander";
import { deadLetters, dropLetter, type StandingLetter } from "../../events/dead-letter.ts";
import type { Outbox } from "../../events/outbox.ts";
import { undeliveredIn } from "../../events/undelivered.ts";
import type { Store } from "../../ports/store.ts";
import { printJson } from "../document.ts";
import { exit } from "../exit.ts";
import { CommandError } from "../letter.ts";
import { jsonOption, storeOption } from "../options.ts";
import { outboxOf } from "../outbox.ts";
import { outboxText } from "../outbox-text.ts";
import { readSettings, type Settings } from "../settings.ts";
import { isThere, nameOf, openStore } from "../stores.ts";
import { result, say } from "../terminal.ts";

interface Flags {
  readonly store?: string;
  readonly json?: boolean;
  readonly all?: boolean;
  readonly sink?: string;
}

/** `flujo outbox list`, `flujo outbox deliver`, `flujo outbox retry [ID…]`, `flujo outbox drop [ID…]` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  const outbox = program
    .command("outbox")
    .description("What the sinks of flujo.config.ts have not been told yet, and what they did not take.");
  outbox
    .command("list")
    .description("Events not delivered yet, and dead letters with their ids.")
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (flags: Flags) => done(await list(flags)));
  outbox
    .command("deliver")
    .description("Try everything that is not delivered yet, now, of all runs.")
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (flags: Flags) => done(await deliver(flags)));
  outbox
    .command("retry [ids...]")
    .description("Send dead letters again. The first characters of an id are enough.")
    .option("--all", "all of them")
    .option("--sink <name>", "only those to this sink")
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (ids: readonly string[], flags: Flags) => done(await retry(ids, flags)));
  outbox
    .command("drop [ids...]")
    .description("Forget dead letters. The events stay in the journals of their runs.")
    .option("--all", "all of them")
    .option("--sink <name>", "only those to this sink")
    .addOption(storeOption())
    .action(async (ids: readonly string[], flags: Flags) => done(await drop(ids, flags)));
}

/** Opens the store for a piece of work; it is not made where there is none. */
async function withStore(
  flags: Flags,
  work: (store: Store | undefined, settings: Settings) => Promise<number>,
): Promise<number> {
  const settings = await readSettings(flags);
  const { store: uri } = settings;
  if (!isThere(uri)) return work(undefined, settings);
  const store = typeof uri === "string" ? await openStore(uri) : uri;
  try {
    return await work(store, settings);
  } finally {
    await store.close();
  }
}

const list = (flags: Flags): Promise<number> =>
  withStore(flags, async (store, settings) => {
    const found = store === undefined ? { waiting: [], dead: [] } : await undeliveredIn(store);
    if (flags.json) await printJson(found);
    else if (found.waiting.length + found.dead.length > 0) await result(`${outboxText(found, Date.now())}\n`);
    else say(`Nothing is undelivered in ${nameOf(settings.store)}.`);
    return exit.completed;
  });

const deliver = (flags: Flags): Promise<number> =>
  withStore(flags, async (store, settings) => {
    const nothing = { delivered: 0, failed: 0, dead: 0 };
    const report =
      store === undefined ? nothing : await sending(settings, store, (box) => box.deliver({ early: true }));
    if (flags.json) await printJson(report);
    const { delivered, failed, dead } = report;
    const bad =
      failed + dead === 0
        ? ""
        : `, ${failed} failed and will be tried again, ${dead} given up: flujo outbox list`;
    say(`${delivered} delivered${bad}.`);
    return failed + dead === 0 ? exit.completed : exit.failed;
  });

const retry = (ids: readonly string[], flags: Flags): Promise<number> =>
  withStore(flags, async (store, settings) => {
    const letters = await chosen(store, ids, flags, nameOf(settings.store));
    const outcomes: { readonly id: string; readonly outcome: string; readonly why: string | null }[] = [];
    if (store !== undefined && letters.length > 0) {
      await sending(settings, store, async (box) => {
        for (const letter of letters) {
          const resent = await box.resend(letter);
          outcomes.push({ id: letter.id, outcome: resent.outcome, why: "why" in resent ? resent.why : null });
        }
      });
    }
    if (flags.json) await printJson({ letters: outcomes });
    for (const { id, outcome, why } of outcomes) say(`${id} ${outcome}${why === null ? "" : `: ${why}`}`);
    return outcomes.every(({ outcome }) => outcome === "delivered") ? exit.completed : exit.failed;
  });

const drop = (ids: readonly string[], flags: Flags): Promise<number> =>
  withStore(flags, async (store, settings) => {
    const letters = await chosen(store, ids, flags, nameOf(settings.store));
    let dropped = 0;
    for (const letter of letters) if (store !== undefined && (await dropLetter(store, letter))) dropped++;
    say(`${dropped} dropped.`);
    return exit.completed;
  });

/** Works with the outbox of the configuration, and waits until nothing is under way any more. */
async function sending<T>(settings: Settings, store: Store, work: (box: Outbox) => Promise<T>): Promise<T> {
  const box = outboxOf(settings, store);
  if (box === undefined) {
    throw new CommandError(
      "usage",
      "no sinks are configured here",
      "Name them in the flujo.config.ts of this folder: sinks: { ops: slack({ … }) }",
    );
  }
  try {
    return await work(box);
  } finally {
    await box.leave();
  }
}

/** @throws CommandError when nothing is named, an id is no letter's, or several begin so. */
async function chosen(
  store: Store | undefined,
  ids: readonly string[],
  { all, sink }: Flags,
  where: string,
): Promise<readonly StandingLetter[]> {
  if ((ids.length === 0) === (all !== true)) {
    throw new CommandError(
      "usage",
      "say which dead letters",
      "Name their ids, or --all: flujo outbox list shows them.",
    );
  }
  const letters: StandingLetter[] = [];
  if (store !== undefined) for await (const letter of deadLetters(store)) letters.push(letter);
  const ofSink = letters.filter((letter) => sink === undefined || letter.sink === sink);
  if (all) return ofSink;
  return ids.map((id) => {
    const [found, another] = ofSink.filter((letter) => letter.id.startsWith(id));
    if (found !== undefined && another === undefined) return found;
    throw new CommandError(
      "usage",
      found === undefined
        ? `there is no dead letter ${id} in ${where}`
        : `several dead letters begin with ${id}`,
      "flujo outbox list shows them.",
    );
  });
}
