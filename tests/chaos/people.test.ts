import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { Flujo } from "../../src/flujo.ts";
import { endAll, ending, executions, journalOf, kill, start } from "./child.ts";
import { type Job, kinds, storeAt } from "./job.ts";
import { pipelines, respondent } from "./pipelines.ts";

/** A person is asked at the top of the line after these, and before an agent's tool. */
const asked = [
  "/asking/at[branch]/way[k]/ask",
  "/asking/at[loop]/turns[0]/ask",
  "/asking/at[map]/items[0]/ask",
  "/asking/at[map]/items[1]/ask",
  "/asking/at[parallel]/sides[left]/ask",
  "/asking/at[sub]/part/ask",
  "/asking/at[tool]/serve:tool%3Arefund#0",
];

afterAll(endAll);

describe.each(kinds)("on %s", (kind) => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "flujo-people-"));
  });
  afterEach(async () => {
    await endAll();
    rmSync(folder, { recursive: true });
  });

  test("people asked in seven places answer from another process, after those that asked are gone: what was done is done once", async () => {
    const place = { kind, folder: join(folder, "store") };
    const job: Job = { pipeline: "asking", input: 5, place, runId: "r", log: join(folder, "log") };
    const first = start({ ...job, hang: ["/asking/at[slow]/slow"] });
    for (const path of asked)
      await first.until("recorded", (message) => message.entry === "signal-awaited" && message.path === path);
    await kill(first);
    const done = executions(job.log).map(({ path }) => path);
    expect(done.sort()).toEqual(["/asking/at[parallel]/sides[right]/beside", "/asking/before"]);

    expect(await ending(start(job))).toMatchObject({ status: "waiting" });
    await answer(job, asked);
    expect(await ending(start(job))).toMatchObject({ status: "waiting" });
    await answer(job, ["/asking/last"]);
    const ended = await ending(start(job));
    const yes = { approved: true, note: "by hand" };
    expect(ended).toMatchObject({ status: "completed", output: { value: yes } });

    const counts = executions(job.log).map(({ path }) => path);
    expect(counts.sort()).toEqual([
      "/asking/at[parallel]/sides[right]/beside",
      "/asking/at[slow]/slow",
      "/asking/at[tool]/serve",
      "/asking/before",
      "/asking/close",
    ]);
    const received = (await journalOf(place, "r")).filter(
      ({ type }) => type === "signal-received" || type === "question-answered",
    );
    expect(received).toHaveLength(asked.length + 1);
    for (const entry of received) expect(entry).toMatchObject({ by: "ana" });
  });

  async function answer({ place }: Job, paths: readonly string[]): Promise<void> {
    const store = storeAt(place);
    const tree = pipelines.asking({ work: async () => {}, model: respondent(() => {}, 1) });
    await using flujo = new Flujo(tree, { store, takeOver: false });
    for (const path of paths)
      await flujo.signal("r", path, { approved: true, note: "by hand" }, { by: "ana" });
    await store.close();
  }
});
