/** A process with a run of its own that buys, call by call, from an account it shares with others, until that pays no more. */
import { setTimeout as pause } from "node:timers/promises";
import { openStore } from "../../src/cli/stores.ts";
import type { LedgerAnswer, Tally } from "../../src/core/account.ts";
import type { Lease } from "../../src/ports/store.ts";

const [uri, runId, limit] = process.argv.slice(2) as [string, string, string];
const store = await openStore(uri);
const scope = "tenant:acme";
const dearest = 5;

const lease = await begin();
let [spent, granted, waited, highest] = [0, 0, 0, 0];
for (;;) {
  const id = `${runId} ${granted}`;
  let answer = await hold(id);
  while (answer.outcome === "wait") {
    waited++;
    await pause(1);
    answer = await hold(id);
  }
  if (answer.outcome !== "granted") break;
  const [account] = await store.accounts({ scopes: [scope] });
  const used = [account?.posted, ...(account?.holds ?? []).map(({ amount }) => amount)];
  highest = Math.max(
    highest,
    used.reduce((sum, tally) => sum + Number(tally?.picoUsd ?? 0), 0),
  );
  await settle(id, granted % (dearest + 1));
}
await store.close();
console.log(JSON.stringify({ spent, granted, waited, highest }));

async function begin(): Promise<Lease> {
  const answer = await store.acquire({ runId, owner: runId, now: 0, ttlMs: 60_000, create: true });
  if (answer.outcome !== "granted") throw new Error(answer.outcome);
  return answer.lease;
}

function hold(id: string): Promise<LedgerAnswer> {
  return store.ledger({
    kind: "hold",
    id,
    runId,
    fence: lease.fence,
    path: "/p",
    quote: {
      model: "test:m",
      inputTokens: 0,
      outputTokens: { wanted: dearest, least: dearest },
      rates: { input: 0n, output: 1n },
    },
    accounts: [{ scope, limits: { picoUsd: limit }, alertAt: [] }],
    now: Date.now(),
    patienceMs: 10_000,
  });
}

async function settle(id: string, cost: number): Promise<void> {
  const amount: Tally = {
    picoUsd: String(cost),
    inputTokens: 0,
    outputTokens: cost,
    calls: 1,
    toolCalls: 0,
  };
  const entry = { type: "budget-settled", path: "/p", of: 0, amount, seq: granted, at: 0 } as const;
  const postings = [{ scope, hold: id, amount }];
  await store.commit([{ runId, fence: lease.fence, entries: [entry], blobs: [], postings }]);
  spent += cost;
  granted++;
}
