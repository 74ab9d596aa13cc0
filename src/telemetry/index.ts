/** The door of `flujo/telemetry`: runs for OpenTelemetry and Prometheus. */
export type { Instrument, WatchedRun, Whereabouts } from "../ports/instrument.ts";
export { type SpanIds, spanIds } from "./identity.ts";
export { type InitedTelemetry, type InitOptions, initTelemetry } from "./init.ts";
export { type PrometheusMetrics, prometheus } from "./prometheus.ts";
export { type TelemetryOptions, telemetry } from "./telemetry.ts";
