import type { Command } from "commander";
import { RunEndedError, SignalRefusedError } from "../../core/errors.ts";
import { type InboxItem, inbox } from "../../lens/inbox.ts";
import type { AnswerLinks } from "../../links/answer-links.ts";
import { printJson } from "../document.ts";
import { exit } from "../exit.ts";
import { inboxText, type LinkedItem } from "../inbox-text.ts";
import { jsonOption, storeOption } from "../options.ts";
import { linksOf } from "../outbox.ts";
import { readSettings, type Settings } from "../settings.ts";
import { isThere, nameOf, openStore } from "../stores.ts";
import { result, say } from "../terminal.ts";

interface Flags {
  readonly for?: string;
  readonly links?: boolean;
  readonly store?: string;
  readonly json?: boolean;
}

/** `flujo inbox` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  program
    .command("inbox")
    .description("What waits for whom, and how to answer it.")
    .option("--for <name>", "only what this person or team is asked, or anybody is")
    .option("--links", "a link for each, by which it is answered once")
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (flags: Flags) => done(await list(flags)));
}

async function list(flags: Flags): Promise<number> {
  const settings = await readSettings(flags);
  const { store: uri } = settings;
  const { items, more } = isThere(uri) ? await itemsOf(settings, flags) : { items: [], more: 0 };
  if (flags.json) await printJson({ items, more });
  else if (items.length > 0) await result(`${inboxText(items, flags.store)}\n`);
  if (more > 0) say(`${more} more have waited for less long than these.`);
  if (!flags.json && items.length === 0)
    say(`Nothing waits${flags.for === undefined ? "" : ` for ${flags.for}`} in ${nameOf(uri)}.`);
  return exit.completed;
}

async function itemsOf(
  settings: Settings,
  flags: Flags,
): Promise<{ readonly items: readonly LinkedItem[]; readonly more: number }> {
  const { store: uri } = settings;
  const store = typeof uri === "string" ? await openStore(uri) : uri;
  try {
    const { items, more } = await inbox(store, flags.for === undefined ? {} : { for: flags.for });
    if (!flags.links) return { items, more };
    const links = linksOf(settings, store);
    return { items: await Promise.all(items.map((item) => linked(item, links))), more };
  } finally {
    await store.close();
  }
}

/** With its link, where somebody can still answer. */
async function linked(item: InboxItem, links: AnswerLinks): Promise<LinkedItem> {
  if (item.asks === "event" || item.answered !== null) return item;
  try {
    return { ...item, link: await links.to(item.runId, item.path) };
  } catch (error) {
    if (error instanceof SignalRefusedError || error instanceof RunEndedError) return item; // a moment ago
    throw error;
  }
}
