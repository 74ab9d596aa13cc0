/** Flujo itself, asked what the others are asked. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Flujo, mapOver, pipeline, type Step, step } from "../../../dist/index.js";
import { sqlite } from "../../../dist/stores/sqlite.js";
import { measure, result } from "./harness.ts";

const root = join(import.meta.dirname, "../../..");
type Result = ReturnType<typeof result>;

let failing = false;
let started = 0;

function chainOf(steps: number): Step<number, Result> {
  let flow: Step<number, Result> = step("step-0", async () => result(0));
  for (let n = 1; n < steps; n++) flow = flow.to(step(`step-${n}`, async () => result(n)));
  return flow;
}
const fanout = pipeline("fanout", mapOver("all", step("one", async (n: number) => result(n)), { concurrency: 16 }));
const resumable = (steps: number) =>
  pipeline(
    "resume",
    chainOf(steps).to(
      step("last", async () => {
        if (failing) throw new Error("the process dies here");
        started = performance.now();
        return true;
      }),
    ),
  );

export const flujoOn = (durability: "synced" | "relaxed") =>
  measure({
    name: "Flujo",
    packages: [],
    own: {
      version: JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version,
      module: join(root, "dist/index.js"),
    },
    store: `SQLite, WAL, synchronous=${durability === "synced" ? "FULL" : "NORMAL"}`,
    survives: durability === "synced" ? "power loss" : "kill",
    async open(folder) {
      const path = join(folder, "flujo.db");
      let store = sqlite(path, { durability });
      const chains = new Map<number, Flujo<number, Result>>();
      const chain = (steps: number) => {
        const known = chains.get(steps) ?? new Flujo(pipeline("chain", chainOf(steps)), { store });
        chains.set(steps, known);
        return known;
      };
      const completed = ({ status }: { readonly status: string }) => {
        if (status !== "completed") throw new Error(`a run ended ${status}`);
      };
      const fan = new Flujo(fanout, { store });
      return {
        chain: async (id, steps) => completed(await chain(steps).run(0, { runId: id })),
        async fanout(id, items) {
          completed(await fan.run(Array.from({ length: items }, (_, n) => n), { runId: id }));
        },
        async resume(id, steps) {
          failing = true;
          await new Flujo(resumable(steps), { store }).run(0, { runId: id });
          failing = false;
          await store.close();
          const flow = resumable(steps);
          const from = performance.now();
          store = sqlite(path, { durability });
          completed(await new Flujo(flow, { store }).run(0, { runId: id }));
          return started - from;
        },
        close: () => store.close(),
      };
    },
  });
