import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Entry } from "../../src/core/entries.ts";
import { completedIn, endAll, executions, journalOf, start } from "./child.ts";
import { type Job, kinds } from "./job.ts";

/** Each process takes its own life after so many commits. */
const livesFor = 6;

const pathsOf = (entries: readonly Entry[], type: Entry["type"]): string[] =>
  entries.flatMap((entry) => (entry.type === type && "path" in entry ? [entry.path] : []));

describe.each(kinds)("on %s", (kind) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "flujo-saga-"));
  });
  afterEach(async () => {
    await endAll();
    rmSync(folder, { recursive: true });
  });

  test("killed at every sixth commit, on the way there and back: what was booked is unbooked once, the last first", async () => {
    const place = { kind, folder: join(folder, "store") };
    const job: Job = { pipeline: "saga", input: 1, place, runId: "r", log: join(folder, "log") };
    let kills = 0;
    let recorded = new Set<string>();
    for (;;) {
      const child = start({ ...job, diesAfter: livesFor });
      await child.gone;
      const again = executions(job.log).filter(({ path, pid }) => pid === child.pid && recorded.has(path));
      expect(again).toEqual([]);
      if (child.messages.some(({ type }) => type === "ended")) break;
      recorded = new Set(completedIn(await journalOf(place, "r")));
      kills += 1;
    }
    expect(kills).toBeGreaterThan(4);

    const entries = await journalOf(place, "r");
    expect(entries.at(-1)).toMatchObject({ type: "run-failed" });
    expect(entries.at(-1)).not.toHaveProperty("left");
    const undone = pathsOf(entries, "compensation-completed");
    const owed = pathsOf(entries, "compensation-owed");
    expect(owed).toHaveLength(12);
    expect(undone[0]).toBe("/saga/flight");
    expect(undone.slice(1)).toEqual(owed.filter((path) => path !== "/saga/flight").reverse());
    const did = new Set(executions(job.log).map(({ path }) => path));
    for (const path of owed)
      for (const name of ["unbook", "tell"]) expect(did).toContain(`${path}@undo/${name}`);
  }, 120_000);
});
