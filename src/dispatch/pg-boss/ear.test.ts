import { expect, it } from "vitest";
import { type Line, Newsroom } from "../../ports/newsroom.ts";
import { hearJobs } from "./ear.ts";
import { type Said, textOf } from "./line.ts";

/** A line that all processes of a test have, and what was said on it. */
function wire() {
  const hearers = new Set<(said: string) => void>();
  const said: string[] = [];
  const line: Line = {
    async open(heard) {
      hearers.add(heard);
      return { close: () => void hearers.delete(heard) };
    },
    async say(text) {
      said.push(text);
      for (const heard of [...hearers]) heard(text);
    },
  };
  return { line, said };
}

/** A worker, and what it was rung for: in how many milliseconds. */
function worker(line: Line, queues: readonly string[]) {
  const rings: (readonly [queue: string, inMs: number | undefined])[] = [];
  const lives = new Map<string, boolean>();
  const newsroom = new Newsroom(line);
  const stop = new AbortController();
  const tell = (said: Said): void => void line.say(textOf(said));
  const bell = {
    ring: (queue: string, inMs?: number) => void rings.push([queue, inMs]),
    live: (queue: string, isLive: boolean) => void lives.set(queue, isLive),
    room: async () => {},
  };
  hearJobs({ newsroom, tell }, { queues, laterMs: 500 }, bell, stop.signal);
  return { rings, lives, leave: () => stop.abort(), close: () => newsroom.close() };
}

/** Workers who have heard of one another. */
async function crew(...queuesOf: readonly (readonly string[])[]) {
  const { line, said } = wire();
  const all = queuesOf.map((queues) => worker(line, queues));
  await expect.poll(() => all.every(({ lives }) => [...lives.values()].includes(true))).toBe(true);
  await expect
    .poll(() => said.filter((text) => text.includes("queues")).length)
    .toBeGreaterThanOrEqual(all.length);
  const job = (queue: string, ticket: number, inMs = 0): Promise<void> =>
    line.say(textOf({ queue, inMs, ticket }));
  return { all, job };
}

it("of all that hear of a job one looks at once, two more later and nobody else, whoever is first", async () => {
  const { all, job } = await crew(...Array.from({ length: 5 }, () => ["default"]));
  for (const ticket of all.keys()) {
    await job("default", ticket);
    const waits = all.flatMap(({ rings }) => rings.splice(0)).map(([, inMs]) => inMs ?? 0);
    expect(waits.toSorted((a, b) => a - b)).toEqual([0, 500, 1_000]);
  }
  for (const one of all) one.close();
});

it("those who take its queue look, and not who has left", async () => {
  const { all, job } = await crew(["default"], ["default"], ["default", "mail"]);
  await job("mail", 1, 2_000);
  expect(all.map(({ rings }) => rings.splice(0))).toEqual([[], [], [["mail", 2_000]]]);
  all[0]?.leave();
  for (const ticket of [0, 1]) await job("default", ticket);
  const waits = all.map(({ rings }) => rings.map(([, inMs]) => inMs ?? 0).toSorted((a, b) => a - b));
  expect(waits).toEqual([[], [0, 500], [0, 500]]);
  for (const one of all) one.close();
});
