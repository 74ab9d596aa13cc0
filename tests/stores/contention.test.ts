import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Store } from "../../src/ports/store.ts";
import { file } from "../../src/stores/file.ts";
import { sqlite } from "../../src/stores/sqlite.ts";

const contender = fileURLToPath(new URL("./contender.ts", import.meta.url));
const spender = fileURLToPath(new URL("./spender.ts", import.meta.url));
const exec = promisify(execFile);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flujo-contention-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const stores: { readonly [kind: string]: (place: string) => Store } = { file, sqlite };

describe("three processes that take one run from one another", () => {
  it.each(Object.keys(stores))("on %s lose nothing acknowledged and record nothing twice", async (kind) => {
    const place = join(folder, "store");
    const store = (stores[kind] as (place: string) => Store)(place);
    await store.acquire({ runId: "r", owner: "first", now: 0, ttlMs: 0, create: true });
    const ran = await Promise.all(
      ["a", "b", "c"].map((owner) => exec(process.execPath, [contender, kind, place, owner])),
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

describe("four processes that spend from one account", () => {
  it.each(Object.keys(stores))(
    "on %s never hold or spend more than its limit, and use it up",
    async (kind) => {
      const place = join(folder, "store");
      const limit = 200;
      const ran = await Promise.all(
        ["a", "b", "c", "d"].map((runId) =>
          exec(process.execPath, [spender, kind, place, runId, String(limit)]),
        ),
      );
      const reports = ran.map(
        ({ stdout }) =>
          JSON.parse(stdout) as { spent: number; granted: number; waited: number; highest: number },
      );
      const store = (stores[kind] as (place: string) => Store)(place);
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
