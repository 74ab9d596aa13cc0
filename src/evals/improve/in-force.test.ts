import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { agent } from "../../agents/agent.ts";
import { models } from "../../agents/models.ts";
import { pipeline, step } from "../../core/compose.ts";
import { humanInTheLoop } from "../../core/pauses.ts";
import { withOverlay } from "../../engine/with-overlay.ts";
import { scene } from "../../testing/scene.ts";
import { scriptedModel } from "../../testing/scripted-model.ts";
import { documentOf, patchBetween, type Values, valuesOf } from "./document.ts";
import {
  emptyOverlayFile,
  type OverlayFile,
  patchesInForce,
  standing,
  withApplied,
  withReverted,
} from "./overlay-file.ts";
import { patchFile } from "./patch-file.ts";

/** Says what both agents were told, before and after a person's word; a setting stands in between. */
function talk() {
  const model = scriptedModel({ replies: ({ options: { prompt } }) => `${prompt[0]?.content}` });
  const flow = pipeline(
    "p",
    agent("one", { model, system: "A0" })
      .to(humanInTheLoop("ask", { prompt: (said: string) => said, answer: z.string() }))
      .to(
        step("join", (said: string, { settings }) => `${said} ${settings.word}`, {
          settings: { word: { type: "text", value: "W0" } },
        }),
      )
      .to(agent("two", { model, system: "B0 {{input}}" })),
  );
  return { flow, given: { models: models({ prices: model.prices }) } };
}

type Act =
  | { readonly kind: "apply"; readonly field: "one" | "join" | "two"; readonly to: number }
  | { readonly kind: "revert" | "begin" | "finish" };

const acts = fc.array(
  fc.oneof(
    fc.record({
      kind: fc.constant("apply" as const),
      field: fc.constantFrom("one" as const, "join" as const, "two" as const),
      to: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({ kind: fc.constantFrom("revert" as const, "begin" as const, "finish" as const) }),
  ),
  { minLength: 4, maxLength: 14 },
);

/** A patch over what is in force: another word in one of three places. */
function patchOf(values: Values, fingerprint: string, { field, to }: Extract<Act, { kind: "apply" }>) {
  const [key, text] = {
    one: ["system", `A${to}`],
    join: ["word", `W${to}`],
    two: ["system", `B${to} {{input}}`],
  }[field] as [string, string];
  const place = `/p/${field}`;
  const after = { ...values, [place]: { ...values[place], [key]: text } };
  return patchFile({ pipeline: "p", fingerprint, values }, patchBetween(values, after));
}

test("whatever is applied and taken back meanwhile, each run ends as it began", async () => {
  let finished = 0;
  await fc.assert(
    fc.asyncProperty(acts, async (script) => {
      const { flow, given } = talk();
      const on = scene();
      const base = valuesOf(documentOf(flow)) as Values;
      const { fingerprint } = documentOf(flow);
      let file: OverlayFile = emptyOverlayFile;
      const waiting: { readonly runId: string; readonly said: string }[] = [];
      const now = () => standing(patchesInForce(file, "p"), base);
      const runner = async () => on.cast(await withOverlay(flow, now().overlay), given).runner;
      const change = { at: "2026-01-01T00:00:00Z", base };
      const finish = async (): Promise<void> => {
        const run = waiting.shift();
        if (run === undefined) return;
        const { runId, said } = run;
        const going = await runner();
        await on.play(going.signal(runId, "/p/ask", "hi"));
        expect(await on.play(going.resume(runId).result())).toMatchObject({ output: said });
        finished += 1;
      };
      for (const [i, act] of [...script, ...script.map(() => ({ kind: "finish" }) as const)].entries()) {
        if (act.kind === "finish") await finish();
        else if (act.kind === "revert") {
          if (patchesInForce(file, "p").length > 0) file = withReverted(file, "p", change).file;
        } else if (act.kind === "apply") {
          const patch = patchOf(now().values, fingerprint, act);
          const isNew =
            patch.patch.length > 0 && patchesInForce(file, "p").every(({ id }) => id !== patch.id);
          if (isNew) file = withApplied(file, patch, change);
        } else {
          const { values } = now();
          const second = `${values["/p/two"]?.system}`.replace("{{input}}", `hi ${values["/p/join"]?.word}`);
          waiting.push({ runId: `r${i}`, said: second });
          await on.play((await runner()).run("x", { runId: `r${i}` }));
        }
      }
    }),
    { numRuns: 40, seed: 31 },
  );
  expect(finished).toBeGreaterThan(40);
});
