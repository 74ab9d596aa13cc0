import type { Command } from "commander";
import { inbox } from "../../lens/inbox.ts";
import { printJson } from "../document.ts";
import { exit } from "../exit.ts";
import { inboxText } from "../inbox-text.ts";
import { readSettings } from "../settings.ts";
import { isThere, openStore } from "../stores.ts";
import { result, say } from "../terminal.ts";

interface Flags {
  readonly for?: string;
  readonly store?: string;
  readonly json?: boolean;
}

/** `flujo inbox` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  program
    .command("inbox")
    .description("What waits for whom, and how to answer it.")
    .option("--for <name>", "only what this person or team is asked, or anybody is")
    .option(
      "--store <uri>",
      "sqlite:PATH or file:DIR (default: FLUJO_STORE, flujo.config.ts, sqlite:.flujo/flujo.db)",
    )
    .option("--json", "print one JSON document")
    .action(async (flags: Flags) => done(await list(flags)));
}

async function list(flags: Flags): Promise<number> {
  const { store: uri } = await readSettings(flags);
  const items = isThere(uri) ? await itemsOf(uri, flags) : [];
  if (flags.json) await printJson({ items });
  else if (items.length > 0) await result(`${inboxText(items, flags.store)}\n`);
  else say(`Nothing waits${flags.for === undefined ? "" : ` for ${flags.for}`} in ${nameOf(uri)}.`);
  return exit.completed;
}

const nameOf = (uri: Parameters<typeof isThere>[0]): string => (typeof uri === "string" ? uri : uri.name);

async function itemsOf(uri: Parameters<typeof isThere>[0], flags: Flags) {
  const store = typeof uri === "string" ? await openStore(uri) : uri;
  try {
    return await inbox(store, flags.for === undefined ? {} : { for: flags.for });
  } finally {
    await store.close();
  }
}
