import { type Duration, milliseconds } from "../../core/duration.ts";
import { InvalidOptionError } from "../../core/errors.ts";
import type { PostgresOptions } from "../postgres.ts";

/** What a store in Postgres is opened with. */
export interface Settings extends Required<Omit<PostgresOptions, "patience" | "listen">> {
  /** For the driver: without our own options. */
  readonly url: string;
  /** Where to listen, for the driver. Undefined: nowhere. */
  readonly listenUrl: string | undefined;
  /** For messages: without the password. */
  readonly name: string;
  /** How long an answer is waited for. */
  readonly patienceMs: number;
}

/** @throws InvalidOptionError */
export function settingsOf(address: string, options: PostgresOptions): Settings {
  const url = URL.parse(address);
  if (!isPostgres(url)) {
    throw new InvalidOptionError("the address of the Postgres database is none", {
      hint: "Write postgres://user:password@host:5432/database",
    });
  }
  const taken = (name: string): string | undefined => {
    const value = url.searchParams.get(name) ?? undefined;
    url.searchParams.delete(name);
    return value;
  };
  const said = {
    schema: taken("schema"),
    connections: taken("connections"),
    durability: taken("durability"),
    patience: taken("patience"),
    listen: taken("listen"),
  };
  const schema = options.schema ?? said.schema ?? "flujo";
  const connections = options.connections ?? Number(said.connections ?? 10);
  const durability = options.durability ?? said.durability ?? "synced";
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(schema)) {
    throw new InvalidOptionError(`${JSON.stringify(schema)} is no name for a schema`, {
      hint: "Use 1 to 63 letters, digits and underscores; begin with a letter or an underscore.",
    });
  }
  if (!(Number.isInteger(connections) && connections >= 1 && connections <= 1_000)) {
    throw new InvalidOptionError(`connections is ${connections}; it takes a whole number from 1 to 1000`);
  }
  const patience = options.patience ?? said.patience ?? "60s";
  const patienceMs = milliseconds(patience as Duration); // which refuses what is none
  if (patienceMs < 1_000)
    throw new InvalidOptionError(`patience is ${patience}; it takes a duration from 1s`);
  if (durability !== "synced" && durability !== "relaxed") {
    throw new InvalidOptionError(`durability is ${JSON.stringify(durability)}; it takes synced or relaxed`);
  }
  const listen = options.listen ?? (said.listen === "off" ? false : said.listen);
  if (typeof listen === "string" && !isPostgres(URL.parse(listen))) {
    throw new InvalidOptionError("the address to listen at is no address of a Postgres database", {
      hint: "Write listen=postgres://user:password@host:5432/database, percent-encoded within another address; or listen=off",
    });
  }
  const listenUrl = listen === false ? undefined : (listen ?? url.href);
  const { username, host, pathname } = url;
  const user = username === "" ? "" : `${username}@`;
  const suffix = schema === "flujo" ? "" : `?schema=${schema}`;
  const name = `postgres://${user}${host}${pathname}${suffix}`;
  return { url: url.href, listenUrl, name, schema, connections, durability, patienceMs };
}

const isPostgres = (url: URL | null): url is URL => url !== null && /^postgres(ql)?:$/.test(url.protocol);
