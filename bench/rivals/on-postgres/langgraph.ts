import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import pg from "pg";
import { mark, result, takePart } from "./contestant.ts";

// The state holds the last result only: the smallest checkpoint a graph can have.
const Chain = Annotation.Root({
  id: Annotation<string>(),
  steps: Annotation<number>(),
  n: Annotation<number>(),
  last: Annotation<ReturnType<typeof result>>(),
});

await takePart({
  name: "LangGraph.js graph",
  package: "@langchain/langgraph-checkpoint-postgres",
  async open(url, connections) {
    const pool = new pg.Pool({ connectionString: url, max: connections });
    const checkpointer = new PostgresSaver(pool);
    await checkpointer.setup();
    const chain = new StateGraph(Chain)
      .addNode("work", async ({ id, n }) => {
        mark(id);
        return { n: n + 1, last: result(n) };
      })
      .addEdge(START, "work")
      .addConditionalEdges("work", ({ n, steps }) => (n < steps ? "work" : END), ["work", END])
      .compile({ checkpointer });
    return {
      async run(id, steps) {
        const config = { configurable: { thread_id: id }, durability: "sync" as const, recursionLimit: 1_000 };
        await chain.invoke({ id, steps, n: 0 }, config);
      },
      close: () => pool.end(),
    };
  },
});
