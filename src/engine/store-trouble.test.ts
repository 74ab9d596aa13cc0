import { expect, test } from "vitest";
import * as z from "zod";
import { agent } from "../agents/agent.ts";
import { models } from "../agents/models.ts";
import { tool } from "../agents/tool.ts";
import { branchOn, loopUntil, mapOver, parallel, pipeline, step } from "../core/compose.ts";
import type { Context } from "../core/context.ts";
import type { Entry } from "../core/entries.ts";
import { StoreUnavailableError } from "../core/errors.ts";
import { humanInTheLoop, sleep, waitFor } from "../core/pauses.ts";
import type { Falters } from "../testing/faltering-store.ts";
import { scene } from "../testing/scene.ts";
import { type ScriptedCall, scriptedModel } from "../testing/scripted-model.ts";

const large = (text: string): string => text.padEnd(9_000, "."); // kept aside
const short = (text: string): string => text.slice(0, 10).replaceAll(".", "");

/** Everything that asks a store for something while it advances, with a way out wherever a failure would be taken for one. */
function everything() {
  const on = scene();
  const model = scriptedModel({
    world: on.world.process("provider"),
    replies: ({ prompt, options }: ScriptedCall) =>
      prompt.startsWith("ask") && options.prompt.length === 2
        ? { toolCalls: [{ name: "look", input: { what: "it" } }] }
        : { text: "answered", pieceMs: 5 },
  });
  const look = tool("look", {
    description: "Looks.",
    input: z.object({ what: z.string() }),
    onUnknown: "retry",
    execute: () => large("seen"),
  });
  const ask = agent("ask", {
    model,
    system: "",
    prompt: (text: string) => `ask ${short(text)}`,
    tools: [look],
  });
  const tell = agent("tell", { model, system: "", prompt: (text: string) => `tell ${text}`, stream: true });
  const made = step("made", (text: string) => large(text));
  const book = step("book", (text: string) => large(text)).compensate(step("unbook", () => {}));
  const doomed = book.to("fall", (): string => {
    throw new Error("no");
  });
  const body = step("body", async (text: string, ctx: Context) => {
    const found = await ctx.run("fetch", () => large(`${short(text)}!`));
    await ctx.sleep("nap", "1s");
    return found;
  });
  const spare = (name: string) => step(name, (_: unknown) => "spare");
  const whole = pipeline(
    "p",
    made
      .to(body.fallback(spare("nobody")))
      .to(step("kept", (text: string) => large(short(text))).cached())
      .to(
        branchOn(
          "which",
          (text: string) => short(text),
          { "x!": made.retry({ attempts: 2 }) },
          { otherwise: spare("otherwise") },
        ),
      )
      .to(loopUntil("loop", made, { until: (_, { count }) => count === 2, maxLoops: 3 }))
      .to("list", (text) => [text, large("other")])
      .to(mapOver("each", made.to(step("cut", short)), { onFailure: "collect" }))
      .to("joined", (all) => large(all.map((one) => (one.ok ? one.value : one.error.code)).join("+")))
      .to(parallel("both", { asked: ask.fallback(spare("unasked")), told: step("shorter", short).to(tell) }))
      .to("one", ({ asked, told }) => large(`${asked} ${told}`))
      .to(doomed.fallback(step("instead", (text: string) => text)))
      .to(
        humanInTheLoop("leave", { prompt: short }).fallback(step("no", (_: string) => ({ approved: false }))),
      )
      .to(sleep("rest", "2h"))
      .to(waitFor("word"))
      .to("end", (word) => `ended with ${word}`),
  );
  const options = {
    models: models({ prices: model.prices }),
    scopes: [{ scope: "tenant:acme", cost: "$9" }] as const,
    takeOver: false,
  };
  return { ...on, whole, options };
}

/** Goes on with a run until it has ended, each time in another process; the store of the first ones falters. */
async function lived(falters: Falters) {
  const on = everything();
  const { whole, options } = on;
  for (let tries = 0; tries < 30; tries++) {
    const { runner } = on.cast(whole, { ...options, falters });
    await on.play(runner.run("x", { runId: "r" }).catch(() => {}));
    const last = (await on.journal("r")).at(-1);
    if (last?.type === "run-completed" || last?.type === "run-failed") break;
    await on.wait(40_000); // its lease may not have been given back
    if (last?.type !== "run-waiting") continue;
    for (const { path, kind, due } of last.waits ?? []) {
      if (kind === "timer") await on.wait(Math.max(0, (due ?? 0) - on.world.now()));
      else {
        const answer = kind === "human" ? { approved: true } : "word";
        await on.play(
          on
            .cast(whole, options)
            .runner.signal("r", path, answer)
            .catch(() => {}),
        );
      }
    }
  }
  return on.journal("r");
}

/** What there is of failures in a journal. */
const failuresIn = (journal: readonly Entry[]): readonly string[] =>
  journal.flatMap((entry) =>
    /-failed$|^(fallback-taken|retry-scheduled|failure-collected)$/.test(entry.type)
      ? [`${entry.type} ${"path" in entry ? entry.path : ""}`]
      : [],
  );

const away = new StoreUnavailableError("the store is away", { retryable: true });
const unknown = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });

test.each([
  ["before it has done what it was asked for", { when: "before", error: away }],
  ["after that, with an error that nobody knows", { when: "after", error: unknown }],
] as const)(
  "wherever in a run its store does not answer, %s, nothing of the run has failed: it goes on elsewhere",
  async (_, falter) => {
    const methods: string[] = [];
    const undisturbed = await lived((method) => void methods.push(method));
    const failures = failuresIn(undisturbed);
    expect(failures).toEqual(["step-failed /p/fall", "fallback-taken /p/book..fall"]);
    expect(new Set(methods).size).toBe(10);
    for (const [call, method] of methods.entries()) {
      let calls = 0;
      const journal = await lived(() => (calls++ === call ? falter : undefined));
      expect([call, method, failuresIn(journal), journal.at(-1)]).toMatchObject([
        ...[call, method, failures],
        { type: "run-completed", output: "ended with word" },
      ]);
    }
  },
);
