import { describe, expect, it } from "vitest";
import { mapOver, parallel, pipeline, step } from "../core/compose.ts";
import type { Context } from "../core/context.ts";
import type { Step } from "../core/step.ts";
import { scene } from "../testing/scene.ts";

/** How often each body ran. */
type Runs = Map<string, number>;

/** Items one of which fails, a trip that has another way, two branches one of which fails the whole: all can be undone. */
function trip(runs: Runs) {
  const count = (name: string): void => void runs.set(name, (runs.get(name) ?? 0) + 1);
  const book = (name: string, fails = 0): Step<string, string> =>
    step(name, (text: string, { attempt }: Context) => {
      if (attempt <= fails) throw new Error("not yet");
      count(name);
      return text;
    }).compensate(
      step(`un${name}`, async (_: unknown, ctx) => {
        await ctx.run("call", () => count(`un${name}`));
      }).to("told", () => {}),
    );
  const fail = (name: string): Step<string, string> =>
    step(name, async (_: string, ctx): Promise<string> => {
      await ctx.sleep("a while", "1s");
      throw new Error("no");
    });
  const check = step("check", (text: string) => {
    if (text === "bad") throw new Error("sold out");
    return text;
  });
  const orders = mapOver("orders", book("order").to(check), { onFailure: "collect", key: (item) => item });
  return pipeline(
    "p",
    orders
      .to("next", () => "go")
      .to(book("seat", 1).retry({ attempts: 2 }))
      .to(book("flight").to(fail("hotel")).fallback(book("train")))
      .to(parallel("both", { car: book("car").to(fail("fuel")), boat: book("boat").to(book("crew")) })),
  );
}

const undone = [
  "/p/orders[bad]/order",
  "/p/flight",
  "/p/both[boat]/crew",
  "/p/both[boat]/boat",
  "/p/both[car]/car",
  "/p/train",
  "/p/seat",
  "/p/orders[good]/order",
];

/** The first process crashes at a commit; others go on until the run has come to its end. */
async function lived(crash: { commit: number; when: "before" | "after" } | undefined) {
  const on = scene();
  const runs: Runs = new Map();
  const made = trip(runs);
  const first = on.cast(made, { takeOver: false, ...(crash === undefined ? {} : { crash }) });
  first.runner
    .start(["good", "bad"], { runId: "r" })
    .result()
    .catch(() => {});
  await on.wait(60_000);
  const result = await on.cast(made).run(["good", "bad"], { runId: "r" });
  return { result, runs, entries: await on.journal("r"), commits: first.store.commits };
}

describe("a process that dies at any commit", async () => {
  const { commits } = await lived(undefined);
  const numbers = Array.from({ length: commits }, (_, i) => i + 1);
  const points = (["before", "after"] as const).flatMap((when) =>
    numbers.map((commit) => ({ commit, when })),
  );
  const beside = (path: string): boolean => path.startsWith("/p/both");

  it("meets with all of it", () => expect(commits).toBeGreaterThan(20));

  it.each(points)("$when commit $commit: everything is undone once, the last first", async (crash) => {
    const { result, runs, entries } = await lived(crash);
    expect(result).toMatchObject({ status: "failed", undone: { left: [] } });
    const pathsOf = (type: string): string[] =>
      entries.flatMap((entry) => (entry.type === type && "path" in entry ? [entry.path] : []));
    const completed = pathsOf("compensation-completed");
    expect(completed.toSorted()).toEqual(undone.toSorted());
    expect(completed.filter((path) => !beside(path))).toEqual(undone.filter((path) => !beside(path)));
    const owed = pathsOf("compensation-owed").filter(beside);
    expect(completed.filter(beside)).toEqual(owed.reverse());
    for (const [name, times] of runs) expect(times).toBeLessThanOrEqual(name.endsWith("order") ? 4 : 2); // there are two orders
  });

  it.each(points)("$when commit $commit, and is cancelled: all that is recorded is undone", async (crash) => {
    const on = scene();
    const made = trip(new Map());
    const first = on.cast(made, { takeOver: false, crash });
    first.runner
      .start(["good", "bad"], { runId: "r" })
      .result()
      .catch(() => {});
    await on.wait(60_000);
    const desk = on.cast(made, { takeOver: false });
    await on.play(desk.runner.cancel("r").catch(() => {})); // it has failed meanwhile, or never begun
    const entries = await on.journal("r");
    const undone = entries.flatMap(({ type, ...entry }) =>
      type === "compensation-completed" && "path" in entry ? [entry.path] : [],
    );
    const booked = entries.flatMap((entry) =>
      entry.type === "step-completed" && bookings.test(entry.path) ? [entry.path] : [],
    );
    expect(undone.toSorted()).toEqual(booked.toSorted());
    expect(new Set(undone).size).toBe(undone.length);
  });
});

describe("what fails in a process that dies, and would not in the next one", () => {
  /** The first process crashes at a commit, in which the hotel is full; later it is not. */
  async function retried(crash?: { commit: number; when: "before" | "after" }) {
    const on = scene();
    let isFull = true;
    let unbooked = 0;
    const flight = step("flight", (text: string) => text).compensate(step("unbook", () => void unbooked++));
    const hotel = step("hotel", (text: string) => {
      if (isFull) throw new Error("no");
      return text;
    });
    const made = pipeline("p", flight.to(hotel));
    const first = on.cast(made, { takeOver: false, ...(crash === undefined ? {} : { crash }) });
    first.runner
      .start("x", { runId: "r" })
      .result()
      .catch(() => {});
    await on.wait(60_000);
    isFull = false;
    const journal = await on.journal("r");
    const wasOver = journal.at(-1)?.type === "run-failed";
    const result = wasOver ? undefined : await on.cast(made).run("x", { runId: "r" });
    return { status: result?.status ?? "failed", unbooked, commits: first.store.commits };
  }

  it("is undone only once it is recorded that it failed: what was undone is not gone on with", async () => {
    const { commits, ...undisturbed } = await retried();
    expect(undisturbed).toEqual({ status: "failed", unbooked: 1 });
    const ends = new Set<string>();
    for (let commit = 1; commit <= commits; commit++)
      for (const when of ["before", "after"] as const) {
        const { status, unbooked } = await retried({ commit, when });
        ends.add(status);
        if (status === "completed") expect([commit, when, unbooked]).toEqual([commit, when, 0]);
        else expect(unbooked).toBeGreaterThan(0);
      }
    expect([...ends].toSorted()).toEqual(["completed", "failed"]);
  });
});

it("what could not be undone has had its chance: whoever goes on at any commit does not try it again", async () => {
  const tried = async (crash?: { commit: number; when: "before" | "after" }) => {
    const on = scene();
    let tries = 0;
    const undo = step("undo", (): void => {
      tries++;
      throw new Error("sealed");
    });
    const made = pipeline(
      "p",
      step("other", (text: string) => text)
        .compensate(step("unother", () => {}))
        .to(step("sealed", (text: string) => text).compensate(undo))
        .to("fail", (): string => {
          throw new Error("no");
        }),
    );
    const first = on.cast(made, { takeOver: false, ...(crash === undefined ? {} : { crash }) });
    first.runner
      .start("x", { runId: "r" })
      .result()
      .catch(() => {});
    await on.wait(60_000);
    const [before, journal] = [tries, await on.journal("r")];
    const isRecorded = journal.some(({ type }) => type === "compensation-failed");
    if (journal.at(-1)?.type !== "run-failed") await on.cast(made).run("x", { runId: "r" });
    const told = (await on.journal("r")).filter(({ type }) => type === "compensation-failed").length;
    return { again: tries - before, told, isRecorded, commits: first.store.commits };
  };
  const { commits } = await tried();
  let recorded = 0;
  for (let commit = 1; commit <= commits; commit++)
    for (const when of ["before", "after"] as const) {
      const { again, told, isRecorded } = await tried({ commit, when });
      if (!isRecorded) continue;
      recorded++;
      expect([commit, when, again, told]).toEqual([commit, when, 0, 1]);
    }
  expect(recorded).toBeGreaterThan(1);
});

const bookings = /^[^@]*\/(order|flight|train|seat|car|boat|crew)$/;
