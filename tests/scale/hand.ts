/** A worker that has nothing but an engine: `node hand.ts URL PORT LOG`. Notes each run it is handed, and takes a moment for it. */
import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { restate } from "../../src/dispatch/restate.ts";

const [url = "", port = "", log = ""] = process.argv.slice(2);
await restate(url, { listen: port, pollMs: 50, lockMs: 2_000 }).work({
  queues: ["default"],
  concurrency: 5,
  async take({ runId }) {
    appendFileSync(log, `${runId}\n`);
    await pause(100);
    return "done";
  },
  onTrouble: () => {},
});
