/**
 * A process that maps over so many items and prints its peak memory: `node many-items.js COUNT DATABASE`. JavaScript,
 * so that Node's own type stripping, some 40 MB, is not on Flujo's bill.
 */
import { readFileSync } from "node:fs";
import { Flujo, mapOver, pipeline, step } from "flujo";
import { sqlite } from "flujo/sqlite";

const [, , count, path] = process.argv;
const items = Array.from({ length: Number(count) }, (_, n) => n);
const text = "a short sentence of the size a summary might have, so that bytes weigh something";
const one = step("one", async (/** @type {number} */ n) => ({ step: n, ok: true, text }));
const store = sqlite(path ?? "many-items.db");
const flujo = new Flujo(pipeline("fan", mapOver("all", one, { concurrency: 16 })), { store });

const from = performance.now();
const result = await flujo.run(items);
const us = ((performance.now() - from) * 1_000) / items.length;
if (result.status !== "completed" || result.output.length !== items.length)
  throw new Error(`it ended ${result.status}`);
await store.close();
console.log(JSON.stringify({ us, mb: peakMb() }));

/** maxRSS may be inherited from the parent on Linux, VmHWM is this program's own. */
function peakMb() {
  try {
    return (Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024) / 1e6;
  } catch {
    return (process.resourceUsage().maxRSS * 1024) / 1e6;
  }
}
