/** What submitters and workers of one schema tell one another by `NOTIFY`: that there are jobs, and who is there. */
import { importPackage } from "../../ports/optional-package.ts";
import type { Presence } from "./crew.ts";

/** A job was put into a queue, or comes in so many milliseconds. The ticket says whose turn it is to look. */
export interface JobNews {
  readonly queue: string;
  readonly inMs: number;
  readonly ticket: number;
}

export type Said = JobNews | Presence;

/** The server takes no more than 8,000 bytes. */
const mostBytes = 7_900;

/** As it goes over the line. Of a worker with very many queues the last are left out: of them it is never the first to look. */
export function textOf(said: Said): string {
  const text = JSON.stringify(said);
  if (!("worker" in said) || text.length <= mostBytes) return text;
  return textOf({ ...said, queues: said.queues.slice(0, -1) });
}

/** Undefined for what somebody else has said there. */
export function saidIn(text: string): Said | undefined {
  try {
    const said = JSON.parse(text) as Partial<JobNews & Presence> | null;
    const isJob =
      typeof said?.queue === "string" && Number.isFinite(said.inMs) && Number.isInteger(said.ticket);
    const isPresence = typeof said?.worker === "string" && Array.isArray(said.queues);
    return isJob || isPresence ? (said as Said) : undefined;
  } catch {
    return undefined;
  }
}

/** The server lets one transaction at a time commit that notifies: it waits for no sync while it does. */
export const sayStatement =
  "WITH lax AS (SELECT set_config('synchronous_commit', 'off', true)) SELECT pg_notify($1, $2) FROM lax";

/** How long to wait for a connection. */
const connectMs = 10_000;

/** Listens on a connection of its own, which keeps no process alive. */
export async function listen(
  {
    url,
    channel,
    patienceMs,
  }: { readonly url: string; readonly channel: string; readonly patienceMs: number },
  heard: (said: string) => unknown,
  ended: () => void,
): Promise<{ close(): void }> {
  const { Client } = (await importPackage("pg")).default as typeof import("pg"); // that package's own
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: connectMs,
    query_timeout: patienceMs,
    keepAlive: true,
    application_name: "flujo",
  });
  client.on("error", ended);
  client.on("end", ended);
  client.on("notification", ({ payload = "" }) => void heard(payload));
  const close = (): void => void client.end().catch(() => {}); // it has broken: there is nothing to close
  try {
    await client.connect();
    await client.query(`LISTEN ${client.escapeIdentifier(channel)}`);
  } catch (error) {
    close();
    throw error;
  }
  (client as typeof client & { unref(): void }).unref(); // the driver's types leave it out
  return { close };
}
