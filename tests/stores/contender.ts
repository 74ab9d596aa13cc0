/** A process that takes one run's lease from whoever has it, again and again, and prints what was acknowledged to it. */
import { setTimeout as pause } from "node:timers/promises";
import { openStore } from "../../src/cli/stores.ts";
import type { Lease } from "../../src/ports/store.ts";

const [uri, owner] = process.argv.slice(2) as [string, string];
const store = await openStore(uri);
const acknowledged: string[] = [];
let fenced = 0;

for (let turn = 0; turn < 40; turn++) {
  const lease = await seize();
  let seq = (await store.read("r", 0, 1_000_000))?.length ?? 0;
  for (let i = 0; i < 4; i++) {
    const output = `${owner}:${turn}:${i}`;
    const entry = {
      type: "operation-completed",
      path: "/t",
      kind: "run",
      output,
      took: 0,
      seq,
      at: 0,
    } as const;
    const [outcome] = await store.commit([{ runId: "r", fence: lease.fence, entries: [entry], blobs: [] }]);
    if (outcome === "fenced") {
      fenced++;
      break;
    }
    acknowledged.push(output);
    seq++;
    await pause(1); // lets the others come between
  }
}
await store.close();
console.log(JSON.stringify({ acknowledged, fenced }));

async function seize(): Promise<Lease> {
  const request = { runId: "r", owner, now: 0, ttlMs: 1_000 };
  let answer = await store.acquire(request);
  while (answer.outcome === "held")
    answer = await store.acquire({ ...request, supersede: answer.lease.fence });
  if (answer.outcome !== "granted") throw new Error(answer.outcome);
  return answer.lease;
}
