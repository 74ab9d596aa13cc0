/** Two real processes fire a schedule of every second, and are killed all the time: each second has one run. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { pipeline, step } from "../../src/core/compose.ts";
import { Flujo } from "../../src/flujo.ts";
import { tickRunId } from "../../src/schedules/ids.ts";
import { scheduleNamed } from "../../src/schedules/plan.ts";
import { file } from "../../src/stores/file.ts";
import { sqlite } from "../../src/stores/sqlite.ts";
import { chance } from "../../src/testing/chance.ts";

const wantedKills = 10;
/** For so long at least, in milliseconds, however soon processes are there: several seconds are to come. */
const wantedMs = 6_000;

test.each(["sqlite", "file"] as const)("%s", async (kind) => {
  const folder = mkdtempSync(join(tmpdir(), "flujo-schedules-"));
  const place = join(folder, kind === "sqlite" ? "flujo.db" : "journals");
  const store = kind === "sqlite" ? sqlite(place) : file(place);
  const children = new Set<ChildProcess>();
  onTestFinished(async () => {
    for (const child of children) child.kill("SIGKILL");
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const report = pipeline(
    "report",
    step("write", (input: string) => input),
  );
  const schedules = await new Flujo(report, { store, takeOver: false }).schedules();
  await schedules.set("seconds", { cron: "* * * * * *", missed: "all", input: "x" });
  const begun = (await scheduleNamed(store, "seconds"))?.schedule.createdAt ?? 0;

  const luck = chance(kind.length);
  let kills = 0;
  const life = async (): Promise<void> => {
    while (kills < wantedKills || Date.now() - begun < wantedMs) {
      const child = fork(join(import.meta.dirname, "firing.ts"), [kind, place], { stdio: "inherit" });
      children.add(child);
      const gone = once(child, "exit");
      await Promise.race([once(child, "message"), gone]);
      await pause(luck.next() * 1_500);
      child.kill("SIGKILL");
      await gone;
      children.delete(child);
      kills++;
    }
  };
  await Promise.all([life(), life()]);

  const last = fork(join(import.meta.dirname, "firing.ts"), [kind, place], { stdio: "inherit" });
  children.add(last);
  await once(last, "message");
  const end = Date.now();
  const runsUntilEnd = async () => {
    const runs = await store.list({ limit: 1_000 });
    return runs.filter(({ runId }) => runId <= tickRunId("seconds", end)); // ids of one schedule sort by time
  };
  for (let isDone = false; !isDone; await pause(200)) {
    const { schedule } = (await scheduleNamed(store, "seconds")) ?? {};
    const isDecided = (schedule?.through ?? 0) > end && schedule?.due.every((tick) => tick > end) === true;
    isDone = isDecided && (await runsUntilEnd()).every(({ status }) => status === "completed");
  }
  const expected: string[] = [];
  for (let tick = begun - (begun % 1_000) + 1_000; tick <= end; tick += 1_000) {
    expected.push(tickRunId("seconds", tick));
  }
  const runs = await runsUntilEnd();
  expect(runs.map(({ runId }) => runId).sort()).toEqual(expected);
  expect(expected.length).toBeGreaterThanOrEqual(6);
  expect((await schedules.list())[0]?.passedOver).toEqual({ missed: 0, overlapping: 0 });
  for (const { runId } of runs) {
    const journal = (await store.read(runId, 0, 100)) ?? [];
    expect(journal.filter(({ type }) => type === "run-created").length).toBe(1);
  }
  const ended = once(last, "exit");
  last.send("stop");
  expect(await ended).toEqual([0, null]);
});
