import { describe, expect, test } from "vitest";
import { agent } from "../../agents/agent.ts";
import { models } from "../../agents/models.ts";
import { pipeline } from "../../core/compose.ts";
import { picoUsd, type Usd } from "../../core/limits.ts";
import type { Step } from "../../core/step.ts";
import { Runner } from "../../engine/runner.ts";
import type { Store } from "../../ports/store.ts";
import { memory } from "../../stores/memory.ts";
import { type CrashPoint, crashingStore } from "../../testing/crash-store.ts";
import { type ScriptedCall, scriptedModel } from "../../testing/scripted-model.ts";
import { virtualWorld } from "../../testing/virtual-world.ts";
import type { Case, Split } from "../dataset/case.ts";
import { datasetOf } from "../dataset/dataset.ts";
import { judge } from "../scorers/judge.ts";
import { type Scorer, scorer } from "../scorers/scorer.ts";
import { improve, improveInput, type SearchTerms } from "./improve.ts";
import type { Improvement } from "./improvement.ts";

/** Capitals and an exclamation mark are wanted; the clerk does what its system prompt says. */
const shouted = ({ options, prompt }: ScriptedCall): string => {
  const system = JSON.stringify(options.prompt.filter(({ role }) => role === "system"));
  const text = system.includes("Shout") ? prompt.toUpperCase() : prompt;
  return system.includes("Exclaim") ? `${text}!` : text;
};

const style = scorer(
  "style",
  ({ output, input }) => {
    const said = String(output);
    const [loud, keen] = [said.startsWith(String(input).toUpperCase()), said.endsWith("!")];
    const feedback = [loud ? "" : "Shout it.", keen ? "" : "Exclaim it."].filter((one) => one !== "");
    return { score: (Number(loud) + Number(keen)) / 2, feedback: feedback.join("\n") };
  },
  { version: 1 },
);

/** Takes the lesson of the first feedback. */
const coached = ({ prompt }: Pick<ScriptedCall, "prompt">): string => {
  const value: string = JSON.parse(/^Value: (.*)$/m.exec(prompt)?.[1] ?? '""');
  const lesson = /Feedback: "(Shout|Exclaim) it/.exec(prompt)?.[1] ?? "Nothing";
  return answering([{ op: "replace", path: "/~1desk~1clerk/system", value: `${value}\n${lesson} it.` }]);
};
const answering = (patch: unknown): string => JSON.stringify({ note: "so it seems", patch });

const casesOf = (each: number): Case[] =>
  (["train", "validation", "test"] as Split[]).flatMap((split) =>
    Array.from({ length: each }, (_, i) => ({ id: `${split}-${i}`, input: `${split} word ${i}`, split })),
  );

interface Setup {
  readonly each?: number;
  readonly scorers?: readonly Scorer[];
  readonly reflector?: object | null;
  readonly terms?: SearchTerms;
}

/** A clerk that is improved, with whoever coaches it, on a store that survives; each process may die somewhere. */
function stage({ each = 8, scorers = [style], reflector, terms = {} }: Setup = {}) {
  const store = memory();
  const world = virtualWorld({ seed: 1 });
  const clerk = scriptedModel({ id: "clerk", replies: shouted });
  const coach = reflector === undefined ? scriptedModel({ id: "coach", replies: coached }) : reflector;
  const desk = pipeline(
    "desk",
    agent("clerk", { model: clerk, system: "Repeat the words.", prompt: (word: string) => word }),
  );
  const setting = {
    models: models({ prices: { "scripted:clerk": price, "scripted:coach": price } }),
    takeOver: false,
  };
  const dataset = datasetOf("words", casesOf(each));
  const task = desk as Step<never, unknown, never>;
  const how = { task, scorers, ...(coach === null ? {} : { reflector: coach }) };
  const scopes = terms.budget === undefined ? [] : [{ scope: "improve:i", cost: terms.budget }];

  /** Goes on with the search in a process of its own. */
  async function run(crash?: CrashPoint): Promise<Improvement | "died" | string> {
    const process = world.process("process");
    const own = crashingStore(store, { process, crash });
    const engine = { ...setting, world: process, store: own, scopes };
    const flujo = new Runner(task, engine);
    const improver = new Runner(improve({ ...how, flujo, store: own as Store, concurrency: 3 }), engine);
    const running = improver.run(improveInput(how, dataset, terms), { runId: "i" });
    let result: Awaited<typeof running> | undefined;
    running.then(
      (one) => {
        result = one;
      },
      () => {},
    );
    await world.run(() => result !== undefined || !process.isAlive);
    if (result === undefined) return "died";
    return result.status === "completed" ? result.output : result.status;
  }
  return { run, store, clerk, desk, dataset };
}
const price = { input: "$1", output: "$2" } as const;

async function ended(setup: Setup = {}): Promise<Improvement> {
  const result = await stage(setup).run();
  if (typeof result === "string") throw new Error(`the search ${result}`);
  return result;
}

describe("improve", () => {
  test("finds what the scorer wants, and proves it on the test split", async () => {
    const { best, base, promotion, search, candidates } = await ended();
    expect(best.patch).toEqual([
      { op: "test", path: "/~1desk~1clerk/system", value: "Repeat the words." },
      { op: "replace", path: "/~1desk~1clerk/system", value: "Repeat the words.\nShout it.\nExclaim it." },
    ]);
    expect(promotion).toMatchObject({ verdict: "promote", look: 1, difference: { mean: 1, cases: 8 } });
    expect(search.stopped).toBe("perfect");
    expect(candidates.map(({ score }) => score)).toEqual([0, 0.5, 1]);
    expect(best.parents).not.toContain(base.id);
  });

  test("looks at the test split only once it has something to prove, and counts the looks", async () => {
    const nothing = await ended({ reflector: scriptedModel({ id: "coach", replies: ["I do not know."] }) });
    expect(nothing.promotion).toBeUndefined();
    expect(nothing.best).toEqual(nothing.base);
    expect(nothing.search).toMatchObject({ stopped: "no-progress", proposals: { made: 40, refused: 40 } });
    expect(nothing.search.proposals.faults).toEqual(["the answer is no JSON"]);
  });

  test("without a reflector, rules take what the feedback says", async () => {
    const { best, promotion, reflector } = await ended({ reflector: null });
    expect(reflector).toBeNull();
    expect(best.by).toMatch(/^rule:|^merge$/);
    expect(promotion?.verdict).toBe("promote");
  });

  test("a scorer that throws and a judge that talks nonsense are scores of 0, and hold nothing up", async () => {
    const throwing = scorer("throwing", () => JSON.parse("{"), { version: 1 });
    const nonsense = judge({ model: scriptedModel({ id: "coach", replies: ["42"] }), rubric: "It shouts." });
    const { best, base, search, candidates } = await ended({ each: 4, scorers: [throwing, nonsense] });
    expect(candidates).toEqual([{ candidate: base, score: 0, cases: 4 }]);
    expect(best).toEqual(base);
    expect(search.stopped).toBe("no-progress");
    const half = await ended({ scorers: [style, throwing] });
    expect(half.candidates.at(-1)?.score).toBe(0.5);
    expect(half.promotion?.difference.mean).toBe(0.5);
  });

  test("nothing of an invalid or malicious proposal is tried", async () => {
    const path = "/~1desk~1clerk/system";
    const attacks = [
      "{",
      "[]",
      answering("rm -rf"),
      answering([{ op: "replace", path: "/~1desk~1other/system", value: "x" }]),
      answering([{ op: "add", path: "/~1desk~1clerk/tools", value: "x" }]),
      answering([{ op: "add", path: "/__proto__/polluted", value: true }]),
      answering([{ op: "add", path: "/constructor/prototype/polluted", value: true }]),
      answering([{ op: "replace", path, value: { toString: "x" } }]),
      answering([{ op: "replace", path, value: "x".repeat(1_000_000) }]),
      answering([{ op: "move", from: path, path: "/~1desk" }]),
      answering([{ op: "remove", path: "" }]),
      '{"__proto__": {"patch": []}}',
    ];
    const asked: string[] = [];
    const reflector = scriptedModel({
      id: "coach",
      replies: ({ prompt }) => {
        asked.push(prompt);
        return attacks[asked.length % attacks.length] as string; // within the list
      },
    });
    const { clerk, run } = stage({ reflector });
    const result = (await run()) as Improvement; // it ends
    expect(asked.length).toBeGreaterThanOrEqual(2 * attacks.length);
    expect(result.best).toEqual(result.base);
    const { made, refused, known } = result.search.proposals;
    expect(refused + known).toBe(made); // a patch of nothing is the base again
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    const systems = clerk.calls.map(({ options }) => JSON.stringify(options.prompt[0]));
    expect(new Set(systems).size).toBe(1);
  });

  test("killed before or after any of its writes, it goes on and comes to the same, byte for byte", async () => {
    const setup = { each: 4, scorers: [style, judge({ model: judging(), rubric: "It shouts." })] };
    const calm = stage(setup);
    const expected = await calm.run();
    expect(expected).toMatchObject({ search: { stopped: "perfect" } });
    const asked = calm.clerk.calls.length;
    let deaths = 0;
    for (let commit = 1; ; commit += 3) {
      const when = commit % 2 === 0 ? "before" : "after";
      const { run, clerk } = stage(setup);
      const first = await run({ commit, when });
      if (first !== "died") break;
      deaths += 1;
      expect(JSON.stringify(await run()), `died at commit ${commit}`).toBe(JSON.stringify(expected));
      // At most what was under way when it died is asked again.
      expect(clerk.calls.length).toBeLessThanOrEqual(asked + 3);
    }
    expect(deaths).toBeGreaterThan(20);
  });

  test("whatever the budget, it holds; and what was found with it is proven with it", async () => {
    const outcomes = new Map<string, number>();
    for (let thousandths = 1; thousandths <= 20; thousandths += 1) {
      const budget: Usd = `$${thousandths / 1_000}`;
      const { run, store } = stage({ terms: { budget } });
      const result = await run();
      const [account] = await store.accounts({ scopes: ["improve:i"] });
      expect(BigInt(account?.posted.picoUsd ?? 0)).toBeLessThanOrEqual(picoUsd(budget));
      const kind = typeof result === "string" ? result : (result.promotion?.verdict ?? "nothing");
      if (typeof result !== "string" && result.best.id !== result.base.id)
        expect(result.promotion).toBeDefined();
      outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
    }
    // Too little to find anything halts, to be gone on with; what is found is proven with what is left, as far as that goes.
    expect([...outcomes.keys()]).toEqual(["halted", "insufficient-evidence", "promote"]);
  });
});

const judging = () =>
  scriptedModel({ id: "coach", replies: [JSON.stringify({ reason: "it does", points: 5 })] });
