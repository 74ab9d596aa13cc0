/**
 * The long one: `node tests/stores/history/run.ts [--store sqlite|file|postgres|redis] [--turns N] [--kills N] [--restarts N]
 * [--cuts N] [--seed N]`. Without a store: all of them. Prints what each came to.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chance } from "../../../src/testing/chance.ts";
import { postgresServer } from "../../servers/postgres.ts";
import { redisServer } from "../../servers/redis.ts";
import { type Subject, series } from "./series.ts";

const { values } = parseArgs({
  options: {
    store: { type: "string" },
    turns: { type: "string", default: "2000" },
    kills: { type: "string", default: "40" },
    restarts: { type: "string", default: "15" },
    cuts: { type: "string", default: "40" },
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
  },
});

const folder = mkdtempSync(join(tmpdir(), "flujo-history-"));
const inFolder = (scheme: string) => async () => ({
  uri: `${scheme}:${join(folder, scheme)}`,
  stop: async () => {},
});
const subjects: { readonly [store: string]: () => Promise<Subject & { stop(): Promise<void> }> } = {
  sqlite: inFolder("sqlite"),
  file: async () => ({ ...(await inFolder("file")()), fencedMayStand: true }),
  async postgres() {
    const server = await postgresServer({ max_connections: "500" });
    return { ...server, uri: server.url, forgets: true };
  },
  async redis() {
    const server = await redisServer({ appendonly: "yes", appendfsync: "always" });
    return { ...server, uri: server.url };
  },
};
for (const [name, make] of Object.entries(subjects)) {
  if (values.store !== undefined && values.store !== name) continue;
  const subject = await make();
  const { turns, kills, restarts, cuts, seed } = values;
  const faults = { kills: Number(kills), restarts: Number(restarts), cuts: Number(cuts) };
  const plan = { processes: 4, turns: Number(turns), ...faults, everyMs: 500, chance: chance(Number(seed)) };
  try {
    console.log(name, { seed, ...(await series(subject, plan)) });
  } finally {
    await subject.stop();
  }
}
rmSync(folder, { recursive: true });
