/** A process with telemetry of its own that advances one run: it may be killed at any moment. */
import { trace } from "@opentelemetry/api";
import { agent, Flujo, humanInTheLoop, mapOver, models, pipeline, step } from "../../src/index.ts";
import { sqlite } from "../../src/stores/sqlite.ts";
import { initTelemetry } from "../../src/telemetry/index.ts";

const [file = "", runId = "", hold = ""] = process.argv.slice(2);
process.once("disconnect", () => process.exit()); // no parent, no purpose

const tracer = trace.getTracer("worker");
const work = step("work", async (n: number, ctx) => {
  await ctx.run("prepare", () => tracer.startActiveSpan("fetch", (span) => span.end()));
  if (hold === String(n)) await new Promise(() => {});
  return n;
});
const ask = agent<number[]>("ask", {
  model: "openai:gpt-4o-mini",
  system: "Answer.",
  prompt: () => "?",
  temperature: 0,
});
const ok = humanInTheLoop("ok", { prompt: () => "Good?" });
const tree = pipeline(
  "q3",
  mapOver("each", work, { concurrency: 1 })
    .to(ask)
    .to(ok)
    .to(step("send", () => "sent")),
);

const store = sqlite(file);
const telemetry = await initTelemetry({ serviceName: "worker" });
{
  await using flujo = new Flujo(tree, { store, instrument: telemetry, models: models(), takeOver: false });
  const asked = flujo.start([0, 1], { runId });
  let result = await asked.result();
  if (result.status === "waiting" && hold === "go on") {
    await flujo.signal(runId, "/q3/ok", { approved: true });
    result = await flujo.resume(runId).result();
  }
  process.send?.(result.status);
}
await telemetry.shutdown();
await store.close();
process.disconnect?.();
