import { describe, expect, it } from "vitest";
import { loopUntil, mapOver, parallel, pipeline, step } from "../core/compose.ts";
import type { Context } from "../core/context.ts";
import { humanInTheLoop, sleep } from "../core/pauses.ts";
import type { Step, Undo } from "../core/step.ts";
import { type Scene, scene } from "../testing/scene.ts";
import { cancelRun } from "./cancel.ts";
import type { RunResult } from "./options.ts";

/** What was done and undone, in order. */
class Diary {
  readonly lines: string[] = [];

  /** A step that adds its name to a text, and a compensation that notes what it was handed. */
  readonly book = (name: string): Step<string, string> =>
    step(name, (before: string) => {
      this.lines.push(name);
      return `${before}${name}`;
    }).compensate(`un${name}`, ({ input, output }) => {
      this.lines.push(`un${name} ${input}>${output}`);
    });
}

const broken = step("broken", (_: string): string => {
  throw new Error("no car");
});
const rest = (_: unknown, ctx: Context): Promise<void> => ctx.sleep("nap", "30s");
const slow = step("slow", async (text: string, ctx) => {
  await rest(text, ctx);
  return text;
});
const ask = humanInTheLoop("ask", { prompt: () => "Shall it?" });

/** The places of one kind of entry, in order. */
async function places(on: Scene, type: "compensation-owed" | "compensation-completed"): Promise<string[]> {
  const entries = await on.journal("r");
  return entries.flatMap((entry) => (entry.type === type ? [entry.path] : []));
}

const messageOf = (result: RunResult<unknown>): string => ("error" in result ? result.error.message : "");
const hintOf = (result: RunResult<unknown>): string | undefined =>
  "error" in result ? result.error.hint : undefined;

describe("a run that fails", () => {
  it("undoes what has completed, the last first, with what went in, what came out, and why", async () => {
    const on = scene();
    const seen: unknown[] = [];
    const book = (name: string) =>
      step(name, (text: string) => `${text}!`).compensate(`un${name}`, (undo) => void seen.push(undo));
    const trip = pipeline("trip", book("flight").to(book("hotel")).to(broken));
    expect(await on.cast(trip).run("go", { runId: "r" })).toMatchObject({
      status: "failed",
      error: { code: "step-failed", hint: "What it had done is undone: start a new run." },
      undone: { places: ["/trip/hotel", "/trip/flight"], left: [] },
    });
    const reason = { code: "step-failed", path: "/trip/broken" };
    expect(seen).toMatchObject([
      { input: "go!", output: "go!!", reason },
      { input: "go", output: "go!", reason },
    ]);
  });

  it("undoes every turn, branch, item and sub-pipeline that has completed, in the reverse order of the journal", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    const inner = pipeline("inner", book("i").to(book("j")));
    const whole = pipeline(
      "p",
      parallel("both", { left: book("a"), right: slow.to(book("b")) })
        .to("left", ({ left }) => left)
        .to(loopUntil("loop", book("t"), { until: (_, { count }) => count === 2, maxLoops: 3 }))
        .to("list", (text) => [text, "x", "y"])
        .to(mapOver("each", book("m"), { key: (item) => `${item.length}${item[0]}` }))
        .to("first", ([text]) => text as string)
        .to(inner.compensate("uninner", ({ output }) => void lines.push(`uninner ${output}`)))
        .to(broken),
    );
    expect((await on.cast(whole).run("", { runId: "r" })).status).toBe("failed");
    const owed = await places(on, "compensation-owed");
    expect(owed.slice(0, 2)).toEqual(["/p/both[left]/a", "/p/both[right]/b"]);
    expect(owed.slice(2, 4)).toEqual(["/p/loop[0]/t", "/p/loop[1]/t"]);
    expect(owed.slice(-3)).toEqual(["/p/inner/i", "/p/inner/j", "/p/inner"]);
    expect(owed).toHaveLength(10);
    expect(await places(on, "compensation-completed")).toEqual(owed.toReversed());
    expect(lines.slice(lines.indexOf("j") + 1)).toEqual([
      "uninner attmij",
      "unj attmi>attmij",
      "uni attm>attmi",
      "unm y>ym",
      "unm x>xm",
      "unm att>attm",
      "unt at>att",
      "unt a>at",
      "unb >b",
      "una >a",
    ]);
  });

  it("begins nothing any more in the items of a map that has failed, and undoes each that had completed", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    const check = step("check", async (text: string, ctx) => {
      await ctx.sleep("briefly", "1s");
      if (text === "aa") throw new Error("sold out");
      return text;
    });
    const nap = sleep("nap", "1h").budget({ calls: 1 });
    const later = mapOver(
      "later",
      step("never", (text: string) => text),
      { over: (text: string) => [text] },
    );
    const items = mapOver(
      "items",
      book("a")
        .to(check)
        .to(nap as Step<string, string>)
        .to(later.cached()),
      {
        concurrency: 2,
      },
    );
    await on.cast(pipeline("p", items)).run([..."abcdef"], { runId: "r" });
    expect(lines).toEqual(["a", "a", "una b>ba", "una a>aa"]);
    const entries = await on.journal("r");
    expect(
      entries.flatMap((entry) => ("path" in entry && entry.path.includes("[5]") ? [entry] : [])),
    ).toEqual([]);
  });

  it("has nothing to undo of what was still under way", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    const wait = step("wait", async (text: string, ctx) => {
      await ctx.sleep("briefly", "1s");
      return text;
    });
    const both = parallel("both", { bad: wait.to(broken), good: slow.to(book("late")) });
    expect(await on.cast(pipeline("p", both)).run("", { runId: "r" })).not.toHaveProperty("undone");
    expect(lines).toEqual([]);
  });

  it("undoes nothing when it completes, waits or halts", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    const dear = step("dear", async (text: string, ctx) => {
      await ctx.spend("fee", "$2", () => {});
      return text;
    });
    const ended = async (rest: Step<string, unknown>, runId: string) =>
      (await on.cast(pipeline("p", book("a").to(rest))).run("", { runId, budget: "$1" })).status;
    expect(await ended(slow, "one")).toBe("completed");
    expect(await ended(ask, "two")).toBe("waiting");
    expect(await ended(dear, "three")).toBe("halted");
    expect(lines).toEqual(["a", "a", "a"]);
  });

  it("returns what is recorded when it is resumed, and does nothing again", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    const trip = pipeline("p", book("a").to(broken));
    const first = await on.cast(trip).run("", { runId: "r" });
    const before = await on.journal("r");
    expect(await on.play(on.cast(trip).runner.resume("r").result())).toEqual(first);
    expect(await on.journal("r")).toEqual(before);
    expect(lines).toEqual(["a", "una >a"]);
    await expect(on.play(on.cast(trip).runner.cancel("r"))).rejects.toMatchObject({ code: "run-ended" });
  });

  it("is resumed as ever when it had nothing to undo", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    let works = false;
    const first = step("first", (text: string) => {
      if (!works) throw new Error("not yet");
      return text;
    });
    const trip = pipeline("p", first.to(book("a")));
    expect(await on.cast(trip).run("", { runId: "r" })).not.toHaveProperty("undone");
    works = true;
    expect((await on.play(on.cast(trip).runner.resume("r").result())).status).toBe("completed");
    expect(lines).toEqual(["a"]);
  });
});

describe("a compensation", () => {
  it("is tried again as it says; one that fails for good does not keep the others, and is named", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    let tries = 0;
    let works = false;
    const refund = step("refund", () => {
      tries++;
      if (!works) throw new Error("the bank is closed");
    }).retry({ attempts: 3 });
    const charge = step("charge", (text: string) => text).compensate(refund);
    const trip = pipeline("p", book("a").to(charge).to(book("b")).to(broken));
    const failed = await on.cast(trip).run("", { runId: "r" });
    expect(lines).toEqual(["a", "b", "unb a>ab", "una >a"]);
    expect(tries).toBe(3);
    expect(failed).toMatchObject({ status: "failed", undone: { left: ["/p/charge"] } });
    expect(messageOf(failed)).toBe(
      "/p/broken failed: Error: no car. Not undone: /p/charge (/p/charge@undo/refund failed: Error: the bank is closed)",
    );
    expect(hintOf(failed)).toBe("Resuming the run tries again to undo what is left.");

    expect(messageOf(await on.play(on.cast(trip).runner.resume("r").result()))).toBe(messageOf(failed));
    expect(tries).toBe(6);
    works = true;
    const undone = await on.play(on.cast(trip).runner.resume("r").result());
    expect(undone).toMatchObject({ status: "failed", undone: { left: [] } });
    expect(messageOf(undone)).toBe("/p/broken failed: Error: no car");
    expect(tries).toBe(7);
    expect(lines).toHaveLength(4);
  });

  it("may be a pipeline; where it was interrupted, it goes on", async () => {
    const on = scene();
    const lines: string[] = [];
    const line = (name: string) => step(name, () => void lines.push(name));
    const undo = pipeline("unbook", line("one").to("rest", rest).to(line("two")));
    const trip = pipeline(
      "p",
      step("book", (text: string) => text)
        .compensate(undo)
        .to(broken),
    );
    const first = on.cast(trip);
    first.runner.start("", { runId: "r" });
    await on.wait(10_000);
    first.process.kill();
    const result = await on.play(on.cast(trip).runner.resume("r").result());
    expect(result).toMatchObject({ status: "failed", undone: { places: ["/p/book"], left: [] } });
    expect(lines).toEqual(["one", "two"]);
  });

  it("is left to whoever resumes the run when its process shuts down", async () => {
    const on = scene();
    const trip = pipeline(
      "p",
      step("book", (text: string) => text)
        .compensate("unbook", rest)
        .to(broken),
    );
    const first = on.cast(trip);
    const heard = first.runner.start("", { runId: "r" }).result();
    await on.wait(10_000);
    await on.play(first.runner[Symbol.asyncDispose]());
    await expect(heard).rejects.toMatchObject({ code: "lease-lost" });
    const result = await on.play(on.cast(trip).runner.resume("r").result());
    expect(result).toMatchObject({ status: "failed", undone: { places: ["/p/book"] } });
  });

  it("is handed values of any size, also those that an earlier process has recorded", async () => {
    const on = scene();
    const long = "x".repeat(20_000);
    const seen: number[] = [];
    const made = step("make", (text: string) => ({ text: text + text }));
    const undo = step("unmake", async ({ input, output }: Undo<string, { text: string }>, ctx) => {
      await rest(undefined, ctx);
      seen.push(input.length, output.text.length);
    });
    const trip = pipeline("p", made.compensate(undo).to("broken", fail));
    const first = on.cast(trip);
    first.runner.start(long, { runId: "r" });
    await on.wait(10_000);
    first.process.kill();
    await on.play(on.cast(trip).runner.resume("r").result());
    await on.cast(trip).run(long, { runId: "other" });
    expect(seen).toEqual([20_000, 40_000, 20_000, 40_000]);
  });

  it("is left, too, when the process shuts down before it has begun: calls under way come to their end first", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    const clock = on.world.process("clock");
    const paying = step("pay", async (_: string, ctx) => {
      await ctx.spend(
        "fee",
        "$0.01",
        () => new Promise((resolve) => void clock.timer(20_000, () => resolve(1))),
      );
    });
    const both = pipeline("p", parallel("both", { booked: book("a"), paying }));
    const first = on.cast(both);
    const heard = first.runner.start("", { runId: "r" }).result();
    await on.wait(1_000);
    const cancelled = first.runner.cancel("r");
    await on.wait(1_000);
    await on.play(first.runner[Symbol.asyncDispose]());
    await expect(heard).rejects.toMatchObject({ code: "lease-lost" });
    await cancelled;
    expect(lines).toEqual(["a"]);
    expect((await on.play(on.cast(both).runner.resume("r").result())).status).toBe("cancelled");
    expect(lines).toEqual(["a", "una >a"]);
  });

  it("may ask a person: the run waits, and is not done before there is an answer", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    const asking = step("b", (text: string) => text).compensate(ask);
    const { runner } = on.cast(pipeline("p", book("a").to(asking).to(broken)));
    const result = await on.play(runner.start("", { runId: "r" }).result());
    expect(result).toMatchObject({ status: "waiting", signals: ["/p/b@undo/ask"] });
    await on.play(runner.signal("r", "/p/b@undo/ask", { approved: true }));
    expect(await on.play(runner.resume("r").result())).toMatchObject({
      status: "failed",
      undone: { left: [] },
    });
    expect(lines).toEqual(["a", "una >a"]);
  });

  it("is paid by the run, whatever the place was allowed; a run that cannot pay for it halts, and goes on topped up", async () => {
    const on = scene();
    const fee = step("fee", async (_: unknown, ctx) => {
      await ctx.spend("fee", "$0.40", () => {});
    });
    const charge = step("charge", (text: string) => text).compensate(fee);
    const trip = pipeline("p", charge.budget("$0.10").to(broken));
    const halted = await on.cast(trip).run("", { runId: "r", budget: "$0.30" });
    expect(halted).toMatchObject({ status: "halted", undone: { left: ["/p/charge"] } });
    const options = { budget: "$1" } as const;
    expect(await on.play(on.cast(trip).runner.resume("r", options).result())).toMatchObject({
      status: "failed",
      undone: { left: [] },
      spent: { picoUsd: 400_000_000_000n },
    });
  });

  it("takes nothing from what its place is allowed, also when another process reckons", async () => {
    const on = scene();
    const pay = (name: string, amount: "$0.40" | "$0.05") =>
      step(name, async (text: unknown, ctx: Context) => {
        await ctx.spend("fee", amount, () => {});
        return String(text);
      });
    const charge = step("charge", (text: string) => text).compensate(pay("fee", "$0.40"));
    const part = charge.to(broken).fallback(slow).to(pay("small", "$0.05"));
    const trip = pipeline("p", pipeline("part", part).budget("$0.10"));
    const first = on.cast(trip);
    first.runner.start("x", { runId: "r", budget: "$1" });
    await on.wait(10_000);
    first.process.kill();
    expect(await on.play(on.cast(trip).runner.resume("r").result())).toMatchObject({
      status: "completed",
      spent: { picoUsd: 450_000_000_000n },
    });
  });

  it("sees the state as it was at the end; what it writes is recorded, and seen by the next", async () => {
    interface Notes {
      notes: readonly string[];
    }
    const on = scene();
    const note = (text: string, ctx: Context<Notes>): string => {
      ctx.update("notes", (notes) => [...notes, text]);
      return text;
    };
    const seen: string[] = [];
    const book = (name: string) =>
      step(name, (_: string, ctx: Context<Notes>) => note(name, ctx)).compensate(
        step(`un${name}`, (_: unknown, ctx: Context<Notes>) => {
          seen.push(ctx.state.notes.join());
          note(`un${name}`, ctx);
        }),
      );
    const trip = pipeline("p", book("a").to(book("b")).to(broken), { state: () => ({ notes: [] }) });
    await on.cast(trip).run("", { runId: "r" });
    expect(seen).toEqual(["a,b", "a,b,unb"]);
  });
});

describe("a failure that is taken care of inside the run", () => {
  const caught = (text: string) => step("caught", () => text);

  it("by a fallback: what the failed part had completed is undone before, and not again later", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    const trip = book("b").to(book("c")).to(broken).fallback(book("d"));
    const whole = pipeline("p", book("a").to(trip).to(book("e")).to("end", fail));
    expect((await on.cast(whole).run("", { runId: "r" })).status).toBe("failed");
    expect(lines).toEqual([
      ...["a", "b", "c", "unc ab>abc", "unb a>ab"],
      ...["d", "e", "une ad>ade", "und a>ad", "una >a"],
    ]);
  });

  it("by a run that completes all the same: what was undone for the fallback stays so", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    const whole = pipeline("p", book("a").to(book("b").to(broken).fallback(caught("else"))));
    expect(await on.cast(whole).run("", { runId: "r" })).toMatchObject({
      status: "completed",
      output: "else",
    });
    expect(lines).toEqual(["a", "b", "unb a>ab"]);
  });

  it("by collecting it: each item that fails is undone by itself", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    const order = book("a").to("check", (text) => {
      if (text.startsWith("bad")) throw new Error("sold out");
      return text;
    });
    const whole = pipeline("p", mapOver("orders", order, { onFailure: "collect", concurrency: 1 }));
    const result = await on.cast(whole).run(["good", "bad", "better"], { runId: "r" });
    expect(result).toMatchObject({ output: [{ ok: true }, { ok: false }, { ok: true }] });
    expect(lines).toEqual(["a", "a", "una bad>bada", "a"]);
  });

  it("by trying again: what is finished is kept, and nothing is undone in between", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    const moody = step("moody", (text: string, { attempt }: Context) => {
      if (attempt < 3) throw new Error("not today");
      return text;
    });
    const whole = pipeline("p", book("a").to(moody).retry({ attempts: 3 }));
    expect((await on.cast(whole).run("", { runId: "r" })).status).toBe("completed");
    expect(lines).toEqual(["a"]);
  });

  it("writes what it does to the state of the run, also when that was recorded by another process", async () => {
    interface Count {
      undone: number;
    }
    const on = scene();
    const book = step("book", (text: string) => text).compensate(
      step("unbook", (_: unknown, ctx: Context<Count>) => ctx.update("undone", (n) => n + 1)),
    );
    const whole = pipeline(
      "p",
      book
        .to(broken)
        .fallback(caught("else"))
        .to(slow)
        .to("end", (_, ctx) => (ctx.state as Count).undone),
      { state: (): Count => ({ undone: 0 }) },
    );
    const first = on.cast(whole);
    first.runner.start("", { runId: "r" });
    await on.wait(10_000);
    first.process.kill();
    expect(await on.play(on.cast(whole).runner.resume("r").result())).toMatchObject({ output: 1 });
  });

  it("does nothing to the state once more when the run fails in the end", async () => {
    interface Count {
      count: number;
    }
    const on = scene();
    const seen: number[] = [];
    const set = (name: string, count: number) =>
      step(name, (text: unknown, ctx: Context<Count>) => {
        seen.push(ctx.state.count);
        ctx.set({ count });
        return String(text);
      });
    const book = (name: string, count: number) =>
      step(name, (text: string) => text).compensate(set(`un${name}`, count));
    const inside = book("b", 1).to(broken).fallback(set("else", 5));
    const whole = pipeline("p", book("a", 9).to(inside).to("end", fail), {
      state: (): Count => ({ count: 0 }),
    });
    await on.cast(whole).run("", { runId: "r" });
    expect(seen).toEqual([0, 1, 5]);
  });

  it("a compensation that fails there keeps nothing from going on; it is tried again should the run fail", async () => {
    const on = scene();
    const tries: string[] = [];
    const book = step("book", (text: string) => text).compensate("unbook", ({ reason }) => {
      tries.push(reason.message);
      if (tries.length < 2) throw new Error("the hotel is asleep");
    });
    const whole = pipeline("p", book.to(broken).fallback(caught("else")).to(slow).to("end", fail));
    const result = await on.cast(whole).run("", { runId: "r" });
    expect(result).toMatchObject({ status: "failed", undone: { places: ["/p/book"], left: [] } });
    expect(tries).toEqual(Array(2).fill("/p/broken failed: Error: no car"));
  });
});

function fail(_: unknown): never {
  throw new Error("all in vain");
}

describe("a run that is cancelled", () => {
  it("undoes what has completed, and says that it was cancelled", async () => {
    const on = scene();
    const seen: unknown[] = [];
    const book = step("book", (text: string) => text).compensate(
      "unbook",
      ({ reason }) => void seen.push(reason),
    );
    const { runner } = on.cast(pipeline("p", book.to(slow)));
    const heard = runner.start("", { runId: "r" }).result();
    await on.wait(5_000);
    await on.play(runner.cancel("r", "no longer wanted"));
    expect(await on.play(heard)).toMatchObject({
      status: "cancelled",
      undone: { places: ["/p/book"], left: [] },
    });
    expect(seen).toMatchObject([{ code: "cancelled", message: "run r was cancelled: no longer wanted" }]);
  });

  it("goes on undoing when it is cancelled once more, or was failing already", async () => {
    const on = scene();
    const trip = pipeline(
      "p",
      step("book", (text: string) => text)
        .compensate("unbook", rest)
        .to(broken),
    );
    const first = on.cast(trip);
    const heard = first.runner.start("", { runId: "r" }).result();
    await on.wait(10_000);
    const other = on.cast(trip);
    await on.play(other.runner.cancel("r"));
    await on.play(first.runner.cancel("r"));
    expect(await on.play(heard)).toMatchObject({
      status: "failed",
      undone: { places: ["/p/book"], left: [] },
    });
  });

  it("while it waits or has halted: whoever has the pipeline undoes at once", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    const { runner } = on.cast(pipeline("p", book("a").to(ask)));
    await on.play(runner.start("", { runId: "r" }).result());
    await on.play(runner.cancel("r", "enough"));
    expect(lines).toEqual(["a", "una >a"]);
    expect((await on.journal("r")).at(-1)).toMatchObject({ type: "run-cancelled" });
  });

  it("by a process without its pipeline: whoever serves that takes it over and undoes", async () => {
    const on = scene();
    const { lines, book } = new Diary();
    const trip = pipeline("p", book("a").to(ask));
    await on.cast(trip).run("", { runId: "r" });
    const clerk = on.world.process("clerk");
    expect(await on.play(cancelRun(on.store, clerk, "r", "enough"))).toBe("left");
    expect((await on.store.list({}))[0]?.status).toBe("running");
    expect(lines).toEqual(["a"]);
    expect(await on.play(cancelRun(on.store, clerk, "r", "enough"))).toBe("left");
    const [handle] = await on.play(on.cast(trip).runner.recover());
    expect(await on.play(handle?.result() as Promise<RunResult<unknown>>)).toMatchObject({
      status: "cancelled",
    });
    expect(lines).toEqual(["a", "una >a"]);
    const entries = (await on.journal("r")).filter(({ type }) => type === "cancellation-requested");
    expect(entries).toHaveLength(1);
  });

  it("by a process without its pipeline: ends there when nothing can be undone", async () => {
    const on = scene();
    const clerk = on.world.process("clerk");
    const { book } = new Diary();
    await on.cast(pipeline("p", step("a", (text: string) => text).to(ask))).run("", { runId: "plain" });
    await on.cast(pipeline("p", ask.to("text", String).to(book("a")))).run("", { runId: "early" });
    expect(await on.play(cancelRun(on.store, clerk, "plain", "enough"))).toBe("cancelled");
    expect(await on.play(cancelRun(on.store, clerk, "early", "enough"))).toBe("cancelled");
  });
});

describe("a changed pipeline", () => {
  const trip = (undo: Step<unknown, unknown> | undefined) => {
    const book = step("book", (text: string) => text, { version: "1" });
    return pipeline("p", (undo === undefined ? book : book.compensate(undo)).to(broken));
  };
  const failing = step("undo", () => {
    throw new Error("a mistake in the code");
  });

  it("may mend a compensation that has failed, and give places one", async () => {
    const on = scene();
    const lines: string[] = [];
    await on.cast(trip(failing)).run("", { runId: "r" });
    const mended = step("undo", () => void lines.push("undone"));
    expect(await on.play(on.cast(trip(mended)).runner.resume("r").result())).toMatchObject({
      undone: { places: ["/p/book"], left: [] },
    });
    expect(lines).toEqual(["undone"]);
  });

  it("may not take away one that is owed; when it is forced to, that one is not undone", async () => {
    const on = scene();
    await on.cast(trip(failing)).run("", { runId: "r" });
    const { runner } = on.cast(trip(undefined));
    await expect(on.play(runner.resume("r").result())).rejects.toMatchObject({
      code: "version-changed",
      changed: ["/p/book@undo"],
    });
    const forced = await on.play(runner.resume("r", { forceVersion: true }).result());
    expect(forced).toMatchObject({ status: "failed", undone: { left: ["/p/book"] } });
  });
});
