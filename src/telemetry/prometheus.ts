import type { Instrument } from "../ports/instrument.ts";
import { importPackage } from "../ports/optional-package.ts";
import { telemetry } from "./telemetry.ts";

/** What is used of them. */
type ExporterPackage = Pick<
  typeof import("@opentelemetry/exporter-prometheus"),
  "PrometheusExporter" | "PrometheusSerializer"
>;
type MetricsPackage = Pick<typeof import("@opentelemetry/sdk-metrics"), "MeterProvider">;

/** The figures of this process, for Prometheus to fetch. */
export interface PrometheusMetrics extends Instrument {
  /** All of them now, in Prometheus' text format. */
  text(): Promise<string>;
  /** What to send the text as. */
  readonly contentType: string;
}

/**
 * Metrics that are fetched instead of sent: an instrument beside others, or alone, and the text for a `/metrics` of
 * yours. Names are OpenTelemetry's with underscores: `flujo.runs.started` is `flujo_runs_started_total`.
 *
 * ```ts
 * import { createServer } from "node:http";
 * import { prometheus } from "flujo/telemetry";
 *
 * const metrics = await prometheus();
 * await using flujo = new Flujo(greet, { instrument: metrics });
 * createServer(async (_, response) => {
 *   response.setHeader("content-type", metrics.contentType).end(await metrics.text());
 * }).listen(9464);
 * ```
 *
 * @throws MissingPackageError when `@opentelemetry/exporter-prometheus` or `@opentelemetry/sdk-metrics` is not installed.
 */
export async function prometheus(): Promise<PrometheusMetrics> {
  const exporter: unknown = await importPackage("@opentelemetry/exporter-prometheus");
  const sdk: unknown = await importPackage("@opentelemetry/sdk-metrics");
  const { PrometheusExporter, PrometheusSerializer } = exporter as ExporterPackage;
  const { MeterProvider } = sdk as MetricsPackage;
  const reader = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const serializer = new PrometheusSerializer();
  const instrument = telemetry({ traces: false, logs: false, meterProvider });
  return {
    enter: (run) => instrument.enter(run),
    committed: (runId, entries) => instrument.committed(runId, entries),
    within: (_, work) => work(),
    leave: (runId) => instrument.leave(runId),
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    async text() {
      const { resourceMetrics, errors } = await reader.collect();
      if (errors.length > 0) throw new AggregateError(errors, "some figures could not be collected");
      return serializer.serialize(resourceMetrics);
    },
  };
}
