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

it("of workers that hear of a job one looks at once, of those that take its queue; the others later", async () => {
  const { line, said } = wire();
  const all = [["default"], ["default"], ["default", "mail"]].map((queues) => worker(line, queues));
  await expect.poll(() => all.every(({ lives }) => lives.get("default"))).toBe(true);
  await expect.poll(() => said.filter((text) => text.includes("queues")).length).toBeGreaterThanOrEqual(3);
  for (const [first] of all.entries()) await line.say(textOf({ queue: "default", inMs: 0, ticket: first }));
  const waits = all.map(({ rings }) => rings.map(([, inMs]) => inMs));
  for (const [i] of all.entries()) expect(waits.map((one) => one[i]).toSorted()).toEqual([0, 500, 500]);
  for (const one of waits) expect(one.toSorted()).toEqual([0, 500, 500]); // in turn
  await line.say(textOf({ queue: "mail", inMs: 2_000, ticket: 1 }));
  expect(all.map(({ rings }) => rings.slice(3))).toEqual([[], [], [["mail", 2_000]]]);
  all[0]?.leave();
  for (const ticket of [0, 1]) await line.say(textOf({ queue: "default", inMs: 0, ticket }));
  expect(all.map(({ rings }) => rings.length)).toEqual([3, 5, 6]);
  expect(all.slice(1).map(({ rings }) => rings.slice(-2).filter(([, inMs]) => inMs === 0).length)).toEqual([
    1, 1,
  ]);
  for (const one of all) one.close();
});
