import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { FlujoConfig } from "../config.ts";
import { secretOf } from "../links/secret.ts";
import type { Store } from "../ports/store.ts";
import type { ServerOptions } from "../server/options.ts";
import { CommandError } from "./letter.ts";
import { loadModule } from "./load/module.ts";
import { defaultStore } from "./stores.ts";

/** The folder's own prices, as `flujo prices update` keeps them. */
export const priceFileName = "flujo.prices.json";

const files = ["flujo.config.ts", "flujo.config.mts", "flujo.config.js", "flujo.config.mjs"];

/** What holds for a command: its flags over the environment, over the folder's configuration, over the defaults. */
export interface Settings extends FlujoConfig {
  readonly store: string | Store;
}

/** @throws CommandError for a configuration file that cannot be loaded. */
export async function readSettings(flags: {
  readonly store?: string;
  readonly engine?: string;
}): Promise<Settings> {
  const config = await readConfig();
  const priceFile = resolve(priceFileName);
  return {
    ...config,
    secret: config.secret ?? secretOf(process.env),
    ...(existsSync(priceFile) ? { models: { priceFile, ...config.models } } : {}),
    ...withToken(config.server, process.env.FLUJO_TOKEN),
    ...engineOf(flags.engine ?? (process.env.FLUJO_ENGINE || undefined) ?? config.engine),
    store: flags.store ?? (process.env.FLUJO_STORE || undefined) ?? config.store ?? defaultStore,
  };
}

const engineOf = (engine: Settings["engine"]): Pick<Settings, "engine"> =>
  engine === undefined ? {} : { engine };

/** The token of the environment is one more, an admin's. An empty one is none. */
function withToken(
  server: ServerOptions | undefined,
  token: string | undefined,
): { readonly server?: ServerOptions } {
  if (!token) return server === undefined ? {} : { server };
  return {
    server: { ...server, tokens: [...(server?.tokens ?? []), { name: "FLUJO_TOKEN", role: "admin", token }] },
  };
}

async function readConfig(): Promise<FlujoConfig> {
  const file = files.map((name) => resolve(name)).find((path) => existsSync(path));
  if (file === undefined) return {};
  const config = (await loadModule(file)).default;
  if (typeof config === "object" && config !== null) {
    if ("store" in config && !isStore(config.store)) {
      throw new CommandError(
        "cannot-load",
        `the store in ${file} is none`,
        'Write a text, store: "sqlite:runs.db", or hand over one, as of sqlite("runs.db") from flujo/sqlite.',
      );
    }
    return config as FlujoConfig; // the other fields are checked where they are used
  }
  throw new CommandError(
    "cannot-load",
    `${file} exports no configuration`,
    'export default defineConfig({ store: "sqlite:runs.db" });',
  );
}

/** A URI, which is read when it is opened, or by its shape a store; undefined says nothing. */
const isStore = (value: unknown): boolean =>
  value === undefined ||
  typeof value === "string" ||
  (typeof value === "object" && value !== null && "commit" in value && "close" in value);
