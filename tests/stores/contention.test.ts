import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../src/cli/stores.ts";
import { databases } from "../servers/databases.ts";
import { hasPostgres, type PostgresServer, postgresServer } from "../servers/postgres.ts";
import { hasRedis, type RedisServer, redisServer } from "../servers/redis.ts";

const contender = fileURLToPath(new URL("./contender.ts", import.meta.url));
const caller = fileURLToPath(new URL("./caller.ts", import.meta.url));
const spender = fileURLToPath(new URL("./spender.ts", import.meta.url));
const slotTaker = fileURLToPath(new URL("./slot-taker.ts", import.meta.url));
const exec = promisify(execFile);

let folder: string;
let database: PostgresServer | undefined;
let server: RedisServer | undefined;
beforeAll(async () => {
  if (hasPostgres) database = await postgresServer();
  if (hasRedis) server = await redisServer();
});
afterAll(async () => {
  await database?.stop();
  await server?.stop();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flujo-contention-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A new place for a store of each kind. */
const places: { readonly [kind: string]: () => string } = {
  file: () => `file:${join(folder, "store")}`,
  sqlite: () => `sqlite:${join(folder, "store")}`,
  ...(hasPostgres ? { postgres: () => `${database?.url}?schema=s_${randomUUID().replaceAll("-", "")}` } : {}),
  ...(hasRedis ? { redis: () => `${server?.url}?prefix=${randomUUID()}` } : {}),
};
const placeOf = (kind: string): string => (places[kind] as () => string)();

describe("three processes that take one run from one another", () => {
  it.each(Object.keys(places))("on %s lose nothing acknowledged and record nothing twice", async (kind) => {
    const uri = placeOf(kind);
    const store = await openStore(uri);
    await store.acquire({ runId: "r", owner: "first", now: 0, ttlMs: 0, create: true });
    const ran = await Promise.all(
      ["a", "b", "c"].map((owner) => exec(process.execPath, [contender, uri, owner])),
    );
    const reports = ran.map(({ stdout }) => JSON.parse(stdout) as { acknowledged: string[]; fenced: number });

    const entries = (await store.read("r", 0, 1_000_000)) ?? [];
    const outputs = entries.map((entry) => (entry.type === "operation-completed" ? entry.output : undefined));
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, i) => i));
    expect(new Set(outputs).size).toBe(outputs.length);
    for (const { acknowledged } of reports) {
      const known = new Set(acknowledged);
      expect(outputs.filter((output) => known.has(String(output)))).toEqual(acknowledged);
    }
    // On a busy machine one of them may get no turn; that somebody wrote and somebody was fenced is what counts.
    expect(reports.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0)).toBeGreaterThan(0);
    expect(reports.reduce((sum, { fenced }) => sum + fenced, 0)).toBeGreaterThan(0);
    await store.close();
  });
});

describe("two processes that send something to a run which a third one drops", () => {
  it.each(Object.keys(places))(
    "on %s are told of nothing kept that who drops it has not read",
    async (kind) => {
      const uri = placeOf(kind);
      const store = await openStore(uri);
      const answer = await store.acquire({ runId: "r", owner: "first", now: 0, ttlMs: 0, create: true });
      if (answer.outcome !== "granted") throw new Error(answer.outcome);
      const callers = ["a", "b"].map((name) => exec(process.execPath, [caller, uri, name]));
      let read: string[] = [];
      do read = (await store.signals("r")).map(({ id }) => id);
      while (read.length < 10 || !(await store.drop(answer.lease, read.length)));
      const told = (await Promise.all(callers)).flatMap(({ stdout }) => JSON.parse(stdout) as string[]);
      expect(told.toSorted()).toEqual(read.toSorted());
      expect(await store.signals("r")).toEqual([]);
      await store.close();
    },
  );
});

describe("four processes that spend from one account", () => {
  it.each(Object.keys(places))(
    "on %s never hold or spend more than its limit, and use it up",
    async (kind) => {
      const uri = placeOf(kind);
      const limit = 200;
      const ran = await Promise.all(
        ["a", "b", "c", "d"].map((runId) => exec(process.execPath, [spender, uri, runId, String(limit)])),
      );
      const reports = ran.map(
        ({ stdout }) =>
          JSON.parse(stdout) as { spent: number; granted: number; waited: number; highest: number },
      );
      const store = await openStore(uri);
      const [account] = await store.accounts({});
      const spent = reports.reduce((sum, report) => sum + report.spent, 0);
      expect(Math.max(...reports.map(({ highest }) => highest))).toBeLessThanOrEqual(limit);
      expect(account?.posted.picoUsd).toBe(String(spent));
      expect(account?.posted.calls).toBe(reports.reduce((sum, { granted }) => sum + granted, 0));
      expect(account?.holds).toEqual([]);
      expect(spent).toBeLessThanOrEqual(limit);
      expect(spent).toBeGreaterThan(limit - 5);
      await store.close();
    },
  );
});

describe("four processes that take slots under one limit", () => {
  it.each(Object.keys(places))(
    "on %s never have more than it says at once, or begin more in a minute",
    async (kind) => {
      const uri = placeOf(kind);
      const [most, perMinute, wanted] = [3, 30, 20];
      const ran = await Promise.all(
        Array.from({ length: 4 }, () =>
          exec(process.execPath, [slotTaker, uri, `${most}`, `${perMinute}`, `${wanted}`]),
        ),
      );
      const had = ran.flatMap(({ stdout }) => JSON.parse(stdout) as { from: number; to: number }[]);
      const atOnce = had.map(
        ({ from }) => had.filter((other) => other.from <= from && from < other.to).length,
      );
      expect(Math.max(...atOnce)).toBeLessThanOrEqual(most);
      // It may have taken longer than a minute on a busy machine.
      for (const { from } of had)
        expect(
          had.filter((other) => other.from >= from && other.from < from + 59_000).length,
        ).toBeLessThanOrEqual(perMinute);
      expect(had.length).toBeGreaterThanOrEqual(perMinute);
    },
  );
});

for (const kind of ["postgres", "redis"] as const)
  if (!(kind in places)) databases(kind, "processes that contend for one store", () => {});
