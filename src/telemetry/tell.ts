/** Hands a told span to OpenTelemetry. */
import {
  type Context,
  type Link,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { convention } from "./conventions.ts";
import { identified } from "./identity.ts";
import type { Attributes, ToldSpan } from "./told.ts";

/** The trace spans belong to, and whether it is sampled. */
export interface Trace {
  readonly traceId: string;
  readonly traceFlags: number;
}

/** What is known of a span only when it is told. */
export interface Extras {
  readonly attributes?: Attributes;
  readonly links?: readonly Link[];
  readonly message?: string;
}

export function tell(tracer: Tracer, told: ToldSpan, own: Trace, extras: Extras = {}): void {
  const { id, parent, name, kind, start, end, error, events } = told;
  const around = parent === undefined ? ROOT_CONTEXT : inside(ROOT_CONTEXT, { ...own, spanId: parent });
  const attributes = { ...told.attributes, ...extras.attributes };
  if (error !== undefined) attributes[convention.errorType] = error;
  const options = {
    kind: kind === "client" ? SpanKind.CLIENT : SpanKind.INTERNAL,
    startTime: start,
    attributes,
    links: [...(extras.links ?? [])],
  };
  const span = identified({ traceId: own.traceId, spanId: id }, () =>
    tracer.startSpan(name, options, around),
  );
  if (span.isRecording()) warnOfIds(span.spanContext(), id);
  for (const event of events) span.addEvent(event.name, event.attributes, event.at);
  if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: extras.message ?? error });
  span.end(end);
}

/** A context in which new spans are children of this one. */
export const inside = (around: Context, span: SpanContext): Context => trace.setSpanContext(around, span);

let warned = false;

/** Without our ids, spans would name parents that nobody has told. */
function warnOfIds({ spanId }: SpanContext, wanted: string): void {
  if (warned || spanId === wanted) return;
  warned = true;
  process.emitWarning(
    "the OpenTelemetry SDK in use does not take Flujo's span ids, so its spans do not nest. Give the SDK idGenerator: spanIds() of flujo/telemetry, or use initTelemetry().",
    { code: "FLUJO_SPAN_IDS" },
  );
}
