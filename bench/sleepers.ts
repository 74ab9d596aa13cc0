/** 10,000 runs that sleep until one moment, and a process that starts just after it: `node bench/sleepers.ts [COUNT]`. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Flujo, pipeline, sleepUntil } from "../src/index.ts";
import { sqlite } from "../src/stores/sqlite.ts";

const count = Number(process.argv[2] ?? 10_000);
/** Time enough to put them all down. */
const moment = new Date(Date.now() + 5_000 + count * 2);
const cache = join(import.meta.dirname, "../node_modules/.cache");
mkdirSync(cache, { recursive: true }); // on the disk of the checkout
const folder = mkdtempSync(join(cache, "flujo-sleepers-"));
const path = join(folder, "flujo.db");
const made = pipeline(
  "sleepers",
  sleepUntil<number>("nap", moment).to("after", (n) => n + 1),
);

async function putDown(): Promise<void> {
  const store = sqlite(path);
  const flujo = new Flujo(made, { store, takeOver: false, awake: "0ms" });
  for (let n = 0; n < count; n += 1_000)
    await Promise.all(
      Array.from({ length: Math.min(1_000, count - n) }, (_, i) => flujo.run(n + i, { runId: `r${n + i}` })),
    );
  await flujo[Symbol.asyncDispose]();
  await store.close();
}

async function wake(): Promise<void> {
  const store = sqlite(path);
  const all = Promise.withResolvers<void>();
  const began = performance.now();
  const since = (): number => Math.round(performance.now() - began);
  let [woken, done] = [0, 0];
  const flujo = new Flujo(made, {
    store,
    onEvent: ({ type }) => {
      if (type === "run-resumed" && ++woken === count)
        console.log(`all ${count} are woken after ${since()} ms`);
      if (type === "run-completed" && ++done === count) all.resolve();
    },
  });
  await flujo.recover();
  await all.promise;
  console.log(`all ${count} are done after ${since()} ms`);
  await flujo[Symbol.asyncDispose]();
  await store.close();
}

try {
  await putDown();
  await pause(Math.max(0, moment.getTime() - Date.now()) + 100);
  await wake();
} finally {
  rmSync(folder, { recursive: true });
}
