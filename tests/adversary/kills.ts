/** Four processes, one database, one adversary: any of them is killed at any moment, and another goes on with its runs. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Entry } from "../../src/core/entries.ts";
import { sqlite } from "../../src/stores/sqlite.ts";
import { wrongs } from "./life.ts";
import { billOf, opponent } from "./opponent.ts";
import { scenarioOf } from "./scenario.ts";
import type { Bill } from "./server.ts";
import { tenantWrongs } from "./tenant.ts";
import type { Done, Task } from "./worker.ts";

export interface Figures {
  readonly kills: number;
  readonly runs: number;
  /** Runs that came to stand at a limit. */
  readonly refused: number;
  readonly tenants: number;
  readonly requests: number;
  /** Calls that nobody knows the cost of: charged in full. */
  readonly doubts: number;
  readonly violations: readonly string[];
}

const processes = 4;
const script = fileURLToPath(new URL("./worker.ts", import.meta.url));
const longestLifeMs = 1_200;

/** Kills processes until there were so many kills; then lets all runs come to stand. */
export async function killing(wanted: number, from: number): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "flujo-adversary-"));
  await using server = await opponent();
  const path = join(folder, "flujo.db");
  const total = { kills: 0, seed: from, stood: new Map<number, string>() };
  const task = { url: server.url, path, began: Date.now() };
  const line = async (): Promise<void> => {
    let mine: number[] = [];
    for (let lives = 0; total.kills < wanted || mine.length > 0; lives++) {
      if (lives > 10 * wanted) throw new Error(`runs ${mine.map((seed) => `s${seed}`)} never come to stand`);
      while (mine.length < 5 && total.kills < wanted) mine.push(total.seed++);
      const done = await life({ ...task, seeds: mine }, () => total.kills++ < wanted);
      for (const { seed, status } of done) total.stood.set(seed, status);
      mine = mine.filter((seed) => !done.some((one) => one.seed === seed));
    }
  };
  await Promise.all(Array.from({ length: processes }, line));
  const store = sqlite(path);
  const violations: string[] = [];
  const bills = new Map<number, Bill>();
  let requests = 0;
  let doubts = 0;
  for (const [seed] of total.stood) {
    const entries = (await store.read(`s${seed}`, 0, 100_000)) ?? [];
    const bill = await billOf(server.url, seed);
    bills.set(seed, bill);
    requests += bill.requests;
    doubts += entries.filter(isDoubt).length;
    const scenario = { ...scenarioOf(seed), handsOver: true }; // what was told to the dead raises no breach
    violations.push(...wrongs(scenario, bill, entries, 1, true).map((wrong) => `seed ${seed}: ${wrong}`));
  }
  violations.push(...tenantWrongs(bills));
  const accounts = await store.accounts({ limit: 10_000 });
  const held = accounts.filter(({ holds }) => holds.length > 0);
  violations.push(...held.map(({ scope }) => `${scope} has money held, and nothing is under way`));
  const refused = [...total.stood.values()].filter((status) => status === "halted").length;
  await store.close();
  rmSync(folder, { recursive: true });
  const kills = Math.min(total.kills, wanted);
  return { kills, runs: total.stood.size, refused, tenants: accounts.length, requests, doubts, violations };
}

const isDoubt = (entry: Entry): boolean => entry.type === "budget-settled" && entry.doubt === true;

/** One process's life: to its end, or to a kill. What it has brought to stand. */
async function life(task: Task, mayKill: () => boolean): Promise<readonly Done[]> {
  const child: ChildProcess = fork(script, [JSON.stringify(task)], { execArgv: [] });
  const gone = once(child, "exit");
  const done: Done[] = [];
  await once(child, "message"); // up
  child.on("message", (message) => done.push(message as Done)); // it tells nothing else
  const ended = await Promise.race([gone.then(() => true), pause(Math.random() * longestLifeMs, false)]);
  if (!ended && mayKill()) child.kill("SIGKILL");
  await gone;
  return done;
}
