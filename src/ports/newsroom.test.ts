import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Line, Newsroom } from "./newsroom.ts";

/** A line whose server is this object. */
function wire() {
  const hearers = new Set<{ readonly heard: (said: string) => void; readonly ended: () => void }>();
  const server = {
    opened: 0,
    said: 0,
    isDeaf: false,
    isAway: false,
    holds: undefined as PromiseWithResolvers<void> | undefined,
  };
  const line: Line = {
    async open(heard, ended) {
      server.opened += 1;
      if (server.isAway) throw new Error("away");
      const hearer = { heard, ended };
      hearers.add(hearer);
      return { close: () => void hearers.delete(hearer) };
    },
    async say(said) {
      server.said += 1;
      await server.holds?.promise;
      if (server.isAway) throw new Error("away");
      if (!server.isDeaf) for (const { heard } of [...hearers]) heard(said);
    },
  };
  const breaks = (): void => {
    for (const { ended } of [...hearers]) ended();
  };
  return { server, line, hearers, breaks };
}

const pace = { echoMs: 30, everyMs: 30, againMs: 5, rarelyMs: 10 };
/** Of one that is tried when there is reason to, and else hardly ever. */
const rarely = { ...pace, everyMs: 3_600_000 };

function watching(room: Newsroom) {
  const news: string[] = [];
  const lives: boolean[] = [];
  const off = room.watch({ news: (runId) => news.push(runId), live: (isLive) => lives.push(isLive) });
  return { news, lives, off };
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(2);
}

describe("the line to the watchers of a store", () => {
  it("is one for all of them, open while there are any, and tells of runs alone", async () => {
    const { server, line, hearers } = wire();
    const room = new Newsroom(line, pace);
    const [first, second] = [watching(room), watching(room)];
    await until(() => first.lives.length > 0 && second.lives.length > 0);
    const late = watching(room);
    await until(() => late.lives.length > 0);
    await line.say("r");
    for (const { news, lives } of [first, second, late])
      expect({ news, lives }).toEqual({ news: ["r"], lives: [true] });
    expect(server.opened).toBe(1);
    for (const { off } of [first, second, late]) off();
    await until(() => hearers.size === 0);
    const again = watching(room);
    await until(() => again.lives.length > 0);
    room.close();
    await until(() => hearers.size === 0);
  });

  it("is opened again when it has broken, or its server was away, and says so", async () => {
    const { server, line, breaks } = wire();
    server.isAway = true;
    const room = new Newsroom(line, pace);
    const { news, lives } = watching(room);
    await until(() => server.opened > 2);
    expect(lives).toEqual([]);
    server.isAway = false;
    await until(() => lives.length === 1);
    breaks();
    await until(() => lives.length === 3);
    await line.say("r");
    expect([news, lives]).toEqual([["r"], [true, false, true]]);
    room.close();
  });

  it("is not taken for one that carries news when it does not, or does so no more", async () => {
    const { server, line } = wire();
    server.isDeaf = true;
    const room = new Newsroom(line, pace);
    const { lives } = watching(room);
    await until(() => server.opened > 2);
    expect(lives).toEqual([]);
    server.isDeaf = false;
    await until(() => lives.length === 1);
    server.isDeaf = true; // nothing breaks: it is silent
    await until(() => lives.length === 2);
    expect(lives).toEqual([true, false]);
    room.close();
  });

  it("is tried while its process works", async () => {
    const { server, line } = wire();
    const room = new Newsroom(line, { ...rarely, busyMs: 0 });
    const { lives } = watching(room);
    await until(() => lives.length === 1);
    server.isDeaf = true;
    room.works();
    await until(() => lives.length === 2);
    expect(lives).toEqual([true, false]);
    room.close();
  });

  it("is tried at once when its server did not answer, not each time that it is asked something, and kept where it carries", async () => {
    const { server, line } = wire();
    const room = new Newsroom(line, { ...rarely, busyMs: 3_600_000 });
    const { lives } = watching(room);
    await until(() => lives.length === 1);
    const { said } = server;
    for (let i = 0; i < 100; i++) room.works();
    room.doubts();
    await until(() => server.said > said);
    expect([server.said, server.opened, lives]).toEqual([said + 1, 1, [true]]);
    server.isDeaf = true;
    await until(() => {
      room.doubts();
      return lives.length === 2;
    });
    room.close();
  });

  it("is not relied on while nothing can be said, and kept when it could in the end", async () => {
    const { server, line } = wire();
    const room = new Newsroom(line, { ...rarely, busyMs: 0 });
    const { lives } = watching(room);
    await until(() => lives.length === 1);
    server.holds = Promise.withResolvers();
    room.works();
    await until(() => lives.length === 2);
    server.holds.resolve();
    await until(() => lives.length === 3);
    expect([server.opened, lives]).toEqual([1, [true, false, true]]);
    room.close();
  });

  it("is not taken for dead by a process that was too busy to hear itself", async () => {
    const { server, line } = wire();
    const slow: Line = {
      ...line,
      async say(said) {
        setImmediate(() => void line.say(said));
        const began = performance.now();
        queueMicrotask(() => {
          while (performance.now() < began + 100);
        });
      },
    };
    const room = new Newsroom(slow, { ...rarely, busyMs: 3_600_000 });
    const { lives } = watching(room);
    await until(() => server.said > 0 && lives.length > 0);
    expect([server.opened, lives]).toEqual([1, [true]]);
    room.close();
  });
});
