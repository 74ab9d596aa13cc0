import { DBOS } from "@dbos-inc/dbos-sdk";
import { mark, result, takePart } from "./contestant.ts";

const chain = DBOS.registerWorkflow(
  async (steps: number) => {
    const id = DBOS.workflowID ?? "";
    const body = async (n: number) => {
      mark(id);
      return result(n);
    };
    for (let n = 0; n < steps; n++) await DBOS.runStep(() => body(n), { name: `step-${n}` });
    return steps;
  },
  { name: "chain" },
);

await takePart({
  name: "DBOS",
  package: "@dbos-inc/dbos-sdk",
  async open(url, connections) {
    DBOS.setConfig({
      name: "bench",
      systemDatabaseUrl: url,
      systemDatabasePoolSize: connections,
      logLevel: "error",
      runAdminServer: false,
    });
    await DBOS.launch();
    return {
      async run(id, steps) {
        const handle = await DBOS.startWorkflow(chain, { workflowID: id })(steps);
        await handle.getResult();
      },
      close: () => DBOS.shutdown(),
    };
  },
});
