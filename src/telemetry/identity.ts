/**
 * Which trace and which span: ids made from the run and the place, so that every process of a run tells the same trace,
 * and a parent is known before it has been told.
 */
import { randomBytes } from "node:crypto";
import { sha256 } from "../core/fingerprint.ts";

/** The trace of a run: 16 bytes, in hex. */
export const traceIdOf = (runId: string): string => sha256(`flujo trace ${runId}`).slice(0, 32);

/** A span of a run: 8 bytes, in hex. */
const spanIdOf = (runId: string, what: string): string => sha256(`flujo span ${runId} ${what}`).slice(0, 16);

/** A process's time with a run; `first` is the seq of the entry it begins with. */
export const tenureSpan = (runId: string, first: number): string => spanIdOf(runId, `tenure ${first}`);
/** The try of a place or operation that follows so many failed ones, within one tenure. */
export const placeSpan = (runId: string, first: number, path: string, failures: number): string =>
  spanIdOf(runId, `place ${first} ${failures} ${path}`);
/** One physical call of a model, by the seq of its reservation. */
export const callSpan = (runId: string, reservation: number): string =>
  spanIdOf(runId, `call ${reservation}`);

interface Wanted {
  traceId: string;
  spanId: string;
}

/** The ids of the span that is being made: each is asked for once. */
let wanted: Partial<Wanted> = {};

/** Makes one span, with these ids when the SDK has our generator. */
export function identified<T>(ids: Wanted, make: () => T): T {
  wanted = { ...ids };
  try {
    return make();
  } finally {
    wanted = {};
  }
}

function take(which: keyof Wanted): string | undefined {
  const id = wanted[which];
  delete wanted[which];
  return id;
}

/** What an OpenTelemetry SDK asks for ids. */
export interface SpanIds {
  generateTraceId(): string;
  generateSpanId(): string;
}

/**
 * The `idGenerator` that an OpenTelemetry SDK of your own needs to tell Flujo's spans: theirs get the ids of their run
 * and place, all others random ones. `initTelemetry()` brings it along.
 *
 * ```ts
 * import { NodeSDK } from "@opentelemetry/sdk-node";
 * import { spanIds } from "flujo/telemetry";
 *
 * new NodeSDK({ serviceName: "reports", idGenerator: spanIds() }).start();
 * ```
 */
export function spanIds(): SpanIds {
  return {
    generateTraceId: () => take("traceId") ?? randomBytes(16).toString("hex"),
    generateSpanId: () => take("spanId") ?? randomBytes(8).toString("hex"),
  };
}
