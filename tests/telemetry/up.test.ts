/** An application that is served, with a collector on loopback: a run is one trace, whoever goes on with it. Needs `npm run build`. */
import { expect, onTestFinished, test } from "vitest";
import { Application } from "../up/application.ts";
import { collector } from "./collector.ts";
import { lineOf, tree } from "./wire-tree.ts";

const trip = `
import { humanInTheLoop, pipeline, step } from "flujo";

const book = step("book", () => "seat 7").compensate("unbook", () => "free again");
const full = step("full", () => { throw new Error("there is no car"); });
export default pipeline("trip", book.to(humanInTheLoop("ask", { prompt: () => "Shall it?" })).to(full));
export const beat = pipeline("beat", step("tick", () => 1));
`;
const config = `
import { defineConfig } from "flujo";
import { initTelemetry } from "flujo/telemetry";
export default defineConfig({ pipelines: "trip.ts", instrument: await initTelemetry({ serviceName: "trips" }) });
`;

test("a run that was asked in one process, answered in a second and undone in a third is one trace; so is one of a schedule", async () => {
  const app = new Application();
  const collected = await collector();
  onTestFinished(() => collected.close());
  app.write("trip.ts", trip);
  app.write("flujo.config.ts", config);
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: collected.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_BSP_SCHEDULE_DELAY: "20",
    OTEL_BLRP_SCHEDULE_DELAY: "20",
  };
  const asked = app.begin(["run", "trip.ts", "--run-id", "r", "--no-ask"], env);
  expect((await asked.ended).code).toBe(3);
  expect((await app.begin(["approve", "r"], env).ended).code).toBe(0);
  await app.flujo("schedule", "add", "trip.ts", "--export", "beat", "--cron", "* * * * * *");
  const up = await app.up(["--no-http"], env);
  await up.saw("failed     r  trip");
  await up.saw("completed  beat");
  up.kill("SIGTERM");
  expect((await up.ended).code).toBe(0);

  const spans = collected.spans.filter(({ attributes }) => attributes["flujo.run.id"] === "r");
  expect(tree(spans)).toEqual([
    "invoke_workflow trip waiting",
    "  invoke_workflow trip !step-failed",
    "    compensation book",
    "      step unbook",
    "    step full !step-failed",
    "  step book",
  ]);
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(new Set(spans.map(({ pid }) => pid))).toEqual(new Set([asked.pid, up.pid]));
  const [first, later] = spans
    .filter(({ name }) => name === "invoke_workflow trip")
    .toSorted(byProcess(asked.pid));
  expect(later?.links).toMatchObject([{ spanId: first?.spanId, traceId: first?.traceId }]);

  const beats = collected.spans.filter(({ attributes }) => /^beat-/.test(String(attributes["flujo.run.id"])));
  const [runId] = beats.map(({ attributes }) => attributes["flujo.run.id"]);
  const one = beats.filter(({ attributes }) => attributes["flujo.run.id"] === runId);
  expect(one.map(lineOf).sort()).toEqual(["invoke_workflow beat completed", "step tick"]);

  const told = collected.records.filter(({ attributes }) => attributes["flujo.run.id"] === "r");
  expect(told.map(({ body }) => body)).toEqual(
    expect.arrayContaining(["signal-awaited /trip/ask", "compensation-completed /trip/book"]),
  );
  for (const { traceId } of told) expect(traceId).toBe(first?.traceId);
});

/** The spans of this process before those of others. */
const byProcess =
  (pid: number) =>
  (a: { readonly pid: number }, b: { readonly pid: number }): number =>
    Number(b.pid === pid) - Number(a.pid === pid);
