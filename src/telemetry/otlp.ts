/**
 * A run as an OTLP document (JSON, opentelemetry-proto 1): the very spans that watching it would have told, with the same
 * ids, so that a collector that has some of them already gets them twice, not two traces.
 */
import type { Entry } from "../core/entries.ts";
import type { Path } from "../core/paths.ts";
import type { Store } from "../ports/store.ts";
import { extrasOf } from "./content.ts";
import { convention } from "./conventions.ts";
import { traceIdOf } from "./identity.ts";
import { TenureSpans } from "./tenure-spans.ts";
import type { Attributes, ToldSpan } from "./told.ts";

/** What the document is made of. */
export interface OtlpSource {
  readonly runId: string;
  readonly pipeline: string;
  readonly entries: readonly Entry[];
  /** The kinds of places, where they are known. */
  readonly kindOf?: (path: Path) => string | undefined;
  readonly store: Pick<Store, "blob">;
  /** Whether inputs, outputs and error messages are told: each at most 8,192 characters. */
  readonly content: boolean;
}

/** What an OTLP collector takes at `/v1/traces`. */
export async function otlpDocument(source: OtlpSource): Promise<object> {
  const spans: object[] = [];
  for (const [told, link] of spansOf(source)) spans.push(await wireSpan(told, link, source));
  return {
    resourceSpans: [
      {
        resource: { attributes: wireAttributes({ "service.name": "flujo" }) },
        scopeSpans: [{ scope: { name: "flujo" }, spans }],
      },
    ],
  };
}

/** Tenure by tenure; one that resumes a run is linked to the one before. */
function* spansOf({
  runId,
  pipeline,
  entries,
  kindOf,
}: OtlpSource): Generator<[ToldSpan, string | undefined]> {
  const run = { runId, pipeline, ...(kindOf === undefined ? {} : { kindOf }) };
  let tenure: TenureSpans | undefined;
  let former: string | undefined;
  let heard = 0;
  const linked = (spans: readonly ToldSpan[]): [ToldSpan, string | undefined][] =>
    spans.map((told) => [told, told.id === tenure?.id ? former : undefined]);
  for (const entry of entries) {
    if (entry.type === "run-created" || entry.type === "run-resumed") {
      if (tenure !== undefined && !tenure.isOver) yield* linked(tenure.lost(heard));
      former = tenure?.id;
      tenure = new TenureSpans(run);
    }
    if (tenure !== undefined) yield* linked(tenure.take(entry));
    if (!("of" in entry)) heard = entry.at; // what is settled by a successor is no sign of life
  }
  if (tenure !== undefined && !tenure.isOver) yield* linked(tenure.lost(heard));
}

const kinds = { internal: 1, client: 3 } as const;
const failed = 2;

async function wireSpan(
  told: ToldSpan,
  link: string | undefined,
  { runId, store, content }: OtlpSource,
): Promise<object> {
  const { attributes = {}, message } = await extrasOf(told, content, store);
  const { id, parent, name, kind, start, end, error, events } = told;
  const traceId = traceIdOf(runId);
  const all = {
    ...told.attributes,
    ...attributes,
    ...(error === undefined ? {} : { [convention.errorType]: error }),
  };
  return {
    traceId,
    spanId: id,
    ...(parent === undefined ? {} : { parentSpanId: parent }),
    name,
    kind: kinds[kind],
    startTimeUnixNano: nanos(start),
    endTimeUnixNano: nanos(end),
    attributes: wireAttributes(all),
    events: events.map((event) => ({
      timeUnixNano: nanos(event.at),
      name: event.name,
      attributes: wireAttributes(event.attributes),
    })),
    ...(link === undefined ? {} : { links: [{ traceId, spanId: link }] }),
    status: error === undefined ? {} : { code: failed, message: message ?? error },
  };
}

const nanos = (ms: number): string => `${BigInt(Math.round(ms)) * 1_000_000n}`;

const wireAttributes = (attributes: Attributes): object[] =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: wireValue(value) }));

function wireValue(value: Attributes[string]): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number")
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value };
  return { arrayValue: { values: value.map(wireValue) } };
}
