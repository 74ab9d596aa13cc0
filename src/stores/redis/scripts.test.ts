/** What scripts leave behind: in indexes, on the disk, and in the server's memory. */
import { randomUUID } from "node:crypto";
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, it, onTestFinished } from "vitest";
import { databases } from "../../../tests/servers/databases.ts";
import { redisServer } from "../../../tests/servers/redis.ts";
import { append, hold, request, summary } from "../../../tests/stores/small-run.ts";
import type { Append, RunSummary, Store } from "../../ports/store.ts";
import { redis } from "../redis.ts";
import { raise, type Script, seize, sort } from "./scripts.ts";

databases("own redis", "scripts in Redis", () => {
  const served = async (settings: { readonly [name: string]: string } = {}) => {
    const server = await redisServer(settings);
    const admin = new Redis(server.url, { retryStrategy: () => null });
    admin.on("error", () => {}); // the server is ended with the test
    const store = redis(server.url, { prefix: "t" });
    onTestFinished(async () => {
      await store.close();
      admin.disconnect();
      await server.stop();
    });
    return { store, admin };
  };

  it("leave each run once in each index it belongs to, and nothing of runs that are removed", async () => {
    const { store, admin } = await served();
    const sizes = async () => {
      const names = (await admin.keys("{t}:runs:*")).sort();
      const pairs = names.map(async (name) => [name.slice("{t}:runs:".length), await admin.zcard(name)]);
      return Object.fromEntries(await Promise.all(pairs));
    };
    const ids = Array.from({ length: 12 }, (_, i) => `r${i}`);
    for (const [i, runId] of ids.entries()) {
      await store.acquire({ ...request, runId, create: true });
      const first = { ...summary, status: "waiting", wakeAt: 50 + i } as const;
      await store.commit([{ ...append(0), runId, summary: first }]);
      await store.send(runId, { id: "s", path: "/p", data: 1, at: 0 });
    }
    const all = { age: 12, change: 12, id: 12, pipeline: 12 };
    expect(await sizes()).toEqual({ ...all, "age:waiting": 12, wake: 12, word: 12 });
    for (const runId of ids) {
      await store.commit([{ ...append(1), runId, summary: { ...summary, updatedAt: 9 } }]);
      await store.renew({ ...request, runId, fence: 1, expiresAt: 0 }, 5_000);
    }
    expect(await sizes()).toEqual({ ...all, "age:running": 12, lease: 12 });
    const last: RunSummary = {
      ...summary,
      status: "waiting",
      pipeline: "q",
      createdAt: 7,
      heard: 0,
      wakeAt: 9,
    };
    for (const runId of ids) await store.commit([{ ...append(2), runId, summary: last }]);
    expect(await sizes()).toEqual({ ...all, "age:waiting": 12, wake: 12, word: 12 });
    for (const runId of ids.slice(6))
      await store.commit([{ ...append(3), runId, summary: { ...last, status: "running" } }]);
    for (const runId of ids)
      expect(await store.drop({ ...request, runId, fence: 1, expiresAt: 0 })).toBe(true);
    expect(await admin.keys("*")).toEqual(["{t}:format"]);
  });

  it("are on the disk whole, or not at all, wherever the log ends", async () => {
    const folder = mkdtempSync(join(tmpdir(), "flujo-log-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const settings = { appendonly: "yes", appendfsync: "always" };
    const lengthOf = (dir: string) => {
      const logs = join(dir, "appendonlydir");
      const name = readdirSync(logs).find((file) => file.endsWith(".incr.aof")) ?? "";
      return { log: join(logs, name), length: statSync(join(logs, name)).size };
    };
    const { store } = await served({ ...settings, dir: folder });
    await store.acquire({ ...request, create: true });
    await store.ledger({ ...hold, id: "1" });
    await store.commit([{ ...append(0), summary }]);
    const from = lengthOf(folder).length;
    const amount = { picoUsd: "7", inputTokens: 1, outputTokens: 1, calls: 1, toolCalls: 0 };
    const whole: Append = {
      ...append(1),
      summary: { ...summary, calls: 1 },
      blobs: [{ hash: "h", text: "text" }],
      postings: [{ scope: "a", hold: "1", amount }],
    };
    expect(await store.commit([whole])).toEqual(["appended"]);
    const to = lengthOf(folder).length;
    const before = { entries: 1, calls: 0, kept: undefined, holds: 1 };
    const after = { entries: 2, calls: 1, kept: "text", holds: 0 };
    expect(await seen(store)).toEqual(after);
    const parts = 6;
    for (let part = 0; part <= parts; part += 1) {
      const copy = join(folder, randomUUID());
      cpSync(join(folder, "appendonlydir"), join(copy, "appendonlydir"), { recursive: true });
      truncateSync(lengthOf(copy).log, Math.floor(from + ((to - from) * part) / parts));
      const cut = await served({ ...settings, dir: copy });
      expect(await seen(cut.store)).toEqual(part === parts ? after : before);
    }
  });

  it("write no account over that others have changed since it was looked at", async () => {
    const { store, admin } = await served();
    const other = redis(`redis://127.0.0.1:${admin.options.port}/0`, { prefix: "t" });
    onTestFinished(() => other.close());
    await store.acquire({ ...request, create: true });
    const rounds = 60;
    for (let i = 0; i < rounds; i += 1) await store.ledger({ ...hold, id: `early ${i}` });
    const amount = { picoUsd: "7", inputTokens: 1, outputTokens: 1, calls: 1, toolCalls: 0 };
    for (let i = 0; i < rounds; i += 1) {
      const postings = [{ scope: "a", hold: `early ${i}`, amount }];
      await Promise.all([
        store.commit([{ ...append(i), postings }]),
        other.ledger({ ...hold, id: `late ${i}` }),
        other.ledger({ ...hold, id: `later ${i}` }),
      ]);
    }
    const [account] = await store.accounts({});
    expect([account?.posted.calls, account?.holds.length]).toEqual([rounds, 2 * rounds]);
  });

  it("write nothing where what was seen stands no more", async () => {
    const { store, admin } = await served();
    await store.acquire({ ...request, create: true });
    await store.commit([{ ...append(0), summary }]);
    const [run, index] = ["{t}:run:r", "{t}:runs:pipeline"];
    const told = ({ text }: Script, keys: string[], ...args: (string | null)[]) =>
      admin.eval(text, keys.length, ...keys, ...args.map(String));
    const [fence = "", expires = "", age = ""] = await admin.hmget(run, "fence", "expires", "by-age");
    const takes = (seen: string, until: string | null) =>
      told(seize, [run, "{t}:runs:lease"], "r", seen, until, "3", "you", expires);
    expect([await takes("0", expires), await takes(String(fence), "0")]).toEqual([0, 0]); // taken, or renewed, since
    expect(await takes(String(fence), expires)).toBe(1);

    const sorted = await admin.hget(run, "by-pipeline");
    await told(sort, [index, run], age, '"other"'); // sorted by another process
    expect(await admin.hget(run, "by-pipeline")).toBe(sorted);
    await admin.hdel(run, "by-pipeline");
    await told(sort, [index, run], "0", '"p"'); // removed, and made anew
    expect(await admin.hget(run, "by-pipeline")).toBeNull();
    await told(sort, [index, run], age, '"p"');
    expect(await admin.hget(run, "by-pipeline")).toBe(sorted);

    await told(raise, ["{t}:format"], "1");
    expect(await admin.get("{t}:format")).toBe("2");
    expect(await store.dropNote("none", "")).toBe(false);
  });

  it("are known again to a server that has forgotten them", async () => {
    const { store, admin } = await served();
    await store.acquire({ ...request, create: true });
    expect(await store.commit([{ ...append(0), summary }])).toEqual(["appended"]);
    await admin.script("FLUSH");
    expect(await store.commit([append(1)])).toEqual(["appended"]);
    expect(await store.list({})).toHaveLength(1);
  });
});

const seen = async (store: Store) => ({
  entries: (await store.read("r", 0, 9))?.length,
  calls: (await store.list({}))[0]?.calls,
  kept: await store.blob("h"),
  holds: (await store.accounts({}))[0]?.holds.length,
});
