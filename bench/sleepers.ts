/**
 * 10,000 runs that sleep until one moment, and a process that starts just after it, by `recover` and as `flujo up` looks for
 * them; medians: `node bench/sleepers.ts [COUNT [TIMES]]`.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { Lookout } from "../src/dispatch/lookout.ts";
import { Flujo, pipeline, sleepUntil } from "../src/index.ts";
import { nodeWorld } from "../src/node-world.ts";
import { sqlite } from "../src/stores/sqlite.ts";

const count = Number(process.argv[2] ?? 10_000);
const times = Number(process.argv[3] ?? 5);
/** Time enough to put them all down. */
const moment = new Date(Date.now() + 5_000 + count * 2);
const cache = join(import.meta.dirname, "../node_modules/.cache");
mkdirSync(cache, { recursive: true }); // on the disk of the checkout
const folder = mkdtempSync(join(cache, "flujo-sleepers-"));
const asleep = join(folder, "asleep.db");
const made = pipeline(
  "sleepers",
  sleepUntil<number>("nap", moment).to("after", (n) => n + 1),
);

async function putDown(): Promise<void> {
  const store = sqlite(asleep);
  const flujo = new Flujo(made, { store, takeOver: false, awake: "0ms" });
  for (let n = 0; n < count; n += 1_000)
    await Promise.all(
      Array.from({ length: Math.min(1_000, count - n) }, (_, i) => flujo.run(n + i, { runId: `r${n + i}` })),
    );
  await flujo[Symbol.asyncDispose]();
  await store.close();
}

/** Milliseconds from the start until the last one goes on, and until the last one is done. */
async function wake(by: "recover" | "lookout"): Promise<readonly [number, number]> {
  const path = join(folder, "awake.db");
  copyFileSync(asleep, path);
  const store = sqlite(path);
  const all = Promise.withResolvers<void>();
  const began = performance.now();
  let [woken, done, wokenMs] = [0, 0, 0];
  const flujo = new Flujo(made, {
    store,
    takeOver: by === "recover",
    onEvent: ({ type }) => {
      if (type === "run-resumed" && ++woken === count) wokenMs = performance.now() - began;
      if (type === "run-completed" && ++done === count) all.resolve();
    },
  });
  const tell = { refused: console.error, foreign: console.error, store: console.error };
  const pipelines = new Map([["sleepers", (runId: string) => flujo.resume(runId).result()]]);
  const lookout = new Lookout({ store, world: nodeWorld(), pipelines, tell });
  if (by === "recover") await flujo.recover();
  else lookout.start();
  await all.promise;
  const doneMs = performance.now() - began;
  await lookout.stop();
  await flujo[Symbol.asyncDispose]();
  await store.close();
  rmSync(path);
  return [wokenMs, doneMs];
}

const median = (some: readonly number[]): string =>
  Math.round(some.toSorted((a, b) => a - b)[Math.floor(some.length / 2)] ?? 0).toLocaleString("en");

try {
  await putDown();
  await pause(Math.max(0, moment.getTime() - Date.now()) + 100);
  for (const by of ["recover", "lookout"] as const) {
    const taken: (readonly [number, number])[] = [];
    for (let i = 0; i < times; i++) taken.push(await wake(by));
    const [woken, done] = [taken.map(([ms]) => ms), taken.map(([, ms]) => ms)];
    console.log(
      `${by}: of ${count} the last goes on after ${median(woken)} ms, and is done after ${median(done)} ms`,
    );
  }
} finally {
  rmSync(folder, { recursive: true });
}
