import { truncateSync } from "node:fs";
import { Redis } from "ioredis";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { hasPooler, poolerOf } from "../servers/pooler.ts";
import { freePort, hasPostgres, postgresServer } from "../servers/postgres.ts";
import { hasOwnRedis, redisServer } from "../servers/redis.ts";
import { Folder } from "./command.ts";

const hello = new URL("../../examples/hello.ts", import.meta.url).pathname;

interface Finding {
  readonly about: string;
  readonly grade: "fine" | "advice" | "fault";
  readonly message: string;
  readonly remedy?: string;
}

/** What the doctor finds, but for what is fine. */
async function complaints(...args: readonly string[]): Promise<{ code: number | null; said: string[] }> {
  const { code, stdout } = await new Folder().flujo("doctor", "--json", ...args);
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] };
  expect(ok).toBe(code === 0);
  expect(ok).toBe(findings.every(({ grade }) => grade !== "fault"));
  for (const { grade, remedy } of findings) if (grade !== "fine") expect(remedy).toMatch(/\S/);
  const wrong = findings.filter(({ grade }) => grade !== "fine");
  return { code, said: wrong.map(({ about, grade, message }) => `${about} ${grade}: ${message}`) };
}

describe("flujo doctor", () => {
  test("finds nothing at fault in a new folder, says so for people, and makes nothing there", async () => {
    const folder = new Folder();
    const { code, stderr, stdout } = await folder.flujo("doctor");
    expect(code).toBe(0);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^fine +node +Flujo \S+ on Node\.js v\d+/m);
    expect(stderr).toMatch(/^fine +sqlite +\.flujo\/flujo\.db is not there yet/m);
    expect(stderr).toMatch(/^\w+ +disk .* GB free$/m);
    expect(stderr).toMatch(/Nothing is at fault\.\n$/);
    expect((await folder.flujo("doctor", "--json")).stdout).toContain("is not there yet");
  });

  test("looks a database through, and says what to do about a damaged one", async () => {
    const folder = new Folder();
    await folder.flujo("run", hello, "--input", "Ana");
    expect((await folder.flujo("doctor")).stderr).toContain(".flujo/flujo.db is whole");
    truncateSync(`${folder.path}/.flujo/flujo.db`, 8_192);
    const { code, stderr } = await folder.flujo("doctor");
    expect(code).toBe(1);
    expect(stderr).toMatch(/^fault +sqlite +.*damaged/m);
    expect(stderr).toMatch(/Restore it from a copy/);
  });

  test("says when the store keeps nothing, and that a URI names none", async () => {
    const { code, said } = await complaints("--store", "memory:");
    expect([code, said]).toEqual([0, ["store advice: memory: keeps nothing beyond the process"]]);
    expect((await new Folder().flujo("doctor", "--store", "mysql://x")).code).toBe(2);
  });

  test("says what is wrong with what the environment sets for providers", async () => {
    const env = { OLLAMA_BASE_URL: "nonsense", OPENAI_API_KEY: "sk-test" };
    const { code, stderr } = await new Folder().start(["doctor"], { env }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^fine +openai +.*@ai-sdk\/openai is installed$/m);
    expect(stderr).toMatch(/^fault +ollama +.*"nonsense", which is not a URL$/m);
  });

  test("says of a server that does not answer how to find out why", async () => {
    const port = await freePort();
    for (const [about, uri] of [
      ["redis", `redis://127.0.0.1:${port}/0`],
      ["postgres", `postgres://127.0.0.1:${port}/app`],
    ]) {
      const { code, said } = await complaints("--store", uri as string);
      expect(code).toBe(1);
      expect(said).toEqual([expect.stringMatching(`^${about} fault: .*the server does not answer`)]);
    }
  });

  test.runIf(hasOwnRedis)("says what a Redis server's settings lose", async () => {
    const server = await redisServer();
    onTestFinished(() => server.stop());
    const admin = new Redis(server.url);
    onTestFinished(() => admin.disconnect());
    const lost = "redis fault: appendonly no: when the server stops,";
    expect(await complaints("--store", server.url)).toEqual({
      code: 1,
      said: [`${lost} everything is lost`],
    });
    await admin.config("SET", "save", "60 1000");
    expect((await complaints("--store", server.url)).said).toEqual([
      `${lost} all since the last picture of it is lost`,
    ]);
    await admin.config("SET", "appendonly", "yes");
    await admin.config("SET", "maxmemory", "100mb");
    await admin.config("SET", "maxmemory-policy", "allkeys-lru");
    expect(await complaints("--store", server.url)).toEqual({
      code: 1,
      said: [
        expect.stringContaining("redis advice: appendfsync everysec"),
        expect.stringContaining("redis fault: maxmemory-policy allkeys-lru"),
      ],
    });
    await admin.config("SET", "maxmemory-policy", "noeviction");
    await admin.config("SET", "appendfsync", "always");
    expect(await complaints("--store", server.url)).toEqual({ code: 0, said: [] });
    await admin.config("SET", "no-appendfsync-on-rewrite", "yes");
    expect(await complaints("--store", server.url)).toEqual({
      code: 0,
      said: [expect.stringContaining("redis advice: no-appendfsync-on-rewrite yes")],
    });
    expect(await admin.dbsize()).toBe(0);
  });

  test.runIf(hasPostgres)("says what a Postgres server's settings lose", async () => {
    const server = await postgresServer({
      fsync: "off",
      full_page_writes: "off",
      max_connections: "12",
      default_transaction_isolation: "repeatable read",
    });
    onTestFinished(() => server.stop());
    const { code, said } = await complaints("--store", server.url);
    expect(code).toBe(1);
    expect(said).toEqual([
      expect.stringContaining("postgres fault: fsync is off"),
      expect.stringContaining("postgres fault: full_page_writes is off"),
      expect.stringContaining("postgres advice: default_transaction_isolation is repeatable read"),
    ]);
    const admin = new pg.Client({ connectionString: server.url });
    await admin.connect();
    await admin.query("CREATE DATABASE narrow ENCODING 'LATIN1' TEMPLATE template0");
    await admin.end();
    const narrow = await complaints("--store", server.url.replace(/postgres$/, "narrow"));
    expect(narrow.said).toContainEqual(
      expect.stringContaining("postgres fault: the database keeps texts as LATIN1"),
    );
    const behind = `${server.url}?listen=postgres%3A%2F%2F127.0.0.1%3A1%2Fapp`;
    expect((await complaints("--store", behind)).said).toEqual([
      expect.stringMatching(/postgres fault: .*does not answer/),
    ]);
    const relaxed = await complaints("--store", `${server.url}?connections=50&durability=relaxed`);
    expect(relaxed.said.at(-1)).toMatch(/of its 12 connections are taken, and each process may want 50/);
  });

  test.runIf(hasPostgres && hasPooler)(
    "says that nothing is heard through a pooler, and what to do",
    async () => {
      const server = await postgresServer();
      onTestFinished(() => server.stop());
      const pooler = await poolerOf(server.url);
      onTestFinished(() => pooler.stop());
      const unheard = "postgres advice: LISTEN hears nothing: processes look once a second instead";
      expect((await complaints("--store", pooler.url)).said).toContain(unheard);
      const direct = `${pooler.url}?listen=${encodeURIComponent(server.url)}`;
      expect((await complaints("--store", direct)).said).not.toContain(unheard);
      const hasty = await poolerOf(server.url, "statement");
      onTestFinished(() => hasty.stop());
      const { said } = await complaints("--store", hasty.url);
      expect(said).toContainEqual(
        expect.stringContaining("postgres fault: a pooler in statement mode stands before it"),
      );
    },
  );
});
