import { join } from "node:path";
import { Annotation, END, Send, START, StateGraph } from "@langchain/langgraph";
import { SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite";
import { measure, result } from "./shared/harness.ts";

let failAt = -1;
let started = 0;

// The state holds the last result only: the smallest checkpoint a graph can have.
const Chain = Annotation.Root({
  steps: Annotation<number>(),
  n: Annotation<number>(),
  last: Annotation<ReturnType<typeof result>>(),
});
const Fan = Annotation.Root({
  items: Annotation<number>(),
  results: Annotation<ReturnType<typeof result>[]>({ reducer: (all, more) => all.concat(more), default: () => [] }),
});

await measure({
  name: "LangGraph.js graph",
  packages: ["@langchain/langgraph", "@langchain/langgraph-checkpoint-sqlite"],
  store: "SQLite, WAL, synchronous=NORMAL (its saver's default)",
  survives: "kill",
  async open(folder) {
    const path = join(folder, "langgraph.db");
    const open = () => {
      const checkpointer = SqliteSaver.fromConnString(path);
      const chain = new StateGraph(Chain)
        .addNode("work", async ({ n }) => {
          if (n === failAt) throw new Error("the process dies here");
          started = performance.now();
          return { n: n + 1, last: result(n) };
        })
        .addEdge(START, "work")
        .addConditionalEdges("work", ({ n, steps }) => (n < steps ? "work" : END), ["work", END])
        .compile({ checkpointer });
      const fanout = new StateGraph(Fan)
        .addNode("one", async ({ n }: { n: number }) => ({ results: [result(n)] }), { input: Annotation.Root({ n: Annotation<number>() }) })
        .addConditionalEdges(START, ({ items }) => Array.from({ length: items }, (_, n) => new Send("one", { n })), ["one"])
        .addEdge("one", END)
        .compile({ checkpointer });
      return { checkpointer, chain, fanout };
    };
    let system = open();
    const config = (id: string) => ({
      configurable: { thread_id: id },
      durability: "sync" as const,
      recursionLimit: 1_000_000,
    });
    return {
      async chain(id, steps) {
        await system.chain.invoke({ steps, n: 0 }, config(id));
      },
      async fanout(id, items) {
        await system.fanout.invoke({ items }, { ...config(id), maxConcurrency: 16 });
      },
      async resume(id, steps) {
        failAt = steps;
        await system.chain.invoke({ steps: steps + 1, n: 0 }, config(id)).catch(() => {});
        failAt = -1;
        system.checkpointer.db.close();
        const from = performance.now();
        system = open();
        await system.chain.invoke(null, config(id));
        return started - from;
      },
      close: async () => void system.checkpointer.db.close(),
    };
  },
});
