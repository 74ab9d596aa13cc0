import {
  appendFileSync,
  cpSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { summary } from "../../tests/stores/small-run.ts";
import type { Entry } from "../core/entries.ts";
import { StoreCorruptError, StoreNewerError, StoreUnavailableError } from "../core/errors.ts";
import type { Json } from "../core/json.ts";
import type { Lease, LeaseAnswer, Store } from "../ports/store.ts";
import { testStore } from "../testing/test-store.ts";
import { storeError } from "./file/faults.ts";
import { encodeLine } from "./file/line.ts";
import { file } from "./file.ts";

for (const durability of ["synced", "relaxed"] as const) {
  testStore(
    `file, ${durability}`,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "flujo-file-"));
      return {
        store: file(join(folder, "store"), { durability }),
        reopen: async () => file(join(folder, "store"), { durability }),
        dispose: async () => rmSync(folder, { recursive: true }),
      };
    },
    { describe, it },
  );
}

let root: string;
let store: Store;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "flujo-file-"));
  store = file(root);
});
afterEach(async () => {
  await store.close();
  rmSync(root, { recursive: true });
});

const request = { runId: "r", owner: "me", now: 0, ttlMs: 1_000 };
const segment = (fence: number, at = root): string => join(at, "runs", "r", `journal-00000${fence}.jsonl`);

function entries(seq: number, ...values: Json[]): Entry[] {
  return values.map((output, i) => ({
    type: "operation-completed",
    path: "/t",
    kind: "run",
    output,
    took: 0,
    seq: seq + i,
    at: 0,
  }));
}

async function take(from: Store, supersede?: number): Promise<Lease> {
  const held = supersede === undefined ? { create: true } : { supersede };
  const answer: LeaseAnswer = await from.acquire({ ...request, ...held });
  if (answer.outcome !== "granted") throw new Error(answer.outcome);
  return answer.lease;
}

const add = (to: Store, { runId, fence }: Lease, seq: number, ...values: Json[]) =>
  to.commit([{ runId, fence, entries: entries(seq, ...values), blobs: [] }]);

async function outputs(of: Store): Promise<(Json | undefined)[] | undefined> {
  const read = await of.read("r", 0, 1_000);
  return read?.map((entry) => (entry.type === "operation-completed" ? entry.output : undefined));
}

describe("a torn last line", () => {
  it("is cut off wherever it is torn, and the run goes on after it", async () => {
    const lease = await take(store);
    await add(store, lease, 0, "a");
    const whole = statSync(segment(1)).size;
    await add(store, lease, 1, "b ñ🌊", "c");
    const full = statSync(segment(1)).size;
    for (let size = whole; size < full; size++) {
      const copy = join(root, `torn at ${size}`);
      cpSync(join(root, "runs"), join(copy, "runs"), { recursive: true });
      truncateSync(segment(1, copy), size);
      const torn = file(copy, { durability: "relaxed" });
      expect(await outputs(torn)).toEqual(["a"]);
      const next = await take(torn, 1);
      expect(await add(torn, next, 1, "d")).toEqual(["appended"]);
      expect(await outputs(torn)).toEqual(["a", "d"]);
      await torn.close();
    }
  });

  it("may be torn out of order, as power loss can", async () => {
    const lease = await take(store);
    await add(store, lease, 0, "a");
    const whole = statSync(segment(1)).size;
    await add(store, lease, 1, "b");
    const bytes = readFileSync(segment(1));
    writeFileSync(segment(1), bytes.fill(0, whole, whole + 20));
    expect(await outputs(store)).toEqual(["a"]);
  });
});

describe("a damaged journal", () => {
  const damage = (path: string, at: number): void => {
    const bytes = readFileSync(path);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  };

  it("is refused by file and line, by whoever reads or takes over, and nothing is made", async () => {
    const lease = await take(store);
    for (const seq of [0, 1, 2]) await add(store, lease, seq, `value ${seq}`);
    const line = readFileSync(segment(1), "utf8").indexOf("value 1");
    damage(segment(1), line);
    const expected = {
      code: "store-corrupt",
      message: expect.stringContaining(`${segment(1)} is damaged at line 4`),
    };
    await expect(store.read("r", 0, 10)).rejects.toMatchObject(expected);
    await expect(store.acquire({ ...request, supersede: 1 })).rejects.toMatchObject(expected);
    expect(readdirSync(join(root, "runs", "r"))).toEqual(["journal-000001.jsonl"]);
  });

  it("is refused when its first lines are bad though others follow", async () => {
    await add(store, await take(store), 0, "a");
    await add(store, await take(store, 1), 1, "b");
    for (const fence of [1, 2]) {
      const original = readFileSync(segment(fence));
      for (const [line, at] of [original.indexOf("format"), original.indexOf('"seq"')].entries()) {
        damage(segment(fence), at);
        await expect(outputs(store)).rejects.toThrow(`${segment(fence)} is damaged at line ${line + 1}`);
        if (fence === 2) await expect(take(store, 2)).rejects.toThrow(StoreCorruptError);
        writeFileSync(segment(fence), original);
      }
    }
    expect(await outputs(store)).toEqual(["a", "b"]);
  });

  it("is refused when an older segment is shorter than was recorded, is altered, or is gone", async () => {
    await add(store, await take(store), 0, "a", "b");
    await add(store, await take(store, 1), 2, "c");
    const size = statSync(segment(1)).size;
    const original = readFileSync(segment(1));
    damage(segment(1), size - 3);
    await expect(outputs(store)).rejects.toThrow(StoreCorruptError);
    truncateSync(segment(1), size - 3);
    await expect(outputs(store)).rejects.toThrow(`${segment(1)} is damaged at line 3`);
    rmSync(segment(1));
    await expect(outputs(store)).rejects.toThrow(StoreCorruptError);
    writeFileSync(segment(1), original);
    expect(await outputs(store)).toEqual(["a", "b", "c"]);
  });
});

describe("a stale owner", () => {
  it("writes what is void, even past its own checks", async () => {
    await add(store, await take(store), 0, "a");
    const next = await take(store, 1);
    appendFileSync(segment(1), encodeLine({ entries: entries(1, "stale") }));
    expect(await outputs(store)).toEqual(["a"]);
    await add(store, next, 1, "b");
    expect(await outputs(file(root))).toEqual(["a", "b"]);
  });

  it("is told so when it is overtaken in the middle of an append", async () => {
    const lease = await take(store);
    await add(store, lease, 0, "a");
    const taken = file(root);
    // The engine's own entries cannot do this: a value that takes the lease while it is being written as JSON.
    const overtaking = { toJSON: () => writeFileSync(segment(2), "") } as unknown as Json;
    expect(await add(store, lease, 1, overtaking)).toEqual(["fenced"]);
    expect(await add(store, lease, 1, "b")).toEqual(["fenced"]);
    await taken.close();
  });
});

describe("a takeover that died half-way", () => {
  it("holds the lease until its claim ends, and counts for nothing", async () => {
    await add(store, await take(store), 0, "a");
    writeFileSync(segment(2), encodeLine({ format: 1, owner: "dead", expiresAt: 500 }));
    expect(await store.acquire(request)).toMatchObject({
      outcome: "held",
      lease: { owner: "dead", fence: 2 },
    });
    expect(await outputs(store)).toEqual(["a"]);
    const answer = await store.acquire({ ...request, now: 500 });
    expect(answer).toMatchObject({ outcome: "granted", lease: { fence: 3 } });
    await add(store, { ...request, fence: 3, expiresAt: 0 }, 1, "b");
    expect(await outputs(store)).toEqual(["a", "b"]);
  });

  it("stays without effect when the process wakes and goes on", async () => {
    await add(store, await take(store), 0, "a");
    const bytes = statSync(segment(1)).size;
    writeFileSync(segment(2), encodeLine({ format: 1, owner: "asleep", expiresAt: 0 }));
    const lease = await take(store, 2);
    appendFileSync(segment(2), encodeLine({ after: { fence: 1, bytes }, seq: 1 }));
    appendFileSync(segment(2), encodeLine({ entries: entries(1, "late") }));
    expect(await outputs(store)).toEqual(["a"]);
    await add(store, lease, 1, "b");
    expect(await outputs(file(root))).toEqual(["a", "b"]);
    await add(store, await take(store, 3), 2, "c");
    expect(await outputs(file(root))).toEqual(["a", "b", "c"]);
  });

  it("leaves the run free when power loss took even the claim", async () => {
    await add(store, await take(store), 0, "a");
    writeFileSync(segment(2), "");
    const answer = await store.acquire(request);
    expect(answer).toMatchObject({ outcome: "granted", lease: { fence: 3 } });
    expect(await outputs(store)).toEqual(["a"]);
  });

  it("leaves an empty run when it was its first", async () => {
    await take(store);
    writeFileSync(segment(1), "");
    expect(await outputs(store)).toEqual([]);
    expect(await store.acquire({ ...request, create: true })).toEqual({ outcome: "exists" });
    const answer = await store.acquire(request);
    expect(answer).toMatchObject({ outcome: "granted", lease: { fence: 2 } });
    await add(store, { ...request, fence: 2, expiresAt: 0 }, 0, "a");
    expect(await outputs(store)).toEqual(["a"]);
  });
});

describe("a folder that cannot be used", () => {
  it("is refused untouched when a newer Flujo wrote the run", async () => {
    await take(store);
    writeFileSync(segment(1), encodeLine({ format: 2, owner: "new", expiresAt: 0 }));
    const before = readFileSync(segment(1));
    await expect(store.read("r", 0, 1)).rejects.toThrow(StoreNewerError);
    await expect(store.acquire({ ...request, supersede: 1 })).rejects.toThrow(StoreNewerError);
    await expect(store.list({})).rejects.toThrow(StoreNewerError);
    expect(readdirSync(join(root, "runs", "r"))).toEqual(["journal-000001.jsonl"]);
    expect(readFileSync(segment(1))).toEqual(before);
  });

  it("is said to be unavailable when it is a file", async () => {
    writeFileSync(join(root, "file"), "");
    const blocked = file(join(root, "file"));
    await expect(take(blocked)).rejects.toThrow(StoreUnavailableError);
    await expect(blocked.cachePut("k", { value: 1 })).rejects.toThrow(/a file stands where a folder should/);
    await expect(blocked.list({})).rejects.toThrow(StoreUnavailableError);
  });

  it.each([
    ["ENOSPC", "the disk is full", true],
    ["EROFS", "it cannot be written", false],
    ["EACCES", "it cannot be written", false],
    ["ENOTSUP", "hard links", false],
  ])("becomes a letter for %s", (code, message, retryable) => {
    const error = storeError(Object.assign(new Error(`${code}: at work`), { code }), "file:x");
    expect(error).toBeInstanceOf(StoreUnavailableError);
    expect(error).toMatchObject({
      message: expect.stringContaining(message),
      retryable,
      hint: expect.stringMatching(/\.$/),
    });
  });

  it("leaves other errors as they are", () => {
    const error = new TypeError("a mistake of ours");
    expect(storeError(error, "file:x")).toBe(error);
  });
});

describe("file", () => {
  it("writes one line a commit, and nothing else beside the journal", async () => {
    const lease = await take(store);
    await store.commit([
      { ...lease, entries: entries(0, "a"), blobs: [] },
      { ...lease, entries: entries(1, "b", "c"), blobs: [] },
    ]);
    expect(readFileSync(segment(1), "utf8").trim().split("\n")).toHaveLength(3);
    expect(readdirSync(root, { recursive: true })).toHaveLength(3);
  });

  it("finds the last summary behind a long tail", async () => {
    const lease = await take(store);
    await store.commit([{ ...lease, entries: [], blobs: [], summary: { ...summary, calls: 1 } }]);
    for (let seq = 0; seq < 300; seq++) await add(store, lease, seq, `"summary": ${"x".repeat(500)}`);
    expect(await store.list({})).toMatchObject([{ runId: "r", calls: 1 }]);
  });

  it("leaves no drafts behind, and says when it is closed", async () => {
    const lease = await take(store);
    await store.send("r", { id: "s", path: "/t", data: 1, at: 0 });
    await store.cachePut("k", { value: 1 });
    await store.release(lease);
    expect(readdirSync(root, { recursive: true }).filter((name) => String(name).includes("draft"))).toEqual(
      [],
    );
    await store.close();
    await expect(store.read("r", 0, 1)).rejects.toThrow(/is closed/);
  });

  it("refuses a damaged signal, and forgets a damaged cache record", async () => {
    await take(store);
    await store.send("r", { id: "s", path: "/t", data: 1, at: 0 });
    await store.cachePut("k", { value: 1 });
    const [cached] = readdirSync(join(root, "cache"));
    truncateSync(join(root, "cache", cached as string), 5);
    truncateSync(join(root, "runs", "r", "signals", "00000001.json"), 5);
    expect(await store.cacheGet("k", 0)).toBeUndefined();
    await expect(store.signals("r")).rejects.toThrow(/signals.00000001\.json is damaged/);
  });
});

describe("the shared ledger in files", () => {
  const folder = (): string => join(root, "ledger");
  const versions = (): string[] => readdirSync(folder()).sort();
  const raise = (calls: number) => store.ledger({ kind: "amend", scope: "day", set: { calls } });

  it("is one file, of which a few versions are kept", async () => {
    for (let calls = 1; calls <= 20; calls++) await raise(calls);
    expect(versions()).toHaveLength(16);
    expect(versions().at(-1)).toBe("ledger-00000020.json");
    expect(await store.accounts({})).toMatchObject([{ limits: { calls: 20 } }]);
  });

  it("does not believe a process that slept and makes a version that was there before", async () => {
    await raise(1);
    const sleeper = readFileSync(join(folder(), "ledger-00000001.json"));
    for (let calls = 2; calls <= 20; calls++) await raise(calls);
    writeFileSync(join(folder(), "ledger-00000002.json"), sleeper);
    expect(await store.accounts({})).toMatchObject([{ limits: { calls: 20 } }]);
    await raise(21);
    expect(versions()).not.toContain("ledger-00000002.json");
    expect(await store.accounts({})).toMatchObject([{ limits: { calls: 21 } }]);
  });

  it("refuses a damaged version instead of forgetting what was spent", async () => {
    await raise(1);
    await raise(2);
    truncateSync(join(folder(), "ledger-00000002.json"), 20);
    await expect(store.accounts({})).rejects.toThrow(StoreCorruptError);
    await expect(raise(3)).rejects.toThrow(/damaged/);
  });
});
