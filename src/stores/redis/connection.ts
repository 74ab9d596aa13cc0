import type { Cluster, Redis, RedisOptions } from "ioredis";
import { importPackage } from "../../ports/optional-package.ts";
import type { RedisHost } from "../../ports/redis-address.ts";
import { ConnectionLostError } from "./faults.ts";
import { type Keeping, keepingOf } from "./keeping.ts";
import { type Keys, keysOf } from "./keys.ts";
import type { Script } from "./scripts.ts";
import type { Settings } from "./settings.ts";

export type Argument = string | number;
/** What the server may answer with; no maps, for the second version of its protocol has none. */
export type Reply = string | number | null | readonly Reply[];

/** One connection to a server, whatever it holds. */
export interface Connection {
  readonly keys: Keys;
  readonly keeping: Keeping;
  call(command: string, ...args: Argument[]): Promise<Reply>;
  /** Sent at once, answered in order; others may come between. */
  all(commands: readonly (readonly [command: string, ...args: Argument[]])[]): Promise<readonly Reply[]>;
  script(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<Reply>;
  close(): void;
}

/** How long to wait for a connection. */
const connectMs = 10_000;

/**
 * @param ended is called once the connection is not, and will not be, one.
 * @throws whatever the server says.
 */
export async function open(settings: Settings, ended: () => void): Promise<Connection> {
  const wire = await reach(settings);
  wire.once("end", ended);
  const keys = keysOf(settings.prefix);
  try {
    const keeping = await keepingOf((command, ...args) => wire.call(command, args));
    return {
      keys,
      keeping,
      call: (command, ...args) => wire.call(command, args),
      all: (commands) => Promise.all(commands.map(([command, ...args]) => wire.call(command, args))),
      script: (script, keys, args) => wire.script(script, keys, args),
      close: () => wire.close(),
    };
  } catch (error) {
    wire.close();
    throw error;
  }
}

/** A way to the server, whatever it holds. */
export const reach = async (settings: Settings): Promise<Wire> => new Wire(await connect(settings));

const driver = async (): Promise<typeof import("ioredis")> =>
  (await importPackage("ioredis")) as typeof import("ioredis"); // that package's own

const optionsWith = ({ patienceMs }: Settings) =>
  ({
    lazyConnect: true,
    protocol: 2,
    connectTimeout: connectMs,
    commandTimeout: patienceMs,
    // A connection on which nothing comes any more, and nothing says so, is over, too.
    socketTimeout: patienceMs,
    connectionName: "flujo",
    // What was sent and not answered may have been done: nobody but who asked knows whether to ask again. A connection that
    // breaks is over, and whoever asks next opens another one.
    retryStrategy: () => null,
    // A primary that has become a replica: the address may lead to the new one by now.
    reconnectOnError: (error: Error) => error.message.startsWith("READONLY"),
  }) satisfies RedisOptions;

/** One connection that can only listen. Of a cluster any node will do: they tell one another what is published. */
export async function subscriber(settings: Settings, host?: RedisHost): Promise<Redis> {
  const { Redis } = await driver();
  const { socketTimeout: _, ...options } = optionsWith(settings); // it may be silent for long
  const { login } = settings.address;
  return host === undefined ? server(Redis, settings, options) : new Redis({ ...host, ...login, ...options });
}

async function connect(settings: Settings): Promise<Redis | Cluster> {
  const { hosts, cluster, login } = settings.address;
  const { Redis, Cluster } = await driver();
  const options = optionsWith(settings);
  if (!cluster) return server(Redis, settings, options);
  const { retryStrategy: _, ...rest } = options;
  return new Cluster([...hosts], {
    lazyConnect: true,
    clusterRetryStrategy: () => null,
    retryDelayOnFailover: 0, // else what was sent is sent again
    redisOptions: { ...rest, ...login },
  });
}

/** One that is named, or the one that Sentinels name: they are asked anew for each connection. */
function server(
  driver: typeof Redis,
  { address: { url, hosts, sentinel, database, login } }: Settings,
  options: Omit<ReturnType<typeof optionsWith>, "socketTimeout">,
): Redis {
  if (sentinel === undefined) return new driver(url.href, options);
  return new driver({
    ...options,
    ...login,
    ...(login.tls === undefined ? {} : { enableTLSForSentinelMode: true, sentinelTLS: login.tls }),
    sentinels: [...hosts],
    name: sentinel,
    db: database,
    sentinelRetryStrategy: () => null,
  });
}

/** Commands, and that an open store keeps no process alive while nobody waits for an answer. */
class Wire {
  readonly #client: Redis | Cluster;
  #waiting = 0;
  #lost: Error | undefined;

  constructor(client: Redis | Cluster) {
    this.#client = client;
    client.on("error", (error: Error) => {
      this.#lost = error; // those who wait are told
    });
    client.on("ready", () => this.#hold());
  }

  async call(command: string, args: readonly Argument[]): Promise<Reply> {
    this.#waiting += 1;
    this.#hold();
    try {
      // Protocol 2 has these kinds of answers, and ioredis turns none of them into another.
      return (await this.#client.call(command, [...args])) as Reply;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw error.message === "Connection is closed." ? new ConnectionLostError(this.#lost) : error;
    } finally {
      this.#waiting -= 1;
      this.#hold();
    }
  }

  /** The server; of a cluster, each node. */
  servers(): readonly ((command: string, ...args: Argument[]) => Promise<unknown>)[] {
    return this.#nodes().map(
      (node) =>
        (command, ...args) =>
          node.call(command, args),
    );
  }

  async script(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<Reply> {
    const rest = [keys.length, ...keys, ...args];
    try {
      return await this.call("EVALSHA", [script.sha1, ...rest]);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("NOSCRIPT"))) throw error;
      return this.call("EVAL", [script.text, ...rest]);
    }
  }

  once(event: "end", heard: () => void): void {
    this.#client.once(event, heard);
  }

  close(): void {
    this.#client.disconnect();
  }

  #nodes(): readonly Redis[] {
    return "nodes" in this.#client ? this.#client.nodes() : [this.#client];
  }

  #hold(): void {
    for (const { stream } of this.#nodes()) {
      if (stream?.connecting || stream?.destroyed) continue; // it would remember each of these calls
      if (this.#waiting > 0) stream?.ref?.();
      else stream?.unref?.();
    }
  }
}
