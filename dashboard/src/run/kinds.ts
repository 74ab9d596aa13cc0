/** How operations are named and coloured. */
import type { TreeRow } from "../../../src/lens/tree.ts";

/** The class of a bar. */
export function toneOf({ kind, status }: Pick<TreeRow, "kind" | "status">): string {
  if (status === "failed") return "bar-failed";
  return tones[kind] ?? "bar-group";
}

const tones: { readonly [kind: string]: string } = {
  step: "bar-step",
  run: "bar-step",
  check: "bar-step",
  agent: "bar-agent",
  "model-call": "bar-model",
  "tool-call": "bar-tool",
  humanInTheLoop: "bar-wait",
  waitFor: "bar-wait",
  sleep: "bar-wait",
};

/**
 * The last part of a path as a person reads it: `/summarise` is `summarise`, `[Alpha]` is `Alpha`, `:call#0` is `call`,
 * `:call#1` is `call 2`, `@2` is `attempt 2`.
 */
export function partText(part: string): string {
  const text = decoded(part);
  if (text.startsWith("/")) return text.slice(1);
  if (text.startsWith("[")) return text.slice(1, -1);
  if (text.startsWith("@")) return `attempt ${text.slice(1)}`;
  const [, name, use] = /^:(.*)#(\d+)$/s.exec(text) ?? [];
  if (name === undefined) return text;
  return use === "0" ? name : `${name} ${Number(use) + 1}`;
}

/** Names hold the characters that structure paths percent-encoded, lone surrogates in a form of their own. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part.replace(/%u[0-9a-f]{4}/gi, "\ufffd"));
  } catch {
    return part;
  }
}
