/** A collector: an HTTP server that takes OTLP as JSON, and keeps it. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

/** A span as it came over the wire, its attributes as plain values. */
export interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: { readonly [name: string]: unknown };
  /** The process that sent it. */
  readonly pid: number;
}

export interface WireRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly body: unknown;
  readonly attributes: { readonly [name: string]: unknown };
}

export interface Collector {
  readonly url: string;
  readonly spans: readonly WireSpan[];
  readonly records: readonly WireRecord[];
  /** The names of the metrics that came. */
  readonly metrics: ReadonlySet<string>;
  /** Resolves when something that came makes it so. */
  until(isSo: () => boolean): Promise<void>;
  close(): Promise<void>;
}

/** A message of OTLP: known well enough to be read field by field. */
interface Message {
  readonly [field: string]: Message | undefined;
}

export async function collector(): Promise<Collector> {
  const spans: WireSpan[] = [];
  const records: WireRecord[] = [];
  const metrics = new Set<string>();
  const waiting = new Set<() => void>();
  const take = (url: string, message: Message): void => {
    if (!/^\/v1\/(traces|logs|metrics)$/.test(url)) throw new Error(`nothing of OTLP goes to ${url}`);
    for (const { resource, scopeSpans } of list(message.resourceSpans)) {
      const { "process.pid": pid } = plain(resource?.attributes);
      for (const span of list(scopeSpans).flatMap((scope) => list(scope.spans))) {
        const attributes = plain(span.attributes);
        spans.push({ ...(span as unknown as WireSpan), attributes, pid: Number(pid) }); // as OTLP has it
      }
    }
    for (const record of list(message.resourceLogs)
      .flatMap(({ scopeLogs }) => list(scopeLogs))
      .flatMap(({ logRecords }) => list(logRecords))) {
      const { traceId, spanId } = record as unknown as WireRecord; // as OTLP has it
      records.push({ traceId, spanId, body: content(record.body), attributes: plain(record.attributes) });
    }
    for (const metric of list(message.resourceMetrics)
      .flatMap(({ scopeMetrics }) => list(scopeMetrics))
      .flatMap((scope) => list(scope.metrics)))
      metrics.add(String(metric.name));
  };
  const server = createServer(async (request, response) => {
    take(request.url ?? "", JSON.parse(await bodyOf(request)));
    response.setHeader("content-type", "application/json").end("{}");
    for (const look of [...waiting]) look();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    records,
    metrics,
    until: (isSo) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!isSo()) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

const list = (messages: Message | undefined): readonly Message[] =>
  (messages ?? []) as unknown as readonly Message[]; // where it is called, OTLP has a list

/** `[{ key, value: { stringValue } }]` as an object. */
const plain = (attributes: Message | undefined): { [name: string]: unknown } =>
  Object.fromEntries(list(attributes).map(({ key, value }) => [String(key), content(value)]));

function content(value: Message | undefined): unknown {
  const [kind, inner] = Object.entries(value ?? {})[0] ?? [];
  if (kind === "arrayValue") return list(inner?.values).map(content);
  return kind === "intValue" ? Number(inner) : inner;
}
