/** How two values differ, field by field; texts line by line. */
import type { Json } from "../core/json.ts";
import { type Change, diff } from "../core/state.ts";

/** One field that differs. */
export interface ValueChange {
  readonly op: Change["op"];
  /** A JSON Pointer into either value; empty for the whole. */
  readonly path: string;
  /** Absent of what was added, and of what was removed. */
  readonly before?: Json;
  readonly after?: Json;
  /** Of texts of several lines: those that differ, with `-` or `+` before them, and some around them, with a space. */
  readonly lines?: readonly string[];
}

/** What leads from one value to another; empty when they are the same. Field order does not count. */
export async function compareValues(before: Json, after: Json): Promise<ValueChange[]> {
  const changes: ValueChange[] = [];
  for (const change of diff(before, after)) {
    // Lists shrink from their end and grow at it: every path of another change is one of `before`, too.
    const old = change.op === "add" ? undefined : at(before, change.path);
    if (change.op === "remove") changes.push({ op: "remove", path: change.path, before: old ?? null });
    else if (change.op === "add") changes.push({ op: "add", path: change.path, after: change.value });
    else changes.push(await replaced(change.path, old ?? null, change.value));
  }
  return changes;
}

async function replaced(path: string, before: Json, after: Json): Promise<ValueChange> {
  const change = { op: "replace", path, before, after } as const;
  if (typeof before !== "string" || typeof after !== "string") return change;
  return before.includes("\n") || after.includes("\n")
    ? { ...change, lines: await compareTexts(before, after) }
    : change;
}

/** Lines that differ, `-` or `+` before them, with two lines around them. */
export async function compareTexts(before: string, after: string): Promise<string[]> {
  if (before === after) return [];
  const { structuredPatch } = await import("diff");
  const { hunks } = structuredPatch("", "", ended(before), ended(after), "", "", { context: 2 });
  return hunks.flatMap(({ lines }, i) => (i === 0 ? lines : ["…", ...lines]));
}

/** Whether the last line ends in a line break is nobody's question here. */
const ended = (text: string): string => (text.endsWith("\n") ? text : `${text}\n`);

function at(value: Json, pointer: string): Json | undefined {
  let part: Json | undefined = value;
  for (const key of pointer.split("/").slice(1)) {
    if (typeof part !== "object" || part === null) return undefined;
    const name = key.replaceAll("~1", "/").replaceAll("~0", "~");
    part = Object.hasOwn(part, name) ? (part as { readonly [key: string]: Json })[name] : undefined;
  }
  return part;
}
