import { join } from "node:path";
import { Mastra } from "@mastra/core";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { LibSQLStore } from "@mastra/libsql";
import { z } from "zod";
import { measure, result } from "./shared/harness.ts";

const Whole = z.number();
const Result = z.object({ step: z.number(), ok: z.boolean(), text: z.string() });
let started = 0;

/** A workflow of so many steps in a row: Mastra's steps are named once each, so the chain is as long as its definition. */
function chainOf(steps: number, thenWait = false) {
  // The builder's type grows with every link, which no compiler bears a thousand times.
  let flow: any = createWorkflow({ id: `chain-${steps}${thenWait ? "-wait" : ""}`, inputSchema: Whole, outputSchema: z.any() });
  for (let n = 0; n < steps; n++) {
    flow = flow.then(
      createStep({ id: `step-${n}`, inputSchema: z.any(), outputSchema: Result, execute: async () => result(n) }),
    );
  }
  if (thenWait) {
    flow = flow.then(
      createStep({
        id: "last",
        inputSchema: z.any(),
        outputSchema: Whole,
        resumeSchema: z.object({ go: z.boolean() }),
        execute: async ({ resumeData, suspend }) => {
          if (!resumeData) return await suspend({});
          started = performance.now();
          return steps;
        },
      }),
    );
  }
  return flow.commit();
}

const fanoutFlow = () =>
  createWorkflow({ id: "fanout", inputSchema: z.array(Whole), outputSchema: z.array(Result) })
    .foreach(createStep({ id: "one", inputSchema: Whole, outputSchema: Result, execute: async ({ inputData }) => result(inputData) }), {
      concurrency: 16,
    })
    .commit();

/** Which workflows each workload needs: a long one takes long to define. */
function flowsFor(workload: string | undefined): Record<string, unknown> {
  const flows: Record<string, unknown> = { fanout: fanoutFlow() };
  for (const n of workload === "growth" ? [50, 2_000] : [5, 50, 100, 1_000]) flows[`chain-${n}`] = chainOf(n);
  if (workload === "resume") for (const n of [5, 1_000]) flows[`chain-${n}-wait`] = chainOf(n, true);
  return flows;
}

await measure({
  name: "Mastra",
  packages: ["@mastra/core", "@mastra/libsql"],
  store: "LibSQL file (its defaults)",
  survives: "kill",
  // Memory grows with the square of the steps: 3,000 took 8 GB, so 10,000 are not asked for.
  counts: { growth: 2_000, resumeLarge: 0 },
  async open(folder) {
    const open = () => {
      const flows = flowsFor(process.argv[2]);
      const storage = new LibSQLStore({ id: "bench", url: `file:${join(folder, "mastra.db")}` });
      return { storage, mastra: new Mastra({ storage, workflows: flows as never, logger: false }) };
    };
    let system = open();
    const start = async (flow: string, id: string, inputData: unknown) => {
      const run = await (system.mastra.getWorkflow(flow as never) as ReturnType<typeof chainOf>).createRun({ runId: id });
      const outcome = await run.start({ inputData });
      if (outcome.status === "failed") throw outcome.error;
      return outcome;
    };
    return {
      async chain(id, steps) {
        await start(`chain-${steps}`, id, 0);
      },
      async fanout(id, items) {
        await start("fanout", id, Array.from({ length: items }, (_, n) => n));
      },
      async resume(id, steps) {
        const flow = `chain-${steps}-wait`;
        await start(flow, id, 0);
        await system.storage.close();
        system = open();
        const from = performance.now();
        const run = await (system.mastra.getWorkflow(flow as never) as ReturnType<typeof chainOf>).createRun({ runId: id });
        const outcome = await run.resume({ step: "last", resumeData: { go: true } });
        if (outcome.status !== "success") throw new Error(`error: resumed to ${outcome.status}`);
        return started - from;
      },
      close: () => system.storage.close(),
    };
  },
});
