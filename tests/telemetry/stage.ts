/** A place to watch spans: an SDK that keeps what it is told, and questions about it. */
import { SpanStatusCode } from "@opentelemetry/api";
import {
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import { spanIds, type TelemetryOptions, telemetry } from "flujo/telemetry";

/** One process's SDK, and an instrument that speaks to it. */
export function watcher(options: TelemetryOptions & { readonly sampler?: Sampler } = {}) {
  const { sampler, ...told } = options;
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new TracerProvider({
    idGenerator: spanIds(),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
    ...(sampler === undefined ? {} : { sampler }),
  });
  const instrument = telemetry({ tracerProvider, ...told });
  const spans = async (): Promise<ReadableSpan[]> => {
    await instrument.flush?.();
    return exporter.getFinishedSpans();
  };
  return { instrument, spans, tracerProvider };
}

/** A tree of spans as lines, children in the order of their names: `  step fetch /q3/fetch !step-failed`. */
export function drawn(spans: readonly ReadableSpan[], parent?: string, indent = ""): string[] {
  return spans
    .filter(({ parentSpanContext }) => parentSpanContext?.spanId === parent)
    .map((span) => ({ span, line: lineOf(span) }))
    .sort((a, b) => (a.line < b.line ? -1 : 1))
    .flatMap(({ span, line }) => [
      `${indent}${line}`,
      ...drawn(spans, span.spanContext().spanId, `${indent}  `),
    ]);
}

function lineOf({ name, attributes, status }: ReadableSpan): string {
  const path = attributes["flujo.path"] ?? "";
  const isOpen = attributes["flujo.interrupted"] === true && status.code !== SpanStatusCode.ERROR;
  const failed = status.code === SpanStatusCode.ERROR ? ` !${attributes["error.type"]}` : "";
  return `${name} ${path}`.trimEnd() + failed + (isOpen ? " ..." : "");
}

/** What is wrong with a trace: spans told twice, parents nobody told, several roots, several traces. */
export function faultsIn(spans: readonly ReadableSpan[]): string[] {
  const ids = spans.map((span) => span.spanContext().spanId);
  const known = new Set(ids);
  const twice = ids.filter((id, i) => ids.indexOf(id) < i);
  const orphans = spans.filter(
    ({ parentSpanContext }) => parentSpanContext !== undefined && !known.has(parentSpanContext.spanId),
  );
  const roots = spans.filter(({ parentSpanContext }) => parentSpanContext === undefined);
  const traces = new Set(spans.map((span) => span.spanContext().traceId));
  const odd = spans.filter(
    ({ startTime, endTime }) => !(msOf(startTime) <= msOf(endTime)) || !Number.isFinite(msOf(endTime)),
  );
  return [
    ...odd.map((span) => `${lineOf(span)} takes no time there is`),
    ...twice.map((id) => `${id} was told twice`),
    ...orphans.map((span) => `${lineOf(span)} has a parent that nobody told`),
    ...(roots.length === 1 ? [] : [`${roots.length} roots`]),
    ...(traces.size === 1 ? [] : [`${traces.size} traces`]),
  ];
}

/** Milliseconds since 1970. */
export const msOf = ([seconds, nanos]: readonly [number, number]): number =>
  Math.round(seconds * 1_000 + nanos / 1e6);
