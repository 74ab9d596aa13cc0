import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Quote } from "../core/context.ts";
import type { Stoppable, Turn } from "../ports/pace.ts";
import { virtualWorld } from "../testing/virtual-world.ts";
import { modelPace, type PaceLimits } from "./pace.ts";

const quote = (model: string, tokens = 1): Quote => ({
  model,
  inputTokens: tokens,
  outputTokens: { wanted: 0, least: 0 },
});
const never: Stoppable = { onFire: () => () => {} };

/** A pace, its clock, and what was sent when. */
function road(limits: PaceLimits) {
  const world = virtualWorld();
  const clock = world.process("p");
  const pace = modelPace(limits);
  const began = world.now();
  const sent: { readonly name: string; readonly at: number; tokens: number }[] = [];
  const wait = (ms: number) => new Promise<void>((resolve) => void clock.timer(ms, resolve));
  const go = async (name: string, model: string, tokens = 1, stop = never): Promise<Turn> => {
    const turn = await pace.turn(quote(model, tokens), clock, stop);
    turn.sent();
    sent.push({ name, at: world.now() - began, tokens });
    return turn;
  };
  return { world, clock, pace, sent, wait, go, times: () => sent.map(({ at }) => at) };
}

describe("a limit", () => {
  test("lets so many requests through in any minute, in the order they came", async () => {
    const { world, go, sent } = road({ "a:m": { requestsPerMinute: 2 } });
    await world.run(Promise.all(["1", "2", "3", "4", "5"].map((name) => go(name, "a:m"))));
    expect(sent.map(({ name, at }) => `${name} at ${at}`)).toEqual([
      "1 at 0",
      "2 at 0",
      "3 at 60000",
      "4 at 60000",
      "5 at 120000",
    ]);
  });

  test("holds for all wire formats of a model, and leaves other models alone", async () => {
    const { world, go, times } = road({ "openai.chat:m": { requestsPerMinute: 1 } });
    await world.run(Promise.all([go("1", "openai:m"), go("2", "openai.chat:m"), go("3", "openai:other")]));
    expect(times()).toEqual([0, 0, 60_000]);
  });

  test("of a provider is for its models together, and a model's own holds beside it", async () => {
    const { world, go, sent } = road({ "a:*": { requestsPerMinute: 3 }, "a:slow": { requestsPerMinute: 1 } });
    const names = ["slow", "slow", "fast", "fast", "fast"];
    await world.run(Promise.all(names.map((name, i) => go(`${name}${i}`, `a:${name}`))));
    expect(sent.map(({ name, at }) => `${name} at ${at}`)).toEqual([
      "slow0 at 0",
      "fast2 at 0", // does not wait behind a call that waits for its own model
      "fast3 at 0",
      "slow1 at 60000",
      "fast4 at 60000",
    ]);
  });

  test("of tokens counts what a call may use, and once it is over, what it did", async () => {
    const { world, go, times } = road({ "a:m": { tokensPerMinute: 100 } });
    const first = await world.run(go("1", "a:m", 60));
    const second = go("2", "a:m", 60);
    await world.run(Promise.resolve());
    expect(times()).toEqual([0]);
    first.ended({ ok: true, tokens: 40 });
    await world.run(second);
    expect(times()).toEqual([0, 0]);
  });

  test("smaller than a call gives that call the minute to itself", async () => {
    const { world, go, times } = road({ "a:m": { tokensPerMinute: 100 } });
    await world.run(Promise.all([go("1", "a:m", 500), go("2", "a:m", 1)]));
    expect(times()).toEqual([0, 60_000]);
  });

  test("frees the room of a call exactly a minute after it was sent", async () => {
    for (const [late, expected] of [
      [59_999, 60_000],
      [60_000, 60_000],
      [60_001, 60_001],
    ] as const) {
      const { world, go, times, wait } = road({ "a:m": { requestsPerMinute: 1 } });
      await world.run(go("1", "a:m"));
      await world.run(wait(late));
      await world.run(go("2", "a:m"));
      expect(times()).toEqual([0, expected]);
    }
  });

  test.each([
    [{ "a:m": { requestsPerMinute: 0 } }, 'limits["a:m"].requestsPerMinute is 0'],
    [{ "a:m": { tokensPerMinute: 1.5 } }, 'limits["a:m"].tokensPerMinute is 1.5'],
    [{ gpt: { requestsPerMinute: 1 } }, 'limits["gpt"] names no model'],
    [{ "a:m": { perMinute: 1 } as object }, 'limits["a:m"] has no field perMinute'],
  ])("%j is refused", (limits, message) => {
    expect(() => modelPace(limits)).toThrow(message);
  });
});

describe("who waits", () => {
  test("may be stopped: the place in the queue is the next one's", async () => {
    const { world, go, times, wait } = road({ "a:m": { requestsPerMinute: 1 } });
    await world.run(go("1", "a:m"));
    let fire = (_: Error): void => {};
    const stop = {
      onFire(listener: (reason: Error) => void) {
        fire = listener;
        return () => {};
      },
    };
    const stopped = go("2", "a:m", 1, stop);
    const third = go("3", "a:m");
    await world.run(wait(10_000));
    fire(new Error("enough"));
    await expect(stopped).rejects.toThrow("enough");
    await world.run(third);
    expect(times()).toEqual([0, 60_000]);
  });

  test("gets a turn that is given back", async () => {
    const { world, clock, pace, go, times } = road({ "a:m": { requestsPerMinute: 1 } });
    const unused = await pace.turn(quote("a:m"), clock, never);
    const next = go("next", "a:m");
    unused.back();
    await world.run(next);
    expect(times()).toEqual([0]);
  });

  test("counts from when a call was sent, not from when it got its turn", async () => {
    const { world, clock, pace, go, times, wait } = road({ "a:m": { requestsPerMinute: 1 } });
    const slow = await pace.turn(quote("a:m"), clock, never);
    const next = go("next", "a:m");
    await world.run(wait(45_000));
    slow.sent();
    await world.run(next);
    expect(times()).toEqual([105_000]);
  });
});

test("a pause that a provider asks for holds for all calls of the model; then one tries before the others", async () => {
  const { world, go, sent, wait } = road({});
  const first = await world.run(go("first", "a:m"));
  first.ended({ tokens: 0, pauseMs: 30_000 });
  const answered = async (name: string, model = "a:m") => {
    const turn = await go(name, model);
    await wait(1_000);
    turn.ended({ ok: true, tokens: 1 });
  };
  const names = ["1", "2", "3", "4", "5", "6", "7"];
  await world.run(Promise.all([...names.map((name) => answered(name)), answered("other", "a:other")]));
  expect(sent.map(({ name, at }) => `${name} at ${at}`)).toEqual([
    "first at 0",
    "other at 0",
    "1 at 30000",
    "2 at 31000",
    "3 at 31000",
    "4 at 32000",
    "5 at 32000",
    "6 at 32000",
    "7 at 32000",
  ]);
});

const lists = () =>
  new Map<string, number[]>([
    ["a:x", []],
    ["a:y", []],
  ]);

test("no minute ever has more requests or tokens than the limit; all who wait get their turn, in order", async () => {
  const call = fc.record({
    after: fc.nat(40_000),
    model: fc.constantFrom("a:x", "a:y"),
    tokens: fc.integer({ min: 1, max: 120 }),
    reserving: fc.constantFrom(0, 5, 90_000),
    took: fc.constantFrom(0, 10, 5_000, 200_000),
    used: fc.nat(100),
    fate: fc.constantFrom("ok", "ok", "doubt", "back", "pause"),
  });
  const limit = fc.record({
    requestsPerMinute: fc.integer({ min: 1, max: 6 }),
    tokensPerMinute: fc.integer({ min: 20, max: 400 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(call, { maxLength: 25 }), limit, limit, async (calls, own, all) => {
      const { world, clock, pace, wait } = road({ "a:x": own, "a:*": all });
      const sent: { readonly model: string; readonly at: number; tokens: number }[] = [];
      const [asked, passed] = [lists(), lists()];
      const one = async (
        { after, model, tokens, reserving, took, used, fate }: (typeof calls)[number],
        i: number,
      ) => {
        await wait(after);
        asked.get(model)?.push(i);
        const turn = await pace.turn(quote(model, tokens), clock, never);
        passed.get(model)?.push(i);
        await wait(reserving);
        if (fate === "back") return turn.back();
        const record = { model, at: world.now(), tokens };
        sent.push(record);
        turn.sent();
        await wait(took);
        if (fate === "doubt") return turn.ended({});
        // Within the minute it is known what was used; later it no longer matters.
        if (took < 60_000) record.tokens = Math.ceil((tokens * used) / 100);
        turn.ended({
          tokens: Math.ceil((tokens * used) / 100),
          ...(fate === "pause" ? { pauseMs: 20_000 } : { ok: true }),
        });
      };
      await world.run(Promise.all(calls.map(one)));
      expect(passed).toEqual(asked);
      for (const [limit, of] of [
        [own, sent.filter(({ model }) => model === "a:x")],
        [all, sent],
      ] as const) {
        for (const { at } of of) {
          const minute = of.filter((other) => other.at >= at && other.at < at + 60_000);
          expect(minute.length).toBeLessThanOrEqual(limit.requestsPerMinute);
          const sum = minute.reduce((all, { tokens }) => all + Math.min(tokens, limit.tokensPerMinute), 0);
          expect(sum).toBeLessThanOrEqual(limit.tokensPerMinute);
        }
      }
    }),
    { numRuns: 300 },
  );
});
