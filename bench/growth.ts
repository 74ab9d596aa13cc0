/**
 * What a store costs as it grows to a million runs: `npm run bench:growth [-- --store postgres] [--to 100000] [--keep]`. The
 * table goes to docs/scale.md, unless `--keep` leaves it as it is.
 *
 * It is filled with copies of one genuine run, made inside the database (in Redis by the store itself): the rows are those of
 * the store's own encoding, under other ids, at moments over thirty days. Beside them stand a few that have not completed, the
 * oldest of all: whoever walks the wrong way to find them passes over all the others.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Flujo, pipeline, type Store, step } from "flujo";
import { redisServer } from "../tests/servers/redis.ts";
import { type Filled, inPostgres, inRedis, inSqlite } from "./filled.ts";
import { content, figure, inFolder, median, root, timed } from "./measure.ts";
import { machine, show, table, write } from "./tables.ts";

const { values } = parseArgs({
  options: {
    store: { type: "string", multiple: true },
    to: { type: "string", default: "1000000" },
    keep: { type: "boolean" },
  },
});

const body = async (n: number) => content(n);
const work = pipeline(
  "work",
  step("one", body)
    .to("two", ({ step: n }) => content(n))
    .to("three", ({ step: n }) => content(n)),
);
const times = 40;
let made = 0;

/** What is asked of a store while it works and while people look, by name. Each is done `times` over. */
const hot: { readonly [name: string]: (store: Store, flujo: Flujo<number, unknown>) => Promise<unknown> } = {
  "submit a run": (_, flujo) => flujo.submit(made++),
  "a run of three steps, whole": (_, flujo) => flujo.run(made++),
  "a worker's look: due, abandoned, submitted": async (store) => {
    await store.list({ pipeline: ["work", "rare"], dueBefore: Date.now(), limit: 100 });
    await store.list({ pipeline: ["work", "rare"], leaseEndsBefore: Number.MAX_SAFE_INTEGER, limit: 100 });
  },
  "a job's run, by its id": (store) => store.list({ idPrefix: "waiting-7", pipeline: "rare", limit: 1_000 }),
  "a signal": (store) =>
    store.send("waiting-7", { id: `signal-${made++}`, path: "/rare/ask", data: 1, at: Date.now() }),
  "first page of all runs": (store) => store.list({ limit: 100 }),
  "a page from the middle": (store) =>
    store.list({ limit: 100, after: { createdAt: Date.now() - 15 * 86_400_000, runId: "x" } }),
  "what waits (inbox)": (store) => store.list({ status: ["waiting"], limit: 1_000 }),
  "what has failed": (store) => store.list({ status: ["failed", "halted"], limit: 100 }),
  "first page of a rare pipeline": (store) => store.list({ pipeline: "rare", limit: 100 }),
  "what has changed (dashboard, each 100 ms)": (store) => store.list({ updatedFrom: Date.now() - 5_000 }),
  "a shared budget": (store) => store.accounts({ scopes: ["team"] }),
  "the cost of the newest 1,000 runs, summed": async (store) => {
    const runs = await store.list({ limit: 1_000 });
    return runs.reduce((sum, { picoUsd }) => sum + BigInt(picoUsd), 0n);
  },
};

/** Milliseconds of each, by name: medians. */
async function measured(store: Store): Promise<ReadonlyMap<string, number>> {
  await using flujo = new Flujo(work, { store, takeOver: false });
  const all = new Map<string, number[]>();
  for (let round = -3; round < times; round++) {
    for (const [name, ask] of Object.entries(hot)) {
      const ms = await timed(() => ask(store, flujo));
      if (round >= 0) all.set(name, [...(all.get(name) ?? []), ms]);
    }
  }
  return new Map([...all].map(([name, ms]) => [name, median(ms)]));
}

async function grown(filled: Filled, to: number): Promise<string> {
  const { store } = filled;
  {
    await using flujo = new Flujo(work, { store, takeOver: false });
    await flujo.run(0, { runId: "model" }); // of this one all the others are copies
    await store.ledger({ kind: "amend", scope: "team", set: { calls: 1_000_000 } });
  }
  await filled.few();
  const sizes = [1_000, 10_000, 100_000, 1_000_000].filter((size) => size <= to);
  const columns: ReadonlyMap<string, number>[] = [];
  const bytes: number[] = [];
  for (const [i, size] of sizes.entries()) {
    const ms = await timed(() => filled.fill(sizes[i - 1] ?? 0, size));
    console.error(`${filled.name}: ${size} runs after ${Math.round(ms / 1_000)} s`);
    bytes.push(await filled.bytes());
    columns.push(await measured(store));
  }
  const [first] = columns;
  const last = columns.at(-1);
  const rows = Object.keys(hot).map((name) => [
    name,
    ...columns.map((column) => figure(column.get(name) ?? Number.NaN)),
    `${figure((last?.get(name) ?? Number.NaN) / (first?.get(name) ?? Number.NaN))} x`,
  ]);
  const weights = bytes.map(
    (all, i) => `${figure(all / 1e6)} (${figure(all / (sizes[i] ?? 1) / 1e3)} KB a run)`,
  );
  const heads = sizes.map((size) => size.toLocaleString("en-US"));
  return table(
    [`${filled.name}: ms at so many runs`, ...heads, "most over fewest"],
    [...rows, ["the store, MB", ...weights, ""]],
  );
}

const to = Number(values.to);
const wanted = values.store ?? ["postgres", "sqlite", "redis"];
const texts: string[] = [];
if (wanted.includes("postgres")) {
  await using filled = await inPostgres();
  texts.push(await grown(filled, to));
}
if (wanted.includes("sqlite")) {
  await inFolder(async (folder) => {
    await using filled = inSqlite(join(folder, "grown.db"));
    texts.push(await grown(filled, to));
  });
}
if (wanted.includes("redis")) {
  const server = await redisServer({ appendonly: "yes", appendfsync: "always" });
  {
    await using filled = inRedis(server.url);
    texts.push(await grown(filled, to));
  }
  await server.stop();
}
const text = [machine(), ...texts].join("\n\n");
show("growth", text);
if (!values.keep && values.store === undefined) write(join(root, "docs", "scale.md"), "growth", text);
