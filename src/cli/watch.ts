import type { Entry, ModelPriced } from "../core/entries.ts";
import { eventOf, type RunEvent } from "../core/events.ts";
import type { Node } from "../core/node.ts";
import type { Path } from "../core/paths.ts";
import type { Store } from "../ports/store.ts";
import { tell as tellPlainly } from "./plain.ts";
import { Progress } from "./progress.ts";
import { say } from "./terminal.ts";

/** What a run's events have told this process. */
export interface Seen {
  /** Of the run as recorded; undefined while no entry has told it. */
  fingerprint: string | undefined;
  readonly prompts: Map<Path, string>;
  /** By which price each model's last call was charged. */
  readonly prices: Map<string, Pick<ModelPriced, "model" | "source" | "date">>;
}

/** Eyes on a run: what they have seen, and how to close them. */
export interface Watch {
  readonly seen: Seen;
  readonly onEvent: (event: RunEvent) => void;
  /** Ends the drawing; the last picture stays. */
  readonly end: () => void;
}

/** Follows a run's events, from what is recorded already on: drawn on a terminal, told in lines elsewhere, or (quiet) only remembered. */
export async function watchRun(
  node: Node,
  store: Store,
  quiet: boolean,
  past: readonly Entry[],
): Promise<Watch> {
  const seen: Seen = { fingerprint: undefined, prompts: new Map(), prices: new Map() };
  const before = past.map(eventOf);
  for (const event of before) remember(event, seen);
  if (quiet) return { seen, onEvent: (event) => remember(event, seen), end: () => {} };
  const progress = new Progress(node, async (hash) => {
    const list: unknown = JSON.parse((await store.blob(hash)) ?? "null");
    return Array.isArray(list) ? list.length : undefined;
  });
  for (const event of before) progress.take(event);
  const isLive = process.stderr.isTTY && process.env.TERM !== "dumb";
  const tell = isLive ? undefined : tellPlainly;
  const end = isLive ? (await import("./live.ts")).drawLive(progress, Date.now()) : () => {};
  const offline = new Set<string>();
  const onEvent = (event: RunEvent): void => {
    remember(event, seen);
    progress.take(event);
    tell?.(event, progress);
    if (event.type === "budget-reserved") sayOffline(event.model, offline);
  };
  return { seen, onEvent, end: once(end) };
}

function remember(event: RunEvent, seen: Seen): void {
  if (event.type === "run-created" || event.type === "run-resumed")
    seen.fingerprint = event.fingerprint ?? seen.fingerprint;
  if (event.type === "model-priced") seen.prices.set(event.model, event);
  if (event.type === "signal-awaited") seen.prompts.set(event.path, event.prompt);
}

/** Nobody should take picked sentences for a model's answer. */
function sayOffline(model: string, told: Set<string>): void {
  if (!model.startsWith("offline:") || told.has(model)) return;
  told.add(model);
  say(`${model} is not an LLM: it picks sentences from the text, without a network.`);
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (!done) work();
    done = true;
  };
}
