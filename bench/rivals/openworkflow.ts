import { join } from "node:path";
import { OpenWorkflow } from "openworkflow";
import { BackendSqlite } from "openworkflow/sqlite";
import { measure, result, type System } from "./shared/harness.ts";

/** One failure of a step hands the run back; 1 ms later it may be claimed again. */
const retryPolicy = { initialInterval: "1ms", maximumAttempts: 5 } as const;

await measure({
  name: "OpenWorkflow",
  packages: ["openworkflow"],
  store: "SQLite, WAL, synchronous=FULL",
  survives: "power loss",
  // It refuses a run of more than 1,000 steps: 990 leave room for the ones around them.
  counts: { chain: 990, growth: 0, resume: 990, resumeLarge: 0 },
  async open(folder): Promise<System> {
    const path = join(folder, "openworkflow.db");
    let { ow, worker, backend } = start(path);
    const finished = new Map<string, () => void>();
    let started = 0;
    let mayFail = false;

    function start(at: string) {
      const backend = BackendSqlite.connect(at);
      const ow = new OpenWorkflow({ backend });
      ow.defineWorkflow({ name: "chain" }, async ({ input, step }) => {
        const { id, steps } = input as { id: string; steps: number };
        for (let n = 0; n < steps; n++) await step.run({ name: `step-${n}` }, async () => result(n));
        queueMicrotask(() => finished.get(id)?.());
        return steps;
      });
      ow.defineWorkflow({ name: "fanout" }, async ({ input, step }) => {
        const { id, items, from } = input as { id: string; items: number; from: number };
        const one = (n: number) => step.run({ name: `item-${n}` }, async () => result(n));
        await lanes(from, from + items, one);
        queueMicrotask(() => finished.get(id)?.());
        return items;
      });
      ow.defineWorkflow({ name: "resume", retryPolicy }, async ({ input, step }) => {
        const { id, steps } = input as { id: string; steps: number };
        for (let n = 0; n < steps; n++) await step.run({ name: `step-${n}` }, async () => result(n));
        await step.run({ name: "last", retryPolicy }, async () => {
          if (mayFail) throw new Error("the process dies here");
          started = performance.now();
          return true;
        });
        queueMicrotask(() => finished.get(id)?.());
        return true;
      });
      return { backend, ow, worker: ow.newWorker({ concurrency: 50 }) };
    }

    // The worker's own loop sleeps 50 ms and more when idle: ticking by hand leaves that out of the figures.
    async function finish(name: string, input: { id: string }): Promise<void> {
      let done = false;
      finished.set(input.id, () => {
        done = true;
      });
      await ow.runWorkflow({ name }, input);
      while (!done) {
        await worker.tick();
        await new Promise((next) => setImmediate(next));
      }
      finished.delete(input.id);
    }

    return {
      chain: (id, steps) => finish("chain", { id, steps } as { id: string }),
      // A thousand items at most fit a run, so the fan-out is cut into runs of 990.
      async fanout(id, items) {
        for (let from = 0; from < items; from += 990) {
          const part = { id: `${id}-${from}`, from, items: Math.min(990, items - from) };
          await finish("fanout", part);
        }
      },
      async resume(id, steps) {
        mayFail = true;
        await ow.runWorkflow({ name: "resume" }, { id, steps });
        await worker.tick();
        while ((await backend.countWorkflowRuns()).pending === 0) await new Promise((next) => setImmediate(next));
        mayFail = false;
        await backend.stop();
        ({ ow, worker, backend } = start(path));
        await new Promise((next) => setTimeout(next, 50)); // its retry is due by now
        let done = false;
        finished.set(id, () => {
          done = true;
        });
        const from = performance.now();
        while (!done) {
          await worker.tick();
          await new Promise((next) => setImmediate(next));
        }
        return started - from;
      },
      close: () => backend.stop(),
    };
  },
});

async function lanes(from: number, to: number, work: (n: number) => Promise<unknown>): Promise<void> {
  let next = from;
  const lane = async () => {
    while (next < to) await work(next++);
  };
  await Promise.all(Array.from({ length: 16 }, lane));
}
