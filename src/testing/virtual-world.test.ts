import { describe, expect, it } from "vitest";
import { StuckError, virtualWorld } from "./virtual-world.ts";

describe("a virtual world", () => {
  it("moves its clock only when everything that can run has run", async () => {
    const world = virtualWorld({ start: 1_000 });
    const process = world.process("p");
    const seen: string[] = [];
    const see = (what: string) => () => void seen.push(`${world.now()} ${what}`);
    process.timer(10, see("timer"));
    process.soon(() => {
      see("soon")();
      void Promise.resolve()
        .then(see("promise"))
        .then(() => process.soon(see("soon again")));
    });
    await world.run(() => seen.length === 4);
    expect(seen).toEqual(["1000 soon", "1000 promise", "1000 soon again", "1010 timer"]);
  });

  it("fires timers by time, those due together in the order they were set, and not those called off", async () => {
    const world = virtualWorld();
    const process = world.process("p");
    const fired: number[] = [];
    process.timer(20, () => fired.push(3));
    process.timer(10, () => fired.push(1));
    process.timer(10, () => fired.push(2));
    process.timer(10, () => fired.push(0))();
    await world.run(() => fired.length === 3);
    expect(fired).toEqual([1, 2, 3]);
  });

  it("orders what is ready by its seed, the same way for the same seed", async () => {
    const order = async (seed: number): Promise<string> => {
      const world = virtualWorld({ seed });
      const process = world.process("p");
      const ran: number[] = [];
      for (let i = 0; i < 6; i++) process.soon(() => ran.push(i));
      await world.run(() => ran.length === 6);
      return ran.join("");
    };
    expect(await order(1)).toBe(await order(1));
    expect(new Set([await order(1), await order(2), await order(3), await order(4)]).size).toBeGreaterThan(1);
  });

  it("returns what the promise does, or throws what it throws", async () => {
    const world = virtualWorld();
    const process = world.process("p");
    const later = new Promise<string>((resolve) => void process.timer(5, () => resolve("done")));
    expect(await world.run(later)).toBe("done");
    await expect(world.run(Promise.reject(new Error("no")))).rejects.toThrow("no");
  });

  it("says what is pending when nothing more can happen", async () => {
    const world = virtualWorld();
    const paused = world.process("sleeper");
    paused.timer(7, () => {});
    paused.pause();
    const stuck = world.run(new Promise(() => {}));
    await expect(stuck).rejects.toThrow(StuckError);
    await expect(stuck).rejects.toThrow("sleeper-1: timer in 7 ms (paused)");
  });

  it("does not go on for ever", async () => {
    const world = virtualWorld();
    const process = world.process("p");
    const tick = (): void => void process.timer(1_000, tick, { background: true });
    tick();
    await expect(world.run(() => false, { ms: 5_000 })).rejects.toThrow("5000 virtual ms");
    await expect(world.run(() => false, { rounds: 3 })).rejects.toThrow("3 rounds");
  });
});

describe("a process of a virtual world", () => {
  it("hears nothing more once it is killed, and is known to be gone on its own host only", async () => {
    const world = virtualWorld();
    const [victim, neighbour, stranger] = [world.process("p"), world.process("p"), world.process("p", "far")];
    let heard = 0;
    victim.timer(1, () => heard++);
    victim.soon(() => heard++);
    expect(neighbour.isGone(victim.owner)).toBe(false);
    victim.kill();
    victim.timer(1, () => heard++);
    let passed = false;
    neighbour.timer(10, () => {
      passed = true;
    });
    await world.run(() => passed);
    expect([heard, neighbour.isGone(victim.owner), stranger.isGone(victim.owner)]).toEqual([0, true, false]);
  });

  it("hears late what became due while it was paused", async () => {
    const world = virtualWorld({ start: 0 });
    const [sleeper, other] = [world.process("p"), world.process("p")];
    let heardAt = -1;
    sleeper.timer(1, () => {
      heardAt = world.now();
    });
    sleeper.pause();
    other.timer(50, () => sleeper.wake());
    await world.run(() => heardAt >= 0);
    expect(heardAt).toBe(50);
  });

  it("makes ids of its own that sort by time", async () => {
    const world = virtualWorld();
    const [a, b] = [world.process("a"), world.process("b")];
    const early = a.id();
    await world.run(new Promise<void>((resolve) => void a.timer(1_000, resolve)));
    expect(new Set([early, a.id(), b.id()]).size).toBe(3);
    expect(b.id() > early).toBe(true);
  });
});
