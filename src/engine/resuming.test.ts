import { describe, expect, it } from "vitest";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "../core/compose.ts";
import type { Context } from "../core/context.ts";
import { TimeoutError } from "../core/errors.ts";
import { sleep } from "../core/pauses.ts";
import type { Step } from "../core/step.ts";
import { type Cast, type Scene, scene } from "../testing/scene.ts";

/** Counts how often each body ran. */
function counted() {
  const counts: Record<string, number> = {};
  const ran = (name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1;
  };
  return { counts, ran };
}

/** Starts the run and kills its process as soon as the condition holds. */
async function dieWhen<In, Out, State>(
  on: Scene,
  cast: Cast<In, Out, State>,
  input: In,
  condition: () => boolean,
) {
  cast.runner.start(input, { runId: "r" });
  await on.play(until(on, condition));
  cast.process.kill();
}

function until(on: Scene, condition: () => boolean): Promise<void> {
  const process = on.world.process("watch");
  return new Promise((resolve) => {
    const look = (): void => {
      if (condition()) resolve();
      else process.timer(10, look);
    };
    look();
  });
}

const output = <T>(result: { readonly status: string; readonly output?: T }): T | undefined => {
  expect(result.status).toBe("completed");
  return result.output;
};

/** A step that takes a second, so that a process can die in it. */
function slow<T>(name: string, ran: (name: string) => void, work: (input: T) => T): Step<T, T> {
  return step(name, async (input: T, ctx) => {
    ran(name);
    await ctx.sleep("work", "1s");
    return work(input);
  });
}

describe("a run whose process died", () => {
  it("goes on after the last finished step, its state intact", async () => {
    const on = scene();
    const { counts, ran } = counted();
    const links = ["a", "b", "c", "d"].map((name) =>
      step(name, async (input: string, ctx: Context<{ seen: string }>) => {
        ran(name);
        await ctx.sleep("work", "1s");
        ctx.update("seen", (seen = "") => seen + name);
        return input + name;
      }),
    );
    const [a, b, c, d] = links as [
      (typeof links)[0],
      (typeof links)[0],
      (typeof links)[0],
      (typeof links)[0],
    ];
    const whole = pipeline(
      "p",
      a
        .to(b)
        .to(c)
        .to(d)
        .to(step("look", (text: string, ctx: Context<{ seen: string }>) => [text, ctx.state.seen])),
    );
    await dieWhen(on, on.cast(whole), "", () => counts.c === 1);
    expect(output(await on.cast(whole).run("", { runId: "r" }))).toEqual(["abcd", "abcd"]);
    expect(counts).toEqual({ a: 1, b: 1, c: 2, d: 1 });
  });

  it("has a body catch, from the record, an error of the class that it caught the first time", async () => {
    const on = scene();
    const caught: boolean[] = [];
    const careful = step("careful", async (_: string, ctx) => {
      const risky = ctx.run("risky", () => Promise.reject(new TimeoutError("too slow")));
      await risky.catch((error: unknown) => caught.push(error instanceof TimeoutError));
      await ctx.sleep("work", "1s");
      return caught.length;
    });
    await dieWhen(on, on.cast(careful), "", () => caught.length === 1);
    expect(output(await on.cast(careful).run("", { runId: "r" }))).toBe(2);
    expect(caught).toEqual([true, true]);
  });

  it("goes on in the turn of the loop it was in", async () => {
    const on = scene();
    const { counts, ran } = counted();
    const loop = loopUntil(
      "loop",
      slow<number>("turn", ran, (n) => n + 1),
      { until: (n) => n >= 5, maxLoops: 9 },
    );
    await dieWhen(on, on.cast(loop), 0, () => counts.turn === 4);
    expect(output(await on.cast(loop).run(0, { runId: "r" }))).toBe(5);
    expect(counts.turn).toBe(6);
  });

  it("does only the items of a map that are not done, in the same order", async () => {
    const on = scene();
    const done: number[] = [];
    const each = step("each", async (n: number, ctx) => {
      await ctx.sleep("work", `${n * 1_000}ms`);
      done.push(n);
      return n * 2;
    });
    const all = mapOver("all", each, { concurrency: 10 });
    const input = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    await dieWhen(on, on.cast(all), input, () => done.length === 7);
    expect(output(await on.cast(all).run(input, { runId: "r" }))).toEqual(input.map((n) => n * 2));
    expect(done).toEqual(input);
  });

  it("runs only the branch that is not done", async () => {
    const on = scene();
    const { counts, ran } = counted();
    const branch = (name: string, ms: number) =>
      step(name, async (_: string, ctx) => {
        ran(name);
        await ctx.sleep("work", `${ms}ms`);
        return name;
      });
    const three = parallel("three", { a: branch("a", 100), b: branch("b", 200), c: branch("c", 60_000) });
    const first = on.cast(three);
    first.runner.start("", { runId: "r" });
    await on.wait(1_000);
    first.process.kill();
    expect(output(await on.cast(three).run("", { runId: "r" }))).toEqual({ a: "a", b: "b", c: "c" });
    expect(counts).toEqual({ a: 1, b: 1, c: 2 });
  });

  it("keeps its decisions, though the world has changed", async () => {
    const on = scene();
    let weather = "sunny";
    const { counts, ran } = counted();
    const branch = branchOn("weather", (_: string) => weather as "sunny", {
      sunny: slow<string>("out", ran, (text) => `${text} out`),
      rainy: slow<string>("in", ran, (text) => `${text} in`),
    });
    await dieWhen(on, on.cast(branch), "stay", () => counts.out === 1 && on.world.now() % 1_000 > 100);
    weather = "rainy";
    expect(output(await on.cast(branch).run("stay", { runId: "r" }))).toBe("stay out");
  });

  it("does not repeat a finished operation of an unfinished body, and waits only for what is left of a sleep", async () => {
    const on = scene();
    const { counts, ran } = counted();
    const body = step("body", async (_: string, ctx) => {
      const got = await ctx.run("fetch", () => {
        ran("fetch");
        return 7;
      });
      await ctx.sleep("nap", "60s");
      return got;
    });
    const began = on.world.now();
    const whole = body.to(sleep("rest", "10s"));
    const first = on.cast(whole);
    first.runner.start("", { runId: "r" });
    await on.wait(40_000);
    first.process.kill();
    expect(output(await on.cast(whole).run("", { runId: "r" }))).toBe(7);
    expect(counts.fetch).toBe(1);
    expect(on.world.now() - began).toBe(70_000);
  });

  it("hands the same idempotency key to the same work", async () => {
    const on = scene();
    const keys: string[] = [];
    const body = step("body", async (_: string, ctx) => {
      keys.push(ctx.idempotencyKey);
      await ctx.sleep("nap", "1s");
      if (ctx.attempt === 1) throw new Error("once more");
    }).retry({ attempts: 2 });
    await dieWhen(on, on.cast(body), "", () => keys.length === 1);
    await on.cast(body).run("", { runId: "r" });
    expect([keys.length, new Set(keys).size]).toEqual([3, 1]);
  });

  it("that had only its id begins anew when it is started again, and says so when it is resumed", async () => {
    const on = scene();
    const greet = step("greet", (name: string) => `Hello, ${name}!`);
    on.cast(greet, { crash: { commit: 1, when: "before" } }).runner.start("Ada", { runId: "r" });
    await on.wait(1);
    await expect(on.play(on.cast(greet).runner.resume("r").result())).rejects.toMatchObject({
      code: "unknown-run",
    });
    expect(output(await on.cast(greet).run("Ada", { runId: "r" }))).toBe("Hello, Ada!");
  });
});

describe("a run that has ended", () => {
  it("returns its recorded result and calls nothing", async () => {
    const on = scene();
    const { counts, ran } = counted();
    const made = slow<string>("s", ran, (text) => text.repeat(5_000));
    const first = await on.cast(made).run("ab", { runId: "r" });
    const entries = (await on.journal("r")).length;
    expect(await on.cast(made).run("ab", { runId: "r" })).toEqual(first);
    expect([counts.s, (await on.journal("r")).length]).toEqual([1, entries]);
  });

  it("or has begun is not the run of another input", async () => {
    const on = scene();
    const unfinished = step("s", async (text: string, ctx) => {
      await ctx.sleep("long", "1m");
      return text;
    });
    const first = on.cast(unfinished);
    first.runner.start("a", { runId: "other" });
    await on.wait(100);
    first.process.kill();
    await expect(on.cast(unfinished).run("b", { runId: "other" })).rejects.toMatchObject({
      code: "invalid-input",
    });
  });

  it("that failed is resumed at what failed", async () => {
    const on = scene();
    let broken = true;
    const { counts, ran } = counted();
    const a = slow<string>("a", ran, (text) => `${text}a`);
    const b = step("b", (text: string) => {
      ran("b");
      if (broken) throw new Error("broken");
      return `${text}b`;
    });
    expect(await on.cast(a.to(b)).run("", { runId: "r" })).toMatchObject({ status: "failed" });
    broken = false;
    expect(output(await on.play(on.cast(a.to(b)).runner.resume("r").result()))).toBe("ab");
    expect(counts).toEqual({ a: 1, b: 2 });
  });
});

describe("a pipeline that changed between crash and resume", () => {
  const a = (version: string) => step("a", (text: string) => `${text}a`, { version });
  const b = (version: string) =>
    step(
      "b",
      async (text: string, ctx) => {
        await ctx.sleep("long", "1m");
        return `${text}b`;
      },
      { version },
    );
  const whole = (va: string, vb: string) => pipeline("p", a(va).to(b(vb)));

  async function crashedInB(): Promise<Scene> {
    const on = scene();
    const first = on.cast(whole("1", "1"));
    first.runner.start("", { runId: "r" });
    await on.wait(1_000);
    first.process.kill();
    return on;
  }

  it("is refused, naming what differs, when that is recorded", async () => {
    const on = await crashedInB();
    const refused = on.play(on.cast(whole("2", "1")).runner.resume("r").result());
    await expect(refused).rejects.toMatchObject({ code: "version-changed", changed: ["/p/a"] });
  });

  it("goes on when only later parts differ", async () => {
    const on = await crashedInB();
    expect(output(await on.play(on.cast(whole("1", "2")).runner.resume("r").result()))).toBe("ab");
  });

  it("goes on when it is forced, and the journal says so", async () => {
    const on = await crashedInB();
    const forced = on.cast(whole("2", "1")).runner.resume("r", { forceVersion: true });
    expect(output(await on.play(forced.result()))).toBe("ab");
    expect((await on.journal("r")).find(({ type }) => type === "run-resumed")).toMatchObject({
      forced: ["/p/a"],
    });
  });
});

describe("the policy of versions", () => {
  const nap = (version: string, napMs = 60_000) =>
    pipeline(
      "p",
      step("a", (text: string) => `${text}a`, { version }).to("b", async (text: string, ctx) => {
        await ctx.sleep("nap", `${napMs}ms`);
        return `${text}${version}`;
      }),
    );

  async function crashed(): Promise<Scene> {
    const on = scene();
    const first = on.cast(nap("1"), { host: "elsewhere" });
    first.runner.start("", { runId: "r" });
    await on.wait(1_000);
    first.process.kill();
    await on.wait(20_000);
    return on;
  }
  const later = pipeline(
    "p",
    step("a", (text: string) => `${text}a`, { version: "1" })
      .to("b", async (text: string, ctx) => {
        await ctx.sleep("nap", "1m");
        return `${text}2`;
      })
      .to("c", (text: string) => text),
  );

  it("strict goes on under the run's own version alone, and says which it is", async () => {
    const on = await crashed();
    const refused = on.play(on.cast(later, { version: "strict" }).runner.resume("r").result());
    await expect(refused).rejects.toMatchObject({ code: "version-changed", changed: [] });
    await expect(refused).rejects.toThrow(
      /^run r is of version [0-9a-f]{16} of the pipeline, this is [0-9a-f]{16}/,
    );
    expect(output(await on.play(on.cast(nap("1"), { version: "strict" }).runner.resume("r").result()))).toBe(
      "a1",
    );
  });

  it("compatible, the default, goes on where what is recorded is the same; one resume may say otherwise", async () => {
    const on = await crashed();
    const { runner } = on.cast(later);
    await expect(on.play(runner.resume("r", { version: "strict" }).result())).rejects.toMatchObject({
      code: "version-changed",
    });
    expect(output(await on.play(runner.resume("r").result()))).toBe("a2");
  });

  it("force goes on in any case, and the journal says what had changed", async () => {
    const on = await crashed();
    const { runner } = on.cast(nap("2"), { version: "force" });
    expect(output(await on.play(runner.resume("r").result()))).toBe("a2");
    const resumed = (await on.journal("r")).find(({ type }) => type === "run-resumed");
    expect(resumed).toMatchObject({ forced: ["/p/a"], outline: expect.any(String) });
  });

  it("another word is refused", () => {
    expect(() => scene().cast(nap("1"), { version: "loose" as "strict" })).toThrow('version is "loose"');
  });

  it.each(["strict", "compatible"] as const)(
    "with versions served side by side (%s), a run whose process died is finished on its own version",
    async (version) => {
      const on = await crashed();
      const [old, fresh] = [on.cast(nap("1"), { version }), on.cast(nap("2"), { version })];
      // Each has work of its own, so that both look for runs to take over, the new one first.
      void fresh.runner.start("", { runId: "new" }).result();
      await on.wait(500);
      void old.runner.start("", { runId: "old" }).result();
      await on.wait(300_000);
      const [taken, own, other] = [await on.journal("r"), await on.journal("old"), await on.journal("new")];
      expect(taken.filter(({ type }) => type === "run-resumed")).toMatchObject([{ why: "taken-over" }]);
      expect([taken, own, other].map((journal) => journal.at(-1))).toMatchObject([
        { type: "run-completed", output: "a1" },
        { type: "run-completed", output: "a1" },
        { type: "run-completed", output: "a2" },
      ]);
    },
  );
});

describe("two processes and one run", () => {
  const long = step("long", async (text: string, ctx) => {
    await ctx.sleep("nap", "60s");
    return text;
  });

  it("one proceeds, the other is told at once who holds it", async () => {
    const on = scene();
    const [first, second] = [on.cast(long), on.cast(long)];
    const result = first.runner.start("x", { runId: "r" }).result();
    await on.wait(20_000); // longer than a lease: it is renewed
    const before = on.world.now();
    await expect(on.play(second.runner.resume("r").result())).rejects.toMatchObject({
      code: "lease-held",
      message: expect.stringContaining(first.process.owner),
    });
    expect(on.world.now() - before).toBeLessThan(1_000);
    expect(output(await on.play(result))).toBe("x");
  });

  it("a lease whose owner is seen to be gone is not waited out; one on another host is", async () => {
    const on = scene();
    const first = on.cast(long);
    first.runner.start("x", { runId: "r" });
    await on.wait(1_000);
    first.process.kill();
    const stranger = on.cast(long, { host: "elsewhere" });
    await expect(on.play(stranger.runner.resume("r").result())).rejects.toMatchObject({ code: "lease-held" });
    expect(output(await on.play(on.cast(long).runner.resume("r").result()))).toBe("x");
  });

  it("a paused one that lost its lease writes nothing when it wakes, and says so", async () => {
    const on = scene();
    const [first, second] = [on.cast(long), on.cast(long)];
    const lost = first.runner.start("x", { runId: "r" }).result();
    const heard = lost.catch((error: { code: string }) => error.code);
    await on.wait(1_000);
    first.process.pause();
    await on.wait(20_000);
    expect(output(await on.play(second.runner.resume("r").result()))).toBe("x");
    const entries = (await on.journal("r")).length;
    first.process.wake();
    expect(await on.play(heard)).toBe("lease-lost");
    await on.wait(60_000);
    expect((await on.journal("r")).length).toBe(entries);
  });

  it("a run that died without a word is taken over by a process that has work of its own", async () => {
    const on = scene();
    const [victim, other] = [on.cast(long, { host: "elsewhere" }), on.cast(long)];
    victim.runner.start("x", { runId: "r" });
    await on.wait(500);
    victim.process.kill();
    other.runner.start("y", { runId: "own" });
    await on.wait(100_000);
    const journal = await on.journal("r");
    expect(journal.find(({ type }) => type === "run-resumed")).toMatchObject({ why: "taken-over" });
    expect(journal.at(-1)).toMatchObject({ type: "run-completed", output: "x" });
  });

  it("or by whoever asks for what is abandoned", async () => {
    const on = scene();
    const victim = on.cast(long);
    victim.runner.start("x", { runId: "r" });
    await on.wait(500);
    victim.process.kill();
    const found = await on.play(on.cast(long).runner.recover());
    expect(found.map(({ runId }) => runId)).toEqual(["r"]);
    expect(output(await on.play((found[0] as (typeof found)[0]).result()))).toBe("x");
  });

  it("a process that shuts down hands its runs over at once", async () => {
    const on = scene();
    const first = on.cast(long, { host: "elsewhere" });
    const result = first.runner.start("x", { runId: "r" }).result();
    const heard = result.catch((error: { code: string }) => error.code);
    await on.wait(1_000);
    await on.play(first.runner[Symbol.asyncDispose]());
    expect(await heard).toBe("lease-lost");
    expect(output(await on.play(on.cast(long).runner.resume("r").result()))).toBe("x");
  });
});

describe("cancelling", () => {
  const long = step("long", async (_: string, ctx) => {
    await ctx.sleep("nap", "1m");
    return "done";
  });

  it("stops a run of this process: bodies are told, and it is over for good", async () => {
    const on = scene();
    let told = "";
    const listening = step("listening", (_: string, ctx) => {
      ctx.signal.addEventListener("abort", () => {
        told = String(ctx.signal.reason.message);
      });
      return new Promise<string>(() => {});
    });
    const cast = on.cast(listening);
    const handle = cast.runner.start("", { runId: "r" });
    await on.wait(100);
    await on.play(handle.cancel("no longer wanted"));
    const expected = { status: "cancelled", error: { code: "cancelled" } };
    expect(await handle.result()).toMatchObject(expected);
    expect(told).toContain("no longer wanted");
    expect(await on.cast(listening).run("", { runId: "r" })).toMatchObject(expected);
  });

  it("reaches a run of another process within a second or so", async () => {
    const on = scene();
    const result = on.cast(long).runner.start("", { runId: "r" }).result();
    await on.wait(5_000);
    const before = on.world.now();
    await on.play(on.cast(long).runner.cancel("r", "from afar"));
    expect(await on.play(result)).toMatchObject({
      status: "cancelled",
      error: { message: expect.stringContaining("from afar") },
    });
    expect(on.world.now() - before).toBeLessThanOrEqual(1_500);
  });

  it("ends a run that nobody advances, and refuses one that has ended", async () => {
    const on = scene();
    const first = on.cast(long);
    first.runner.start("", { runId: "r" });
    await on.wait(100);
    first.process.kill();
    const { runner } = on.cast(long);
    await on.play(runner.cancel("r"));
    expect((await on.journal("r")).at(-1)).toMatchObject({ type: "run-cancelled" });
    await expect(on.play(runner.cancel("r"))).rejects.toMatchObject({ code: "run-ended" });
    await expect(on.play(runner.cancel("unheard-of"))).rejects.toMatchObject({ code: "unknown-run" });
  });

  it("by the signal given at the start", async () => {
    const on = scene();
    const stop = new AbortController();
    const result = on.cast(long).runner.start("", { signal: stop.signal }).result();
    await on.wait(100);
    stop.abort();
    expect(await on.play(result)).toMatchObject({ status: "cancelled" });
  });
});

describe("events", () => {
  const two = step("a", (text: string) => `${text}a`).to("b", async (text, ctx) => {
    await ctx.sleep("nap", "1s");
    return `${text}b`;
  });

  async function types(events: AsyncIterable<{ readonly type: string }>): Promise<string[]> {
    const seen: string[] = [];
    for await (const { type } of events) seen.push(type);
    return seen;
  }

  it("are the journal's, the same for one who comes late or reads twice", async () => {
    const on = scene();
    const handle = on.cast(two).runner.start("", { runId: "r" });
    const live = types(handle.events);
    await on.play(handle.result());
    const journal = (await on.journal("r")).map(({ type }) => type);
    expect(await on.play(live)).toEqual(journal);
    expect(await on.play(types(handle.events))).toEqual(journal);
    expect(journal.at(-1)).toBe("run-completed");
  });

  it("reach a listener in order; one that throws, or rejects, does not touch the run", async () => {
    const on = scene();
    const seen: number[] = [];
    const listen = (event: { readonly seq: number }): void => {
      seen.push(event.seq);
      throw new Error("a broken listener");
    };
    expect(output(await on.cast(two, { onEvent: listen }).run("", { runId: "r" }))).toBe("ab");
    expect(seen).toEqual([...seen.keys()]);
    const rejecting = async (): Promise<void> => {
      throw new Error("a broken listener, later");
    };
    expect(output(await on.cast(two, { onEvent: rejecting as () => void }).run("", { runId: "other" }))).toBe(
      "ab",
    );
  });

  it("a listener that never returns does not touch the run; one that cancels stops it, what it did is kept", async () => {
    const on = scene();
    const hanging = (): Promise<void> => new Promise(() => {});
    expect(output(await on.cast(two, { onEvent: hanging as () => void }).run("", { runId: "other" }))).toBe(
      "ab",
    );
    const { runner } = on.cast(two, {
      onEvent: ({ type }) => {
        if (type === "step-completed") void runner.cancel("r", "enough");
      },
    });
    const result = await on.play(runner.start("", { runId: "r" }).result());
    expect(result).toMatchObject({
      status: "cancelled",
      error: { message: expect.stringContaining("enough") },
    });
    expect(await on.journal("r")).toMatchObject([
      { type: "run-created" },
      { type: "step-completed", path: "/a..b/a", output: "a" },
      { type: "run-cancelled" },
    ]);
  });
});
