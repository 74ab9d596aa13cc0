/** What processes tell one another by `PUBLISH`. */
import type { Redis } from "ioredis";
import { type Connection, subscriber } from "./connection.ts";
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
  const client: Redis = await subscriber(settings);
  client.on("error", () => {}); // its end follows
  client.once("end", ended);
  client.on("message", (_, said) => void heard(said));
  const close = (): void => client.disconnect();
  try {
    await client.subscribe(channel);
  } catch (error) {
    close();
    throw error;
  }
  client.stream.unref();
  return { close };
}
