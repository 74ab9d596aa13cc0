/**
 * What processes tell one another by `NOTIFY`. The server lets one transaction at a time commit that notifies, so these wait for
 * no sync while they do: what must be safe is committed before.
 */
import { type Database, listenerOf } from "./database.ts";
import { quoted } from "./schema.ts";
import type { Settings } from "./settings.ts";
import { lax } from "./syncing.ts";

/** Tells all that listen now. */
export async function announce(db: Pick<Database, "query" | "channel">, said: string): Promise<void> {
  await db.query(`WITH ${lax} SELECT pg_notify($1, $2) FROM lax`, [db.channel, said]);
}

/** Listens on a connection of its own, which keeps no process alive. */
export async function listen(
  settings: Settings,
  heard: (said: string) => unknown,
  ended: () => void,
): Promise<{ close(): void }> {
  const client = await listenerOf(settings);
  client.on("error", ended);
  client.on("end", ended);
  client.on("notification", ({ payload = "" }) => void heard(payload));
  const close = (): void => void client.end().catch(() => {}); // it has broken: there is nothing to close
  try {
    await client.connect();
    await client.query(`LISTEN ${quoted(settings.schema)}`);
  } catch (error) {
    close();
    throw error;
  }
  (client as typeof client & { unref(): void }).unref(); // the driver's types leave it out
  return { close };
}
