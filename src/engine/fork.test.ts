import { describe, expect, test } from "vitest";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "../core/compose.ts";
import type { Context } from "../core/context.ts";
import { setting } from "../core/overlay.ts";
import { humanInTheLoop } from "../core/pauses.ts";
import type { Schema } from "../core/schema.ts";
import type { Step } from "../core/step.ts";
import { memory } from "../stores/memory.ts";
import type { CrashPoint } from "../testing/crash-store.ts";
import { scene } from "../testing/scene.ts";
import { scriptedModel } from "../testing/scripted-model.ts";
import { improvables } from "./improvables.ts";
import type { ForkOptions } from "./options.ts";

/** Runs a pipeline, and forks the run; `work` counts what each did. */
async function forked<In, Out>(
  made: (work: (name: string) => Step<number, number>) => Step<In, Out>,
  input: In,
  options: ForkOptions,
) {
  let done: string[] = [];
  const work = (name: string): Step<number, number> =>
    step(name, (n: number, { path }: Context) => {
      done.push(path);
      return n + 1;
    });
  const on = scene();
  const flow = made(work);
  const first = await on.cast(flow).run(input, { runId: "r" });
  const before = done;
  done = [];
  const result = await on.play(
    on
      .cast(flow)
      .runner.fork("r", { runId: "f", ...options })
      .result(),
  );
  return { first, before, done, result, on, flow };
}

describe("a fork shares what does not follow from its point", () => {
  test("in a sequence: what comes before", async () => {
    const chain = (work: (name: string) => Step<number, number>) =>
      pipeline("p", work("a").to(work("b")).to(work("c")));
    const { done, first, result } = await forked(chain, 1, { at: "/p/b" });
    expect(done).toEqual(["/p/b", "/p/c"]);
    expect(result).toMatchObject({ status: "completed", output: (first as { output?: number }).output });
  });

  test("in a map: the other items, whenever they were done", async () => {
    const each = (work: (name: string) => Step<number, number>) =>
      pipeline(
        "p",
        mapOver("each", work("x").to(work("y")), { key: (n) => `k${n}` }).to(
          step("sum", (all) => all.length),
        ),
      );
    const { done, result } = await forked(each, [1, 2, 3], { at: "/p/each[k2]/y" });
    expect(done).toEqual(["/p/each[k2]/y"]);
    expect(result).toMatchObject({ output: 3 });
  });

  test("in a parallel: the other branches", async () => {
    const both = (work: (name: string) => Step<number, number>) =>
      pipeline(
        "p",
        parallel("both", { left: work("l").to(work("m")), right: work("r") }).to(step("end", (x) => x)),
      );
    const { done, result } = await forked(both, 1, { at: "/p/both[left]/l" });
    expect(done).toEqual(["/p/both[left]/l", "/p/both[left]/m"]);
    expect(result).toMatchObject({ output: { left: 3, right: 2 } });
  });

  test("in a loop: the turns before", async () => {
    const loop = (work: (name: string) => Step<number, number>) =>
      pipeline("p", loopUntil("loop", work("t").to(work("u")), { until: (n) => n > 6, maxLoops: 9 }));
    const { before, done, first, result } = await forked(loop, 1, { at: "/p/loop[1]/u" });
    expect(before).toHaveLength(6);
    expect(done).toEqual(["/p/loop[1]/u", "/p/loop[2]/t", "/p/loop[2]/u"]);
    expect(result).toMatchObject({ output: (first as { output?: number }).output });
  });

  test("a whole line is a point, too", async () => {
    const loop = (work: (name: string) => Step<number, number>) =>
      pipeline("p", loopUntil("loop", work("t"), { until: (n) => n > 4, maxLoops: 9 }));
    const { done } = await forked(loop, 1, { at: "/p/loop[2]" });
    expect(done).toEqual(["/p/loop[2]/t", "/p/loop[3]/t"]);
  });

  test("in a branch: the choice", async () => {
    let chosen = 0;
    const sized = (work: (name: string) => Step<number, number>) =>
      pipeline(
        "p",
        branchOn("size", (_: number) => (chosen++ === 0 ? "big" : "small"), {
          big: work("b"),
          small: work("s"),
        }),
      );
    const { done } = await forked(sized, 1, { at: "/p/size[big]/b" });
    expect({ done, chosen }).toEqual({ done: ["/p/size[big]/b"], chosen: 1 });
  });

  test("before a branch, it is chosen anew", async () => {
    let chosen = 0;
    const sized = (work: (name: string) => Step<number, number>) =>
      pipeline(
        "p",
        work("a").to(
          branchOn("size", (_: number) => (chosen++ === 0 ? "big" : "small"), {
            big: work("b"),
            small: work("s"),
          }),
        ),
      );
    const { done } = await forked(sized, 1, { at: "/p/a" });
    expect(done).toEqual(["/p/a", "/p/size[small]/s"]);
  });

  test("where a fallback was taken: forked at the first, it has another chance; at the other, not", async () => {
    let fails = true;
    const flow = (work: (name: string) => Step<number, number>) =>
      pipeline(
        "p",
        work("before")
          .to(
            step("first", (n: number) => {
              if (fails) throw new Error("no");
              return n * 100;
            }),
          )
          .to(work("second"))
          .fallback(work("other")),
      );
    const { on, flow: made, result } = await forked(flow, 1, { at: "/p/other" });
    expect(result).toMatchObject({ status: "completed", output: 2 });
    fails = false;
    const again = await on.play(on.cast(made).runner.fork("r", { at: "/p/first" }).result());
    expect(again).toMatchObject({ output: 201 });
  });

  test("inside a body: its operations before the point, in the order of the journal", async () => {
    const ran: string[] = [];
    const body = step("body", async (n: number, ctx: Context) => {
      const one = (name: string) => ctx.run(name, () => ran.push(name));
      await one("a");
      await one("b");
      await one("c");
      return n;
    });
    const on = scene();
    await on.cast(body).run(1, { runId: "r" });
    ran.length = 0;
    await on.play(on.cast(body).runner.fork("r", { at: "/body/body:b#0" }).result());
    expect(ran).toEqual(["b", "c"]);
  });

  test("inside a body, beside the point: what had come to its end when the point had not", async () => {
    const ran: string[] = [];
    const body = step("body", async (n: number, ctx: Context) => {
      const one = (name: string, ms: number) =>
        ctx.run(name, async () => {
          ran.push(name);
          await on.wait(0);
          return new Promise((resolve) => void process.timer(ms, () => resolve(n)));
        });
      return Promise.all([one("slow", 50), one("quick", 10)]);
    });
    const on = scene();
    const { process, runner } = on.cast(body);
    await on.play(runner.run(1, { runId: "r" }));
    ran.length = 0;
    await on.play(runner.fork("r", { at: "/body/body:slow#0" }).result());
    expect(ran).toEqual(["slow"]);
  });

  test("at a later attempt of an agent: the failures of those before it", async () => {
    const model = scriptedModel({ replies: ["no", "yes", "yes"] });
    const flow = pipeline(
      "p",
      agent("a", { model, system: "Say yes." })
        .validate((text) => text === "yes")
        .retry({ attempts: 2, backoff: "1ms" }),
    );
    const on = scene();
    const { runner } = on.cast(flow, { models: models({ prices: model.prices }) });
    await on.play(runner.run("x", { runId: "r", budget: "$1" }));
    expect(model.calls).toHaveLength(2);
    await on.play(runner.fork("r", { runId: "f", at: "/p/a@2", budget: "$1" }).result());
    expect(model.calls).toHaveLength(3);
    expect((await on.journal("f")).map(({ type }) => type)).toContain("step-failed");
  });

  test("at several places in a row that are tried again together: what comes before them", async () => {
    const row = (work: (name: string) => Step<number, number>) =>
      pipeline(
        "p",
        work("a")
          .to(work("b").to(work("c")).cached())
          .to(work("d")),
      );
    const { on, flow, done } = await forked(row, 1, { at: "/p/c" });
    expect(done).toEqual(["/p/c", "/p/d"]);
    const { runner } = on.cast(flow);
    done.length = 0;
    await on.play(runner.fork("r", { at: "/p/b..c", input: 7 }).result());
    expect(done).toEqual(["/p/b", "/p/c", "/p/d"]);
  });

  test("at the check of what came of a place: the place, and the checks before", async () => {
    const add = (by: number): Schema<number, number> => ({
      "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: Number(value) + by }) },
    });
    const both = (work: (name: string) => Step<number, number>) =>
      pipeline(
        "p",
        work("a")
          .to(work("b"))
          .validate(add(10))
          .validate(add(100))
          .to(step("end", (x) => x)),
      );
    const { on, first, done, result } = await forked(both, 1, { at: "/p/a..b:validate#1" });
    expect(done).toEqual([]);
    expect(first).toMatchObject({ output: 113 });
    expect(result).toMatchObject({ output: 113 });
    const shared = (await on.journal("f")).filter(({ type }) => type === "value-altered");
    expect(shared).toMatchObject([{ path: "/p/a..b:validate#0" }, { path: "/p/a..b:validate#1" }]);
  });

  test("behind what was tried again: the point has all its attempts once more", async () => {
    let fails = 3;
    const on = scene();
    const flow = pipeline(
      "p",
      step("a", (n: number) => n)
        .to(
          step("b", (n: number) => {
            if (fails-- > 0) throw new Error("no");
            return n;
          }),
        )
        .retry({ attempts: 3, backoff: "1ms" }),
    );
    expect((await on.cast(flow).run(1, { runId: "r" })).status).toBe("failed");
    fails = 2;
    const { runner } = on.cast(flow);
    expect((await on.play(runner.fork("r", { at: "/p/b" }).result())).status).toBe("completed");
  });

  test("people who have answered are not asked again; those after the point are", async () => {
    const ask = (name: string) => humanInTheLoop(name, { prompt: () => "Well?" });
    const flow = pipeline(
      "p",
      ask("one")
        .to(step("s", () => 1))
        .to(ask("two")),
    );
    const on = scene();
    const { runner } = on.cast(flow);
    await on.play(runner.run("x", { runId: "r" }));
    for (const name of ["one", "two"]) {
      await on.play(runner.signal("r", `/p/${name}`, { approved: true }));
      await on.play(runner.resume("r").result());
    }
    const fork = await on.play(runner.fork("r", { at: "/p/s" }).result());
    expect(fork).toMatchObject({ status: "waiting", signals: ["/p/two"] });
  });

  test("a failed run goes on where another step failed, after the code was mended", async () => {
    const on = scene();
    const flow = (work: (n: number) => number) =>
      pipeline("p", step("a", (n: number) => n + 1).to(step("b", work, { version: "1" })));
    const broken = flow(() => {
      throw new Error("broken");
    });
    expect((await on.cast(broken).run(1, { runId: "r" })).status).toBe("failed");
    const mended = on.cast(flow((n) => n * 10));
    expect(await on.play(mended.runner.fork("r", { at: "/p/b" }).result())).toMatchObject({ output: 20 });
  });
});

describe("what is changed", () => {
  test("the input of a place, of one in a map, and of the whole run", async () => {
    const each = (work: (name: string) => Step<number, number>) =>
      pipeline("p", mapOver("each", work("x").to(work("y")), { key: (n) => `k${n}` }));
    const { on, flow, result } = await forked(each, [1, 2], { at: "/p/each[k2]/y", input: 100 });
    expect(result).toMatchObject({ output: [3, 101] });
    const { runner } = on.cast(flow);
    const line = await on.play(runner.fork("r", { at: "/p/each", input: [7, 8, 9] }).result());
    expect(line).toMatchObject({ output: [9, 10, 11] });
    const whole = await on.play(runner.fork("r", { at: "/p", input: [0] }).result());
    expect(whole).toMatchObject({ output: [2] });
    const again = await on.play(runner.fork("f", { at: "/p/each[k2]/y" }).result());
    expect(again).toMatchObject({ output: [3, 101] });
    const journal = await on.journal("f");
    expect(journal.find(({ type }) => type === "input-replaced")).toMatchObject({
      path: "/p/each[k2]/y",
      output: 100,
    });
  });

  /** Two agents; what they were told, in order. */
  function talk() {
    const model = scriptedModel({ replies: ({ options: { prompt } }) => `${prompt[0]?.content}` });
    const flow = pipeline(
      "p",
      agent("one", { model, system: "First." }).to(
        agent("two", { model, system: "Second.", prompt: "P {{input}}" }),
      ),
    );
    const on = scene();
    const given = { models: models({ prices: model.prices }) };
    return { model, flow, on, given };
  }

  test("a prompt: the calls before the point are none, and the new run says what was changed", async () => {
    const { model, flow, on, given } = talk();
    const { runner } = on.cast(flow, given);
    const first = await on.play(runner.run("x", { runId: "r", budget: "$1" }));
    expect(first).toMatchObject({ output: "Second." });
    const overlay = [setting("/p/two", "system", "Other."), setting("/p/two", "prompt", "Q {{input}}")];
    const calls = model.calls.length;
    const fork = await on.play(
      runner.fork("r", { runId: "f", at: "/p/two", overlay, budget: "$1" }).result(),
    );
    expect(fork).toMatchObject({ output: "Other." });
    expect(model.calls).toHaveLength(calls + 1);
    expect(model.calls.at(-1)?.prompt).toBe("Q First.");
    const [created] = await on.journal("f");
    expect(created).toMatchObject({ overlay, forkedFrom: { runId: "r", at: "/p/two", entries: 2 } });
    const outline = await on.store.blob((created as { outline?: string }).outline ?? "");
    expect(outline).toContain("Q {{input}}"); // so that the versions of both can be compared
    const [parent, child] = ["r", "f"].map((id) => on.store.list({ idPrefix: id }));
    expect((await child)?.[0]?.fingerprint).not.toBe((await parent)?.[0]?.fingerprint);
  });

  test("what the shared part cost is told, and is no part of what the fork spends", async () => {
    const { flow, on, given } = talk();
    const { runner } = on.cast(flow, given);
    const first = await on.play(runner.run("x", { runId: "r", budget: "$1" }));
    const fork = await on.play(runner.fork("r", { runId: "f", at: "/p/two", budget: "$1" }).result());
    const [created] = await on.journal("f");
    const shared = created?.type === "run-created" ? BigInt(created.forkedFrom?.picoUsd ?? 0) : 0n;
    expect(shared).toBeGreaterThan(0n);
    expect(shared + fork.spent.picoUsd).toBe(first.spent.picoUsd);
  });

  test("what can be changed is a document, by the agents' paths as the tree has them", () => {
    const { flow } = talk();
    const each = pipeline("q", mapOver("each", flow).to(step("end", (x) => x)));
    expect(improvables(each)).toEqual({
      "/q/each[]/p/one": { system: "First." },
      "/q/each[]/p/two": { system: "Second.", prompt: "P {{input}}" },
    });
  });

  test("an overlay that does not fit is refused before anything is made", async () => {
    const { flow, on, given } = talk();
    const { runner } = on.cast(flow, given);
    await on.play(runner.run("x", { runId: "r", budget: "$1" }));
    const fork = (overlay: ForkOptions["overlay"]) =>
      on.play(runner.fork("r", { runId: "f", at: "/p/two", ...(overlay && { overlay }) }).result());
    await expect(fork([setting("/p/three", "system", "")])).rejects.toThrow(
      "there is nothing at /p/three that an overlay can change",
    );
    await expect(fork([setting("/p/two", "tools", [])])).rejects.toThrow(
      '"tools" of agent "two" cannot be changed',
    );
    await expect(fork([setting("/p/two", "temperature", "hot")])).rejects.toThrow("takes a number");
    await expect(fork([setting("/p/two", "system", "{{nonsense}}")])).rejects.toThrow("nonsense");
    await expect(fork([{ op: "test", path: "/~1p~1two/system", value: "no" }])).rejects.toThrow(
      "does not fit",
    );
    expect(await on.store.read("f", 0, 1)).toBeUndefined();
  });
});

describe("a run that has undone what it did", () => {
  /** Books, and unbooks when what comes after fails. */
  function trip() {
    const log: string[] = [];
    let fails = true;
    const book = step("book", (n: number) => {
      log.push("book");
      return n;
    }).compensate("unbook", () => void log.push("unbook"));
    const pay = step("pay", (n: number) => {
      if (fails) throw new Error("no money");
      return n * 10;
    });
    const mend = () => {
      fails = false;
    };
    return { log, mend, book, pay };
  }

  test("is not forked behind what is undone; at it, or before, it is done anew", async () => {
    const { log, mend, book, pay } = trip();
    const on = scene();
    const { runner } = on.cast(
      pipeline(
        "p",
        step("ask", (n: number) => n)
          .to(book)
          .to(pay),
      ),
    );
    expect((await on.play(runner.run(1, { runId: "r" }))).status).toBe("failed");
    mend();
    const behind = on.play(runner.fork("r", { at: "/p/pay" }).result());
    await expect(behind).rejects.toThrow("would share what run r has undone: /p/book");
    expect(await on.play(runner.fork("r", { at: "/p/book" }).result())).toMatchObject({ output: 10 });
    expect(log).toEqual(["book", "unbook", "book"]);
    await expect(on.play(runner.fork("r", { at: "/p/book@undo/unbook" }).result())).rejects.toThrow(
      "undoes something",
    );
  });

  test("undone for a fallback that is shared, it may be; nothing is undone again", async () => {
    const { log, book, pay } = trip();
    const flow = pipeline(
      "p",
      book
        .to(pay)
        .fallback(step("wait", (n: number) => n))
        .to(step("end", (n) => n)),
    );
    const on = scene();
    const { runner } = on.cast(flow);
    await on.play(runner.run(1, { runId: "r" }));
    expect(await on.play(runner.fork("r", { at: "/p/end" }).result())).toMatchObject({ output: 1 });
    await expect(on.play(runner.fork("r", { at: "/p/pay" }).result())).rejects.toThrow("has undone: /p/book");
    expect(log).toEqual(["book", "unbook"]);
  });

  test("what could not be undone for such a fallback is not tried again", async () => {
    const { log, pay } = trip();
    const stuck = step("stuck", (n: number) => n).compensate("unstick", () => {
      log.push("unstick");
      throw new Error("it is stuck");
    });
    const wait = step("wait", (n: number) => n).to(step("end", (n: number) => n));
    const on = scene();
    const { runner } = on.cast(pipeline("p", stuck.to(pay).fallback(wait)));
    await on.play(runner.run(1, { runId: "r" }));
    expect(await on.play(runner.fork("r", { at: "/p/end" }).result())).toMatchObject({ output: 1 });
    expect(log).toEqual(["unstick"]);
  });

  test("a fork that fails does not undo what the other run has done, and still counts on", async () => {
    const log: string[] = [];
    const undone = (name: string) =>
      step(name, (n: number) => n).compensate(`un${name}`, () => void log.push(`un${name}`));
    let fails = false;
    const last = step("last", (n: number) => {
      if (fails) throw new Error("no");
      return n;
    });
    const on = scene();
    const { runner } = on.cast(pipeline("p", undone("a").to(undone("b")).to(last)));
    await on.play(runner.run(1, { runId: "r" }));
    fails = true;
    expect((await on.play(runner.fork("r", { at: "/p/b" }).result())).status).toBe("failed");
    expect(log).toEqual(["unb"]);
  });
});

describe("refusals", () => {
  const chain = pipeline("p", step("a", (n: number) => n + 1).to(step("b", (n: number) => n + 1)));

  test("a point that is not recorded; an input inside a body; a run id that is taken", async () => {
    const on = scene();
    const { runner } = on.cast(chain);
    await on.play(runner.run(1, { runId: "r" }));
    await on.play(runner.run(1, { runId: "other" }));
    const fork = (options: ForkOptions) => on.play(runner.fork("r", options).result());
    await expect(fork({ at: "/p/c" })).rejects.toThrow("run r has nothing recorded at /p/c");
    await expect(fork({ at: "/p/a", runId: "other" })).rejects.toThrow("there is a run other already");
    const missing = on.play(runner.fork("none", { at: "/p/a" }).result());
    await expect(missing).rejects.toThrow("there is no run none");
  });

  test("an input for what is no place: a line, an operation", async () => {
    const on = scene();
    const { runner } = on.cast(
      pipeline(
        "p",
        mapOver(
          "each",
          step("x", (n: number, ctx) => ctx.run("op", () => n)),
        ),
      ),
    );
    await on.play(runner.run([1], { runId: "r" }));
    const fork = (at: string) => on.play(runner.fork("r", { at, input: 2 }).result());
    await expect(fork("/p/each[0]")).rejects.toMatchObject({
      hint: "Fork at /p/each[0]/x to give it another one.",
    });
    await expect(fork("/p/each[0]/x:op#0")).rejects.toMatchObject({
      hint: "Fork at /p/each[0]/x to give it another one.",
    });
  });

  test("a shared part that has changed, unless it is forced; what follows may change", async () => {
    const on = scene();
    await on.cast(chain).run(1, { runId: "r" });
    const changed = pipeline("p", step("a", (n: number) => n + 2).to(step("b", (n: number) => n * 100)));
    const { runner } = on.cast(changed);
    await expect(on.play(runner.fork("r", { at: "/p/b" }).result())).rejects.toThrow("/p/a");
    expect(await on.play(runner.fork("r", { at: "/p/b", forceVersion: true }).result())).toMatchObject({
      output: 200,
    });
    expect(await on.play(runner.fork("r", { at: "/p/a" }).result())).toMatchObject({ output: 300 });
  });
});

describe("among crashes", () => {
  const work = (done: string[]) =>
    pipeline(
      "p",
      ["a", "b", "c"]
        .map((name) =>
          step(name, (n: number) => {
            done.push(name);
            return n + 1;
          }),
        )
        .reduce((before, next) => before.to(next)),
    );

  test.each(
    [1, 2, 3, 4].flatMap((commit) => (["before", "after"] as const).map((when) => ({ commit, when }))),
  )("a kill %j: the same again goes on, and nothing that is shared is done", async (crash: CrashPoint) => {
    const kept = memory();
    const on = scene({ store: kept });
    const done: string[] = [];
    await on.cast(work([])).run(1, { runId: "r" });
    const dying = on.cast(work(done), { crash });
    const dead = dying.runner.fork("r", { runId: "f", at: "/p/b" }).result();
    dead.catch(() => {});
    await on.play(Promise.race([dead, on.wait(60_000)]), { ms: 120_000 }).catch(() => {});
    const { runner } = on.cast(work(done));
    const result = await on.play(runner.fork("r", { runId: "f", at: "/p/b" }).result());
    expect(result).toMatchObject({ status: "completed", output: 4 });
    expect(done).not.toContain("a");
    const journal = await on.journal("f");
    expect(journal.filter(({ type }) => type === "run-created")).toHaveLength(1);
    expect(journal.map(({ seq }) => seq)).toEqual(journal.map((_, i) => i));
  });

  test("a fork is resumed with its overlay, and replays", async () => {
    const model = scriptedModel({ replies: ({ options: { prompt } }) => `${prompt[0]?.content}` });
    const flow = pipeline("p", step("s", (x: string) => x).to(agent("a", { model, system: "First." })));
    const on = scene();
    const given = { models: models({ prices: model.prices }) };
    await on.cast(flow, given).run("x", { runId: "r", budget: "$1" });
    const overlay = [setting("/p/a", "system", "Other.")];
    const dying = on.cast(flow, { ...given, crash: { commit: 2, when: "after" } });
    dying.runner
      .fork("r", { runId: "f", at: "/p/a", overlay })
      .result()
      .catch(() => {});
    await on.wait(60_000);
    const { runner } = on.cast(flow, given);
    expect(await on.play(runner.resume("f").result())).toMatchObject({ output: "Other." });
    expect(await on.play(runner.replay("f"))).toMatchObject({ same: true });
  });
});
