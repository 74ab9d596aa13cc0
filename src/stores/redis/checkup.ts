import { carries } from "../../ports/newsroom.ts";
import { reach } from "./connection.ts";
import { storeError } from "./faults.ts";
import { type Keeping, keepingOf, leastOf } from "./keeping.ts";
import { keysOf } from "./keys.ts";
import { listen } from "./news.ts";
import type { Settings } from "./settings.ts";

/** A server as it says it is. */
export interface ServerFacts extends Keeping {
  /** Milliseconds since 1970, by its clock. */
  readonly now: number;
  /** The format of the store; absent: there is none yet. */
  readonly format?: number;
}

/** Only reads. */
export async function checkUp(settings: Settings): Promise<ServerFacts> {
  const wire = await reach(settings);
  try {
    const format = await wire.call("GET", [keysOf(settings.prefix).format]);
    const keeping = leastOf(await Promise.all(wire.servers().map(keepingOf)));
    const [seconds, micros] = (await wire.call("TIME", [])) as readonly string[]; // its answer
    const now = Number(seconds) * 1_000 + Number(micros) / 1_000;
    return { ...keeping, now, ...(format === null ? {} : { format: Number(format) }) };
  } catch (error) {
    throw storeError(error, settings.name);
  } finally {
    wire.close();
  }
}

const echoMs = 3_000;

/** Whether processes hear at once what others tell them. */
export async function hears(settings: Settings): Promise<boolean> {
  const wire = await reach(settings);
  const { news } = keysOf(settings.prefix);
  try {
    return await carries(
      {
        open: (heard, ended) => listen(settings, news, heard, ended),
        say: async (said) => void (await wire.call("PUBLISH", [news, said])),
      },
      echoMs,
    );
  } catch {
    return false; // it is not allowed to, perhaps: processes do without
  } finally {
    wire.close();
  }
}
