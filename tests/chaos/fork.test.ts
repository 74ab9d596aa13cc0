/** `kill -9` while a run is forked from the command line, and while the fork goes on. Needs `npm run build`. */
import { setTimeout as pause } from "node:timers/promises";
import { sqlite } from "flujo/sqlite";
import { expect, onTestFinished, test } from "vitest";
import { readJournal } from "../../src/lens/journal.ts";
import type { Store } from "../../src/ports/store.ts";
import { openaiServer } from "../../src/testing/openai-server.ts";
import { Folder, type Running } from "../cli/command.ts";
import { completedIn } from "./child.ts";

const talk = new URL("./talk.ts", import.meta.url).pathname;
const speaker = /You are (\w+)\./;

/** Waits until the fork has so many entries; false: its process has ended before. */
async function grows(store: Store, least: number, { ended }: Running): Promise<boolean> {
  let over = false;
  const end = ended.then(() => {
    over = true;
  });
  while (!over) {
    if (((await readJournal(store, "f"))?.length ?? 0) >= least) return true;
    await Promise.race([end, pause(2)]);
  }
  return false;
}

test("killed at any moment and given again, the command makes one fork, and buys nothing twice", async () => {
  await using server = await openaiServer({
    latencyMs: 20,
    reply: ({ text }) => `${speaker.exec(text)?.[1]} speaks.`,
  });
  const folder = new Folder();
  const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-of-nobody" };
  const run = await folder.start(["run", talk, "--input", "Hello", "--run-id", "r", "--budget", "$1"], {
    env,
  }).ended;
  expect(run.code).toBe(0);
  const store = sqlite(`${folder.path}/.flujo/flujo.db`);
  onTestFinished(() => store.close());
  const namesFrom = (index: number) =>
    server.requests.slice(index).map(({ text }) => speaker.exec(text)?.[1]);
  expect(namesFrom(0)).toEqual(["Ada", "Bo", "Cy", "Di"]);

  let midway = 0;
  for (let kills = 0; kills <= 6; kills++) {
    const begun = server.requests.length;
    const before = (await readJournal(store, "f")) ?? [];
    const recorded = completedIn(before);
    if (recorded.length > 0) midway += 1;
    const command = folder.start(
      ["lens", "fork", "r", "--at", "/talk/Bo", "--run-id", "f", "--budget", "$1"],
      { env },
    );
    if (kills === 0) await pause(Math.random() * 300); // the fork may be there, or may not
    const isAlive = kills === 0 || (kills < 6 && (await grows(store, before.length + kills, command)));
    if (isAlive) command.kill("SIGKILL");
    const { code } = await command.ended;
    if (code !== null) expect(code).toBe(0); // it was through before it could be killed
    const names = namesFrom(begun);
    expect(names.filter((name) => recorded.includes(`/talk/${name}:call#0`))).toEqual([]);
  }
  expect(midway).toBeGreaterThan(0);
  expect(namesFrom(4)).not.toContain("Ada");
  expect((await store.list({})).map(({ runId }) => runId).sort()).toEqual(["f", "r"]);
  const journal = (await readJournal(store, "f")) ?? [];
  expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, i) => i));
  expect(journal.filter(({ type }) => type === "run-created")).toHaveLength(1);
  expect(new Set(completedIn(journal)).size).toBe(completedIn(journal).length);
  expect(journal.at(-1)).toMatchObject({ type: "run-completed", output: "Di speaks." });
  const reserved = journal.filter(({ type }) => type === "budget-reserved");
  expect(server.requests.length - 4).toBeLessThanOrEqual(reserved.length);
});
