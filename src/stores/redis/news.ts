/** What processes tell one another by `PUBLISH`. */
import type { Redis } from "ioredis";
import type { RedisHost } from "../../ports/redis-address.ts";
import { type Connection, subscriber } from "./connection.ts";
import { ConnectionLostError } from "./faults.ts";
import type { Settings } from "./settings.ts";

/** Tells all that listen now. */
export async function announce(db: Connection, said: string): Promise<void> {
  await db.call("PUBLISH", db.keys.news, said);
}

/** Listens on a connection of its own, which keeps no process alive. */
export async function listen(
  settings: Settings,
  channel: string,
  heard: (said: string) => unknown,
  ended: () => void,
): Promise<{ close(): void }> {
  const { cluster, hosts } = settings.address;
  const open = (host?: RedisHost): Promise<Redis> => subscribed(settings, host, channel, heard);
  const client = await (cluster ? firstOf(hosts, open) : open());
  if (client.status === "end") throw new ConnectionLostError(undefined);
  client.once("end", ended);
  client.stream.unref();
  return { close: () => client.disconnect() };
}

async function subscribed(
  settings: Settings,
  host: RedisHost | undefined,
  channel: string,
  heard: (said: string) => unknown,
): Promise<Redis> {
  const client = await subscriber(settings, host);
  client.on("error", () => {}); // its end follows
  client.on("message", (_, said) => void heard(said));
  try {
    await client.subscribe(channel);
    return client;
  } catch (error) {
    client.disconnect();
    throw error;
  }
}

/** What comes of the first that is there; what the last one says, where none is. */
async function firstOf<One, Opened>(
  [one, ...others]: readonly One[],
  open: (one: One | undefined) => Promise<Opened>,
): Promise<Opened> {
  const opened = open(one);
  return others.length === 0 ? opened : opened.catch(() => firstOf(others, open));
}
