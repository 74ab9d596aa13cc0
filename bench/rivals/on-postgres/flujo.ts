import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Flujo, pipeline, step } from "../../../dist/index.js";
import { postgres } from "../../../dist/stores/postgres.js";
import { mark, result, takePart } from "./contestant.ts";

const body = (n: number) => async (_: unknown, { runId }: { readonly runId: string }) => {
  mark(runId);
  return result(n);
};

function chain(steps: number) {
  let flow = step("step-0", body(0));
  for (let n = 1; n < steps; n++) flow = flow.to(step(`step-${n}`, body(n)));
  return pipeline("chain", flow);
}

await takePart({
  name: "Flujo",
  own: JSON.parse(readFileSync(join(import.meta.dirname, "../../../package.json"), "utf8")).version,
  async open(url, connections) {
    const store = postgres(url, { connections });
    const flujos = new Map<number, Flujo<unknown, unknown>>();
    const flujoOf = (steps: number) => {
      const known = flujos.get(steps) ?? new Flujo(chain(steps), { store });
      flujos.set(steps, known);
      return known;
    };
    return {
      async run(id, steps) {
        const { status } = await flujoOf(steps).run(0, { runId: id });
        if (status !== "completed") throw new Error(`a run ended ${status}`);
      },
      async close() {
        for (const flujo of flujos.values()) await flujo[Symbol.asyncDispose]();
        await store.close();
      },
    };
  },
});
