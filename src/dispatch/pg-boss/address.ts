import { InvalidOptionError } from "../../core/errors.ts";

/** Where pg-boss has its tables. */
export interface Address {
  /** For the driver: without options that are a store's. */
  readonly url: string;
  /** Where to listen, for the driver. Undefined: nowhere. */
  readonly listenUrl: string | undefined;
  /** For messages: without the password. */
  readonly shown: string;
}

/** @throws InvalidOptionError */
export function addressOf(address: string, listen: string | false | undefined): Address {
  const url = URL.parse(address);
  if (!isPostgres(url)) {
    throw new InvalidOptionError("the address of pg-boss's Postgres database is none", {
      hint: "Write postgres://user:password@host:5432/database",
    });
  }
  const said = listen ?? url.searchParams.get("listen") ?? undefined;
  for (const ofTheStore of ["schema", "connections", "durability", "patience", "listen"])
    url.searchParams.delete(ofTheStore);
  const isNowhere = said === false || said === "off";
  if (said !== undefined && !isNowhere && !isPostgres(URL.parse(said))) {
    throw new InvalidOptionError("the address to listen at is no address of a Postgres database", {
      hint: "Write listen=postgres://user:password@host:5432/database, percent-encoded within another address; or listen=off",
    });
  }
  const shown = `postgres://${url.host}${url.pathname}`;
  return { url: url.href, shown, listenUrl: isNowhere ? undefined : (said ?? url.href) };
}

const isPostgres = (url: URL | null): url is URL => url !== null && /^postgres(ql)?:$/.test(url.protocol);
