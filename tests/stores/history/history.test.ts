/** Real processes on one store, some killed: what they were answered fits some order. The long one: `run.ts` beside this. */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { chance } from "../../../src/testing/chance.ts";
import { databases } from "../../servers/databases.ts";
import { postgresServer } from "../../servers/postgres.ts";
import { hasOwnRedis, redisServer } from "../../servers/redis.ts";
import { type Subject, series } from "./series.ts";

const claim = "appends of each run, and the shared ledger, are strictly serialisable";

async function keeps(subject: Subject, seed: number): Promise<void> {
  const faults = { kills: 2, restarts: 1, cuts: 2, everyMs: 300 };
  const { journals, ledger, answers } = await series(subject, {
    ...{ processes: 4, turns: 50, chance: chance(seed) },
    ...faults,
  });
  expect([...journals, ...ledger]).toEqual([]);
  for (const outcome of ["commit appended", "commit fenced", "ledger granted", "ledger refused"])
    expect([outcome, answers[outcome] ?? 0]).not.toEqual([outcome, 0]);
}

it.each([
  ["sqlite", {}],
  ["file", { fencedMayStand: true }],
])(`on %s, among kills, ${claim}`, async (scheme, how) => {
  const folder = mkdtempSync(join(tmpdir(), "flujo-history-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await keeps({ uri: `${scheme}:${join(folder, randomUUID())}`, ...how }, 1);
});

databases("postgres", "on Postgres", () => {
  it(`among kills, restarts and cuts of the network, ${claim}`, async () => {
    const server = await postgresServer();
    onTestFinished(() => server.stop());
    await keeps({ ...server, uri: server.url, forgets: true }, 2);
  });
});

databases("redis", "on Redis", () => {
  it.runIf(hasOwnRedis)(`among kills, restarts and cuts of the network, ${claim}`, async () => {
    const server = await redisServer({ appendonly: "yes", appendfsync: "always" });
    onTestFinished(() => server.stop());
    await keeps({ ...server, uri: server.url }, 3);
  });
});
