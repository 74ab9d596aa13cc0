/** Spans as they came over the wire, as lines to compare. */
import type { WireSpan } from "./collector.ts";

/** Children in the order of their lines. */
export function tree(spans: readonly WireSpan[], parent?: string, indent = ""): string[] {
  return spans
    .filter(({ parentSpanId }) => (parentSpanId || undefined) === parent)
    .sort((a, b) => (lineOf(a) < lineOf(b) ? -1 : 1))
    .flatMap((span) => [`${indent}${lineOf(span)}`, ...tree(spans, span.spanId, `${indent}  `)]);
}

/** A span by its name, and how it ended. */
export function lineOf({ name, status, attributes }: WireSpan): string {
  const standing = attributes["flujo.run.status"];
  if (status.code === 2) return `${name} !${attributes["error.type"]}`;
  return standing === undefined ? name : `${name} ${standing}`;
}
