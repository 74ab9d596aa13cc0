import type { Command } from "commander";
import { UnknownRunError } from "../../../core/errors.ts";
import { nodeWorld } from "../../../node-world.ts";
import type { Store } from "../../../ports/store.ts";
import { exit } from "../../exit.ts";
import { farewell } from "../../farewell.ts";
import { hostOption, storeOption } from "../../options.ts";
import { outboxOf } from "../../outbox.ts";
import { portOf } from "../../port.ts";
import { readSettings, type Settings } from "../../settings.ts";
import { isThere, nameOf, openStore, otherStore } from "../../stores.ts";
import { result, say } from "../../terminal.ts";

interface Flags {
  readonly port?: number;
  readonly host?: string;
  readonly store?: string;
  readonly json?: boolean;
}

/** `flujo lens serve` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  lens
    .command("serve")
    .description(
      "Answer HTTP about a store: look at runs, answer what they ask, cancel them. flujo up also runs pipelines.",
    )
    .option(
      "--port <number>",
      "where it listens (default: flujo.config.ts, 3583); 0: any that is free",
      portOf,
    )
    .addOption(hostOption())
    .addOption(storeOption())
    .option("--json", "print a line of JSON that says where it listens")
    .action(async (flags: Flags) => done(await serve(flags)));
}

async function serve(flags: Flags): Promise<number> {
  const settings = await readSettings(flags);
  const { store: uri } = settings;
  if (!isThere(uri)) {
    throw new UnknownRunError(`there are no runs to look at: ${nameOf(uri)} is empty or not there`, {
      hint: otherStore,
    });
  }
  const store = typeof uri === "string" ? await openStore(uri) : uri;
  try {
    await untilStopped(store, settings, flags);
    return exit.completed;
  } finally {
    await store.close();
  }
}

async function untilStopped(store: Store, settings: Settings, { port, host, json }: Flags): Promise<void> {
  const [{ serverApp }, { listen }, { pages }, { answerPages }] = await Promise.all([
    import("../../../server/app.ts"),
    import("../../../server/listen.ts"),
    import("../../../server/pages.ts"),
    import("../../answer-pages.ts"),
  ]);
  const outbox = outboxOf(settings, store);
  const app = serverApp({
    store,
    world: nodeWorld(),
    options: {
      ...settings.server,
      ...(port === undefined ? {} : { port }),
      ...(host === undefined ? {} : { host }),
    },
    ...(outbox === undefined ? {} : { outbox }),
    mounts: [answerPages(settings, store)],
    pages: pages(),
  });
  const listening = await listen(app);
  if (json) await result(`${JSON.stringify({ url: listening.url, store: store.name })}\n`);
  say(
    `The runs of ${store.name} are at ${listening.url}. Programs ask ${listening.url}/api/v1: its openapi.json says what.`,
  );
  say(
    app.guarded
      ? "A token of flujo.config.ts or FLUJO_TOKEN is needed. Ctrl-C stops it."
      : "Everybody on this machine may do everything. Ctrl-C stops it.",
  );
  await farewell().asked;
  await listening.close();
  await outbox?.leave();
}
