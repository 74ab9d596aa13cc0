import {
  context,
  type Link,
  type MeterProvider,
  metrics,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  type Tracer,
  type TracerProvider,
  trace,
} from "@opentelemetry/api";
import { type Logger, type LoggerProvider, logs } from "@opentelemetry/api-logs";
import type { Entry, EntryOf } from "../core/entries.ts";
import type { Instrument, WatchedRun, Whereabouts } from "../ports/instrument.ts";
import { rootAttributes, rootName } from "./attributes.ts";
import { Calls } from "./calls.ts";
import { extrasOf } from "./content.ts";
import { dispatched } from "./dispatched.ts";
import { formerTenure } from "./former.ts";
import { identified, tenureSpan, traceIdOf } from "./identity.ts";
import { Measures } from "./measures.ts";
import { writeRecord } from "./records.ts";
import { type Extras, inside, type Trace, tell } from "./tell.ts";
import { TenureSpans } from "./tenure-spans.ts";
import type { ToldSpan } from "./told.ts";

/** What is told, and to whom. */
export interface TelemetryOptions {
  /**
   * Tell what people and models wrote, too: a run's input, outputs of steps, answers of models, results of tools,
   * messages of errors. Each at most 8,192 characters. Default false: names, figures and codes only.
   */
  readonly captureContent?: boolean;
  /** Default true. */
  readonly traces?: boolean;
  /** Default true. */
  readonly metrics?: boolean;
  /** A log record for each entry of the journal, but for pieces of streamed answers. Default true. */
  readonly logs?: boolean;
  /** Default: those registered with OpenTelemetry's API, whenever that is done. */
  readonly tracerProvider?: TracerProvider;
  readonly meterProvider?: MeterProvider;
  readonly loggerProvider?: LoggerProvider;
}

/**
 * Traces, metrics and logs of runs, for OpenTelemetry: what a `Flujo` is given as its `instrument`. It speaks to the SDK
 * that your application has set up, which needs `spanIds()` as its `idGenerator`; where there is none, nothing is told,
 * and nothing breaks. `initTelemetry()` sets one up.
 *
 * ```ts
 * import { telemetry } from "flujo/telemetry";
 *
 * await using flujo = new Flujo(greet, { instrument: telemetry() });
 * ```
 */
export function telemetry(options: TelemetryOptions = {}): Instrument {
  return new Telemetry(options);
}

/** What is known of a run while this process advances it. */
interface Watched {
  readonly run: WatchedRun;
  readonly calls: Calls;
  readonly trace: Trace;
  /** The span that was active where the run was asked for. */
  caller: SpanContext | undefined;
  readonly tenure: TenureSpans;
  /** Of a run that is resumed: the span of the tenure before. */
  former: Promise<string | undefined>;
}

const scope = "flujo";
const longestFlushMs = 5_000;

class Telemetry implements Instrument {
  readonly #options: TelemetryOptions;
  readonly #watched = new Map<string, Watched>();
  readonly #pending = new Set<Promise<void>>();
  #outlets: Outlets | undefined;

  constructor(options: TelemetryOptions) {
    this.#options = options;
  }

  enter(run: WatchedRun): void {
    const { tracer, measures } = this.#ready();
    this.#watched.set(run.runId, {
      run,
      calls: new Calls(),
      trace: traceOf(run, tracer),
      caller: trace.getSpanContext(context.active()),
      tenure: new TenureSpans(run),
      former: Promise.resolve(undefined),
    });
    measures?.entered(run.pipeline);
  }

  committed(runId: string, entries: readonly Entry[]): void {
    const watched = this.#watched.get(runId);
    if (watched === undefined) return;
    for (const entry of entries) this.#entry(entry, watched);
  }

  within<T>({ runId, path, call }: Whereabouts, work: () => T): T {
    const watched = this.#watched.get(runId);
    if (watched === undefined) return work();
    if (call?.sampling !== undefined) watched.tenure.asked(call.seq, call.sampling);
    const spanId = watched.tenure.spanAt(path, call?.seq);
    return context.with(inside(context.active(), { ...watched.trace, spanId }), work);
  }

  leave(runId: string): void {
    const watched = this.#watched.get(runId);
    if (watched === undefined) return;
    this.#watched.delete(runId);
    this.#ready().measures?.left(watched.run.pipeline);
  }

  /** Within five seconds: a collector that does not answer holds nobody up for longer. */
  async flush(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, longestFlushMs);
    await Promise.race([this.#send(), late]);
    clearTimeout(timer);
  }

  async #send(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
    const { tracerProvider, meterProvider, loggerProvider } = this.#options;
    const providers = [
      tracerProvider ?? trace.getTracerProvider(),
      meterProvider ?? metrics.getMeterProvider(),
      loggerProvider ?? logs.getLoggerProvider(),
    ];
    await Promise.allSettled(providers.map(flushed));
  }

  #entry(entry: Entry, watched: Watched): void {
    const { measures, logger } = this.#ready();
    const { run, calls, tenure } = watched;
    if (entry.type === "run-resumed") {
      this.#resume(entry, watched);
      if (measures !== undefined) this.#await(this.#measureWait(measures, entry, run));
    }
    if (logger !== undefined) {
      const spanId = tenure.spanOf(entry);
      writeRecord(logger, entry, run.runId, inside(ROOT_CONTEXT, { ...watched.trace, spanId }));
    }
    measures?.entry(entry, run.pipeline);
    const call = calls.take(entry);
    if (call !== undefined) measures?.call(call, run.pipeline);
    for (const span of tenure.take(entry)) this.#tell(span, watched);
    if (tenure.isOver) for (const rest of calls.rest()) measures?.call(rest, run.pipeline);
  }

  /** Looks back: what a process that is no more has left open is told by whoever goes on. */
  #resume({ seq, why }: EntryOf<"run-resumed">, watched: Watched): void {
    if (why === "taken-over") watched.caller = undefined; // nobody has asked for it
    watched.former = formerTenure(watched.run, seq).then(
      (former) => {
        for (const span of former?.lost ?? []) this.#tell(span, watched);
        return former?.id;
      },
      () => undefined, // a journal that cannot be read now tells nothing
    );
    this.#await(watched.former);
  }

  async #measureWait(measures: Measures, entry: EntryOf<"run-resumed">, run: WatchedRun): Promise<void> {
    const found = await dispatched(run, entry);
    if (found !== undefined) measures.dispatched(found, run.pipeline);
  }

  /** At once, unless something has to be fetched first. */
  #tell(span: ToldSpan, watched: Watched): void {
    const { tracer } = this.#ready();
    if (tracer === undefined) return;
    const { run, tenure } = watched;
    const { captureContent = false } = this.#options;
    const extras = extrasOf(span, captureContent, run.store);
    if (span.id === tenure.id) this.#await(this.#tellTenure(tracer, span, watched, extras));
    else if (extras instanceof Promise)
      this.#await(extras.then((known) => tell(tracer, span, watched.trace, known)));
    else tell(tracer, span, watched.trace, extras);
  }

  /** The span of the tenure itself: with links to who asked for it, and to the tenure before. */
  async #tellTenure(
    tracer: Tracer,
    span: ToldSpan,
    watched: Watched,
    extras: Extras | Promise<Extras>,
  ): Promise<void> {
    const { caller, former } = watched;
    const links: Link[] = caller === undefined ? [] : [{ context: caller }];
    const before = await former;
    if (before !== undefined) links.push({ context: { ...watched.trace, spanId: before } });
    tell(tracer, span, watched.trace, { ...(await extras), links });
  }

  #await(work: Promise<unknown>): void {
    const pending: Promise<void> = work
      .then(
        () => {},
        () => {}, // a span that cannot be told hurts nobody
      )
      .finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
  }

  /** Where all of it goes: looked up with the first run, when the application has set its SDK up. */
  #ready(): Outlets {
    const { traces = true, metrics: figures = true, logs: records = true } = this.#options;
    const { tracerProvider, meterProvider, loggerProvider } = this.#options;
    this.#outlets ??= {
      tracer: traces ? (tracerProvider ?? trace).getTracer(scope) : undefined,
      measures: figures ? new Measures((meterProvider ?? metrics).getMeter(scope)) : undefined,
      logger: records ? (loggerProvider ?? logs).getLogger(scope) : undefined,
    };
    return this.#outlets;
  }
}

interface Outlets {
  readonly tracer: Tracer | undefined;
  readonly measures: Measures | undefined;
  readonly logger: Logger | undefined;
}

/**
 * The trace of a run, and whether it is sampled: the sampler is asked about the trace's first span, which is told later,
 * when it has ended.
 */
function traceOf({ runId, pipeline }: WatchedRun, tracer: Tracer | undefined): Trace {
  const traceId = traceIdOf(runId);
  if (tracer === undefined) return { traceId, traceFlags: TraceFlags.NONE };
  const asked = identified({ traceId, spanId: tenureSpan(runId, 0) }, () =>
    tracer.startSpan(rootName(pipeline), { attributes: rootAttributes(runId, pipeline) }, ROOT_CONTEXT),
  );
  return { traceId, traceFlags: asked.spanContext().traceFlags };
}

/** Asks a provider, or the one behind it, to send what it holds. */
async function flushed(provider: object): Promise<void> {
  const behind = "getDelegate" in provider && typeof provider.getDelegate === "function";
  const real: object = behind ? (provider.getDelegate as () => object).call(provider) : provider;
  if ("forceFlush" in real && typeof real.forceFlush === "function") await real.forceFlush();
}
