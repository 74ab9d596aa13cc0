/** A process that runs scenarios on a database it shares with others, one after the other, and may be killed at any moment. */
import { sqlite } from "../../src/stores/sqlite.ts";
import { hastyWorld, limit, runnerOf } from "./life.ts";
import { scenarioOf } from "./scenario.ts";
import { tenantOf } from "./tenant.ts";

/** What a worker is told, and what it tells. */
export interface Task {
  readonly url: string;
  readonly path: string;
  readonly began: number;
  readonly seeds: readonly number[];
}
export interface Done {
  readonly seed: number;
  readonly status: string;
}

const { url, path, began, seeds } = JSON.parse(process.argv[2] ?? "") as Task; // written by the parent
process.once("disconnect", () => process.exit()); // no parent, no purpose
process.send?.("up");
const store = sqlite(path);
for (const seed of seeds) {
  const scenario = scenarioOf(seed);
  await using runner = runnerOf(scenario, url, store, hastyWorld(began), 1);
  const options = { runId: `s${seed}`, budget: limit(scenario.run, scenario, 1), scopes: [tenantOf(seed)] };
  const { status } = await runner.start(undefined as never, options).result();
  const done: Done = { seed, status };
  process.send?.(done);
}
await store.close();
process.disconnect?.();
