import { existsSync } from "node:fs";
import type { Store } from "../../ports/store.ts";
import { parts } from "../stores.ts";
import { disk } from "./disk.ts";
import { type Finding, findingsOn, looked } from "./finding.ts";

/**
 * Looks at the store of a URI, and makes nothing there.
 *
 * @throws InvalidOptionError for a URI that names none.
 */
export async function store(uri: string | Store): Promise<Finding[]> {
  if (typeof uri !== "string") return handedOver(uri);
  const { scheme, place } = parts(uri);
  switch (scheme) {
    case "memory":
      return [
        findingsOn("store").advice(
          "memory: keeps nothing beyond the process",
          "Name a store that does: --store sqlite:.flujo/flujo.db",
        ),
      ];
    case "sqlite":
      return [...disk(place), ...(await sqlite(place))];
    case "file":
      return disk(place);
    case "postgres":
      return looked(scheme, async () => (await import("./postgres.ts")).postgres(place));
    default:
      return looked(scheme, async () => (await import("./redis.ts")).redis(place));
  }
}

const sqlite = (path: string): Promise<Finding[]> =>
  looked("sqlite", async () => {
    const { fine } = findingsOn("sqlite");
    if (!existsSync(path)) return [fine(`${path} is not there yet: the first run makes it`)];
    (await import("../../stores/sqlite.ts")).checkUp(path);
    return [fine(`${path} is whole`)];
  });

/** A store object, of flujo.config.ts: that it answers is all there is to see. */
const handedOver = (given: Store): Promise<Finding[]> =>
  looked("store", async () => {
    await given.list({ limit: 1 });
    const { fine, advice } = findingsOn("store");
    return [
      given.durability === "synced"
        ? fine(`${given.name} answers, and syncs what it acknowledges`)
        : advice(
            `${given.name} answers; what it acknowledges is ${given.durability}`,
            "Name the store by its URI, for all there is to say: flujo doctor --store …",
          ),
    ];
  });
