/** A pipeline drawn: as Mermaid, as JSON, as a tree of text. Pure: it looks at the tree, and runs nothing. */
import type { Json } from "../core/json.ts";
import { decimalUsd, type Limits } from "../core/limits.ts";
import { links, type Node, nameOf, type Place, type Qualifier } from "../core/node.ts";
import { childPath, type Path, undoPath } from "../core/paths.ts";
import { inside, type Subtree } from "../core/tree.ts";
import { modelText } from "./readable.ts";

export type GraphFormat = "mermaid" | "json" | "text";
export const graphFormats: readonly GraphFormat[] = ["mermaid", "json", "text"];

/** The drawing of a tree, without a final newline. */
export function graph(node: Node, format: GraphFormat): string {
  if (format === "json") return JSON.stringify(graphJson(node), null, 2);
  return format === "text" ? graphText(node) : mermaid(node);
}

/** The tree as plain data: places with their paths, qualifiers around them, what is inside. */
export function graphJson(node: Node, within: Path = ""): Json {
  return links(node).map((part) => jsonOf(part, within));
}

function jsonOf(node: Node, within: Path): Json {
  const { place, qualifiers, others } = peel(node);
  const undo = undoOf(node, within);
  const marks = {
    ...(qualifiers.length === 0 ? {} : { qualifiers: qualifiers.map(qualifierText) }),
    ...(others.length === 0 ? {} : { fallbacks: others.map((other) => graphJson(other, within)) }),
    ...(undo === undefined ? {} : { compensation: graphJson(undo.node, undo.within) }),
  };
  if (place.kind === "sequence")
    return { kind: "sequence", name: nameOf(place), inside: graphJson(place, within), ...marks };
  const path = childPath(within, place.name);
  const trees = inside(place, path).map((sub) => ({
    within: sub.within,
    steps: graphJson(sub.node, sub.within),
  }));
  return {
    kind: place.kind,
    name: place.name,
    path,
    ...("models" in place && place.models !== undefined ? { models: [...place.models] } : {}),
    ...marks,
    ...(trees.length === 0 ? {} : { inside: trees }),
  };
}

/** The tree as indented lines. */
export function graphText(node: Node): string {
  const lines: string[] = [];
  draw(node, "", "", lines);
  return lines.join("\n");
}

function draw(node: Node, within: Path, indent: string, lines: string[]): void {
  for (const part of links(node)) {
    const { place, qualifiers, others } = peel(part);
    const marks = qualifiers.map((qualifier) => ` .${qualifierText(qualifier)}`).join("");
    if (place.kind === "sequence") {
      lines.push(`${indent}(${nameOf(place)})${marks}`);
      draw(place, within, `${indent}  `, lines);
    } else {
      const path = childPath(within, place.name);
      lines.push(`${indent}${place.name}  ${kindText(place)}${marks}`);
      for (const sub of inside(place, path)) {
        const key = branchKey(place, sub.within);
        if (key !== undefined) lines.push(`${indent}  [${key}]`);
        draw(sub.node, sub.within, `${indent}${key === undefined ? "  " : "    "}`, lines);
      }
    }
    const undo = undoOf(part, within);
    if (undo !== undefined) {
      lines.push(`${indent}  [compensation]`);
      draw(undo.node, undo.within, `${indent}    `, lines);
    }
    for (const other of others) {
      lines.push(`${indent}  [fallback]`);
      draw(other, within, `${indent}    `, lines);
    }
  }
}

/** The tree as a Mermaid flowchart. */
export function mermaid(node: Node): string {
  const lines = ["flowchart TD"];
  const ids = new Map<Path, string>();
  const idOf = (path: Path): string => {
    const known = ids.get(path) ?? `n${ids.size}`;
    ids.set(path, known);
    return known;
  };
  chart(node, { within: "", indent: "  ", lines, idOf });
  return lines.join("\n");
}

interface Sheet {
  readonly within: Path;
  readonly indent: string;
  readonly lines: string[];
  readonly idOf: (path: Path) => string;
}

/** Draws a line of places, and tells the first and the last. */
function chart(node: Node, sheet: Sheet): { readonly first: string; readonly last: string } {
  const { within, indent, lines, idOf } = sheet;
  let first: string | undefined;
  let last = "";
  for (const part of links(node)) {
    const { place, qualifiers, others } = peel(part);
    const marks = qualifiers.map(qualifierText);
    let ends: { readonly first: string; readonly last: string };
    if (place.kind === "sequence") {
      ends = chart(place, sheet);
    } else {
      const path = childPath(within, place.name);
      const id = idOf(path);
      const label = quoted([place.name, kindText(place), ...marks]);
      const trees = inside(place, path);
      if (trees.length === 0) lines.push(`${indent}${id}[${label}]`);
      else {
        lines.push(`${indent}subgraph ${id}[${label}]`);
        for (const sub of trees) {
          const inner = { ...sheet, within: sub.within, indent: `${indent}  ` };
          const key = branchKey(place, sub.within);
          const drawn = chart(sub.node, inner);
          if (key !== undefined) {
            const door = idOf(sub.within);
            lines.push(`${indent}  ${door}([${quoted([key])}]) --> ${drawn.first}`);
          }
        }
        lines.push(`${indent}end`);
      }
      ends = { first: id, last: id };
    }
    const undo = undoOf(part, within);
    if (undo !== undefined) {
      const drawn = chart(undo.node, { ...sheet, within: undo.within });
      lines.push(`${indent}${ends.last} -. compensation .-> ${drawn.first}`);
    }
    let from = ends.first;
    for (const other of others) {
      const drawn = chart(other, sheet);
      lines.push(`${indent}${from} -. fallback .-> ${drawn.first}`);
      from = drawn.first;
    }
    if (last !== "") lines.push(`${indent}${last} --> ${ends.first}`);
    first ??= ends.first;
    last = ends.last;
  }
  return { first: first ?? "", last };
}

/** Text inside a Mermaid label: no character of it can end the label or become markup. */
const quoted = (parts: readonly string[]): string =>
  `"${parts.map((part) => part.replace(/[^\p{L}\p{N} .,_:$()/-]/gu, (char) => `#${char.codePointAt(0)};`)).join("<br/>")}"`;

interface Peeled {
  readonly place: Place | Extract<Node, { kind: "sequence" }>;
  /** Innermost first, as they are written. */
  readonly qualifiers: readonly Qualifier[];
  /** Where it goes when it fails, and when that fails. */
  readonly others: readonly Node[];
}

/** A node without its qualifiers. */
function peel(node: Node): Peeled {
  const qualifiers: Qualifier[] = [];
  const others: Node[] = [];
  let inner = node;
  while ("of" in inner) {
    if (inner.kind === "fallback") others.unshift(inner.other);
    else if (inner.kind !== "compensate") qualifiers.unshift(inner);
    inner = inner.of;
  }
  return { place: inner, qualifiers, others };
}

/** What undoes the place inside all qualifiers; that of a fallback belongs to the fallback. */
function undoOf(node: Node, within: Path): Subtree | undefined {
  for (let inner = node; "of" in inner; inner = inner.of)
    if (inner.kind === "compensate")
      return { within: undoPath(childPath(within, nameOf(inner.of))), node: inner.undo };
  return undefined;
}

/** `left` of `/q3/both[left]`; nothing for the one body of a map, loop or pipeline. */
function branchKey(place: Place, within: Path): string | undefined {
  if (place.kind !== "parallel" && place.kind !== "branchOn") return undefined;
  return within.slice(within.lastIndexOf("[") + 1, -1);
}

function kindText(place: Place): string {
  switch (place.kind) {
    case "step":
    case "agent": {
      const what = place.modelKind ?? place.kind;
      return place.models === undefined ? what : `${what} ${place.models.map(modelText).join(", ")}`;
    }
    case "mapOver":
      return `mapOver, ${place.concurrency} at once`;
    case "loopUntil":
      return `loopUntil, at most ${place.maxLoops} turns`;
    case "sleep":
      return typeof place.ms === "number" ? `sleep ${place.ms} ms` : "sleep until a moment";
    default:
      return place.kind;
  }
}

function qualifierText(qualifier: Qualifier): string {
  switch (qualifier.kind) {
    case "retry":
      return `retry(${qualifier.attempts})`;
    case "timeout":
      return `timeout(${qualifier.ms} ms)`;
    case "budget":
      return `budget(${limitsText(qualifier.limits)})`;
    default:
      return `${qualifier.kind}()`;
  }
}

/** Limits as a person writes them. */
export function limitsText({ picoUsd, tokens, calls, timeMs }: Limits): string {
  const parts = [
    picoUsd === undefined ? undefined : `$${decimalUsd(BigInt(picoUsd))}`,
    tokens === undefined ? undefined : `${tokens} tokens`,
    calls === undefined ? undefined : `${calls} calls`,
    timeMs === undefined ? undefined : `${timeMs} ms`,
  ];
  return parts.filter((part) => part !== undefined).join(", ");
}
