import { join } from "node:path";
import { entrypoint, task } from "@langchain/langgraph";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";
import { measure, result } from "./shared/harness.ts";

let failAt = -1;
let started = 0;
const work = task("work", async (n: number) => {
  if (n === failAt) throw new Error("the process dies here");
  started = performance.now();
  return result(n);
});

await measure({
  name: "LangGraph.js functional",
  packages: ["@langchain/langgraph", "@langchain/langgraph-checkpoint-sqlite"],
  store: "SQLite, WAL, synchronous=NORMAL (its saver's default)",
  survives: "kill",
  async open(folder) {
    const path = join(folder, "langgraph.db");
    const open = () => {
      const checkpointer = SqliteSaver.fromConnString(path);
      const chain = entrypoint({ checkpointer, name: "chain" }, async (steps: number) => {
        for (let n = 0; n < steps; n++) await work(n);
        return steps;
      });
      const fanout = entrypoint({ checkpointer, name: "fanout" }, async (items: number) => {
        await Promise.all(Array.from({ length: items }, (_, n) => work(n)));
        return items;
      });
      return { checkpointer, chain, fanout };
    };
    let system = open();
    const config = (id: string) => ({ configurable: { thread_id: id }, durability: "sync" as const });
    return {
      async chain(id, steps) {
        await system.chain.invoke(steps, config(id));
      },
      async fanout(id, items) {
        await system.fanout.invoke(items, { ...config(id), maxConcurrency: 16 });
      },
      async resume(id, steps) {
        failAt = steps;
        await system.chain.invoke(steps + 1, config(id)).catch(() => {});
        failAt = -1;
        system.checkpointer.db.close();
        const from = performance.now();
        system = open();
        // null means "go on" here; the types do not say so
        await system.chain.invoke(null as unknown as number, config(id));
        return started - from;
      },
      close: async () => void system.checkpointer.db.close(),
    };
  },
});
