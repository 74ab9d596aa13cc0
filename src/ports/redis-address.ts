/** Where a Redis is, as stores and dispatchers are told: one server, a cluster, or one that Sentinels know. */
import { InvalidOptionError } from "../core/errors.ts";

export interface RedisHost {
  readonly host: string;
  readonly port: number;
}

/** How the driver gets in: to a server, and to each node of a cluster. */
export interface RedisLogin {
  readonly username?: string;
  readonly password?: string;
  readonly tls?: object;
}

export interface RedisAddress {
  /** One server, or the first of several, with the options that are not ours. */
  readonly url: URL;
  /** At least one: a server, nodes of a cluster, or Sentinels. */
  readonly hosts: readonly RedisHost[];
  readonly cluster: boolean;
  /** The name under which Sentinels know the primary. */
  readonly sentinel: string | undefined;
  readonly database: number;
  readonly login: RedisLogin;
  /** For messages: without the password and options. */
  readonly shown: string;
}

const form = /^(rediss?:\/\/(?:[^@/?#]*@)?)([^@/?#]+)((?:[/?#].*)?)$/;

/**
 * Reads `redis://user:password@host:6379/0`, or `rediss://` over TLS. Several hosts are nodes of a cluster or Sentinels:
 * `redis://one:6379,two:6379?cluster=true`, `redis://one:26379,two:26379/0?sentinel=NAME`.
 *
 * @param of whose address it is, for messages.
 * @param options go before what the URI says.
 * @throws InvalidOptionError
 */
export function redisAddress(
  text: string,
  of: string,
  options: { readonly cluster?: boolean; readonly sentinel?: string } = {},
): RedisAddress {
  const [, before = "", named = "", after = ""] = form.exec(text) ?? [];
  const [first = "", ...others] = named.split(",");
  const url = URL.parse(`${before}${first}${after}`);
  const all = [url, ...others.map((other) => URL.parse(`redis://${other}`))];
  const hosts = all.flatMap((one) => (one === null || one.hostname === "" ? [] : [hostOf(one)]));
  if (url === null || hosts.length < all.length || !/^\/?\d*$/.test(url.pathname)) {
    throw new InvalidOptionError(`the address of ${of} is none`, {
      hint: "Write redis://user:password@host:6379/0, or rediss:// for TLS",
    });
  }
  const said = url.searchParams.get("cluster") ?? undefined;
  const sentinel = options.sentinel ?? url.searchParams.get("sentinel") ?? undefined;
  for (const ours of ["cluster", "sentinel"]) url.searchParams.delete(ours);
  if (said !== undefined && said !== "true" && said !== "false")
    throw new InvalidOptionError(`cluster is ${JSON.stringify(said)}; it takes true or false`);
  const cluster = options.cluster ?? said === "true";
  if (cluster && sentinel !== undefined)
    throw new InvalidOptionError("a cluster has no Sentinels", {
      hint: "Give cluster or sentinel, not both.",
    });
  if (hosts.length > 1 && !cluster && sentinel === undefined) {
    throw new InvalidOptionError(`the address of ${of} has ${hosts.length} hosts`, {
      hint: "Nodes of a cluster: ?cluster=true. Sentinels: ?sentinel=NAME, under which they know the primary.",
    });
  }
  const number = url.pathname.replace("/", "");
  if (cluster && Number(number) !== 0) {
    throw new InvalidOptionError(`a cluster has no database ${number}`, {
      hint: "Its only one is 0; a prefix of its own keeps a store apart.",
    });
  }
  const user = url.username === "" ? "" : `${url.username}@`;
  const shown = `${url.protocol}//${user}${all.map((one) => one?.host).join(",")}`;
  return {
    url,
    hosts,
    cluster,
    sentinel,
    database: Number(number),
    login: loginOf(url),
    shown: `${shown}${number === "" ? "" : `/${number}`}`,
  };
}

const hostOf = ({ hostname, port }: URL): RedisHost => ({
  host: hostname.replace(/^\[(.*)\]$/, "$1"),
  port: Number(port || 6379),
});

const loginOf = ({ username, password, protocol }: URL): RedisLogin => ({
  ...(username === "" ? {} : { username: decodeURIComponent(username) }),
  ...(password === "" ? {} : { password: decodeURIComponent(password) }),
  ...(protocol === "rediss:" ? { tls: {} } : {}),
});
