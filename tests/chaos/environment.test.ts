import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { completedIn, endAll, ending, executions, journalOf, kill, refusal, start } from "./child.ts";
import { type Job, kinds } from "./job.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "flujo-environment-"));
  chmodSync(folder, 0o755); // others may look, whoever they are
});
afterEach(async () => {
  await endAll();
  if (existsSync(join(folder, "store"))) allow(join(folder, "store"), true);
  rmSync(folder, { recursive: true });
});

/** Gives or takes the right to write, in a folder and all it holds. */
function allow(path: string, writing: boolean): void {
  const isFolder = statSync(path).isDirectory();
  if (isFolder) for (const name of readdirSync(path)) allow(join(path, name), writing);
  chmodSync(path, (isFolder ? 0o555 : 0o444) | (writing ? 0o200 : 0));
}

describe.each(kinds)("on %s", (kind) => {
  const place = () => ({ kind, folder: join(folder, "store") });
  const job = (more: Partial<Job> = {}): Job => ({
    pipeline: "line",
    input: 5,
    place: place(),
    runId: "r",
    log: join(folder, "log"),
    ...more,
  });

  test("a disk that takes no more stops the run with a clear error; with room again, it goes on from there", async () => {
    const bulk = job({ pipeline: "bulk", input: 0 });
    const first = start(bulk, {}, 250_000);
    const { code, message, hint } = await refusal(first);
    expect(code).toBe("store-unavailable");
    expect(message).toMatch(/is not available: the disk (is full|reports an error) \(.+\)/);
    expect(hint).toContain("then resume");
    const kept = completedIn(await journalOf(place(), "r"));
    const did = executions(bulk.log).map(({ path }) => path);
    expect(kept.length).toBeGreaterThan(10);
    expect(kept.length).toBeLessThan(200);

    const second = start(bulk);
    expect(await ending(second)).toMatchObject({ status: "completed", output: 100 });
    const again = executions(bulk.log)
      .slice(did.length)
      .map(({ path }) => path);
    expect(again.filter((path) => kept.includes(path))).toEqual([]);
    expect(new Set([...did, ...again]).size).toBe(100);
    expect(completedIn(await journalOf(place(), "r")).slice(0, kept.length)).toEqual(kept);
  });

  test("a folder that became read-only refuses the run and loses nothing; writable again, it goes on from there", async () => {
    const first = start(job({ hang: ["/line/three"] }));
    await first.until("reached");
    await kill(first);
    const before = await journalOf(place(), "r");
    allow(place().folder, false);

    const { code, message, hint } = await refusal(start(job({ unprivileged: true })));
    expect(code).toBe("store-unavailable");
    expect(message).toContain("it cannot be written");
    expect(hint).toContain("Check the rights");

    allow(place().folder, true);
    expect(await journalOf(place(), "r")).toEqual(before);
    const third = start(job());
    expect(await ending(third)).toMatchObject({ status: "completed", output: { value: 9 } });
    expect(executions(job().log).flatMap(({ pid, path }) => (pid === third.pid ? [path] : []))).toEqual([
      "/line/three",
      "/line/close",
    ]);
  });

  test("a folder in which nothing may be made is refused before anything runs", async () => {
    mkdirSync(place().folder);
    allow(place().folder, false);
    const { code, hint } = await refusal(start(job({ unprivileged: true })));
    expect(code).toBe("store-unavailable");
    expect(hint).toContain("Check");
    expect(executions(job().log)).toEqual([]);
    expect(readdirSync(place().folder)).toEqual([]);
  });
});
