import { StoreNewerError } from "../../core/errors.ts";
import type { RunSummary } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";
import { formatVersion, headOf, runAt } from "./keys.ts";
import * as scripts from "./scripts.ts";

/** So many runs at once: the server does nothing else meanwhile. */
const batchSize = 500;

/**
 * A new store is marked as ours by the first who comes. One of an older format is brought up to date before anything else is done
 * with it: by as many processes as like, since each step may be done again, and is marked as done by the last.
 *
 * @throws StoreNewerError
 */
export async function bringUpToDate(db: Connection, name: string): Promise<void> {
  const { format, age, pipeline } = db.keys;
  await db.call("SET", format, formatVersion, "NX");
  const [version, aged, sorted] = await db.all([
    ["GET", format],
    ["ZCARD", age],
    ["ZCARD", pipeline],
  ]);
  if (Number(version) > formatVersion) {
    throw new StoreNewerError(
      `${name} was written by a newer Flujo (format ${version}, this one knows ${formatVersion})`,
      { hint: "Update Flujo; nothing was changed." },
    );
  }
  // They hold the same runs. A process of format 1 that has not ended yet writes to one of them only.
  if (Number(version) === formatVersion && aged === sorted) return;
  await sort(db);
  await weed(db);
  await db.script(scripts.raise, [format], [formatVersion]);
}

/** Puts all runs into the index by pipeline. */
async function sort(db: Connection): Promise<void> {
  const { age, pipeline, run } = db.keys;
  for await (const places of pagesOf(db, age)) {
    const keys = places.map((place) => run(runAt(place)));
    const summaries = await db.all(keys.map((key) => ["HGET", key, "summary"]));
    const sorted = summaries.flatMap((summary, i) => {
      if (typeof summary !== "string") return []; // removed since
      return [
        {
          key: keys[i] ?? "",
          place: places[i] ?? "",
          head: headOf((JSON.parse(summary) as RunSummary).pipeline),
        },
      ]; // as it was kept
    });
    const args = sorted.flatMap(({ place, head }) => [place, head]);
    await db.script(scripts.sort, [pipeline, ...sorted.map(({ key }) => key)], args);
  }
}

/** Takes runs out of the index by pipeline that are no more. */
async function weed(db: Connection): Promise<void> {
  const { pipeline, run } = db.keys;
  for await (const places of pagesOf(db, pipeline)) {
    const keys = places.map((place) => run(place.slice(place.lastIndexOf(":") + 1))); // no id has a colon
    await db.script(scripts.weed, [pipeline, ...keys], places);
  }
}

async function* pagesOf(db: Connection, index: string): AsyncGenerator<readonly string[]> {
  for (let from = "-"; ; ) {
    const [page = []] = (await db.script(scripts.page, [index], [batchSize, "0", from, "+"])) as string[][]; // that script's
    if (page.length > 0) yield page;
    if (page.length < batchSize) return;
    from = `(${page.at(-1)}`;
  }
}
