/** Functions of a platform that ends them after a time: each goes on with the run where the one before it was stopped. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { type Child, completedIn, endAll, journalOf, kill, start } from "./child.ts";
import { type Job, kinds } from "./job.ts";
import { input, lost, notAgain, pathsBy, undisturbed } from "./kills.ts";

afterAll(endAll);

/** What a platform allows, from when the process is up: less than some of its functions believe. */
const allowedMs = [1_100, 400] as const;

/** True: it ended by itself. */
async function endsInTime(child: Child, ms: number): Promise<boolean> {
  await child.until("up");
  const late = new AbortController();
  const killed = pause(ms, undefined, { signal: late.signal }).then(
    () => kill(child),
    () => {},
  );
  await child.gone;
  late.abort();
  await killed;
  return child.messages.some(({ type }) => type === "ended");
}

test.concurrent.each(kinds)(
  "on %s: half of them killed in the middle, the result is the undisturbed one, and nothing recorded is done again",
  async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), "flujo-functions-"));
    const job: Job = {
      ...{ pipeline: "tour", input, runId: "r", within: "1s", pauseMs: [20, 60] },
      place: { kind, folder: join(folder, "store") },
      log: join(folder, "log"),
    };
    const ends: string[] = [];
    let recorded = new Set<string>();
    let output: unknown;
    while (ends.at(-1) !== "completed") {
      const child = start(job);
      const isOver = await endsInTime(child, allowedMs[ends.length % 2] as number); // one of two
      const ended = child.messages.find((message) => message.type === "ended");
      ends.push(isOver ? (ended?.status ?? "") : "killed");
      output = ended?.output;
      notAgain(pathsBy(child, job), recorded);
      const before = recorded;
      recorded = new Set(completedIn(await journalOf(job.place, "r")));
      lost(recorded, before);
    }
    expect(output).toEqual(await undisturbed());
    expect(ends.slice(0, 2)).toContain("killed");
    rmSync(folder, { recursive: true });
  },
);
