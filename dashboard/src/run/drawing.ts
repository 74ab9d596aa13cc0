/** What a pipeline's picture is made of: boxes in lines, lines inside boxes. */
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { partText } from "./kinds.ts";
import type { PlaceStanding } from "./wire.ts";

export interface Box {
  readonly path: string;
  readonly name: string;
  /** Empty where only its place is known. */
  readonly kind: string;
  readonly models: readonly string[];
  readonly qualifiers: readonly string[];
  /** What is inside: one line of boxes for each branch, or one for the body of a map, a loop, a pipeline. */
  readonly lines: readonly Line[];
  /** Lines that are taken when it fails, the first one first. */
  readonly fallbacks: readonly (readonly Box[])[];
}

export interface Line {
  /** Of which branch; empty for a body. */
  readonly name: string;
  readonly boxes: readonly Box[];
}

/** The boxes of a graph, as `flujo graph --format json` prints it. */
export const boxesOf = (graph: Json): readonly Box[] => objectsIn(graph).flatMap(boxOf);

function boxOf(node: JsonObject): readonly Box[] {
  if (node.kind === "sequence") return boxesOf(node.inside ?? []);
  const path = textOf(node.path);
  return [
    {
      path,
      name: textOf(node.name),
      kind: textOf(node.kind),
      models: textsIn(node.models),
      qualifiers: textsIn(node.qualifiers),
      lines: objectsIn(node.inside).map(({ within, steps = [] }) => ({
        name: lineName(path, textOf(within)),
        boxes: boxesOf(steps),
      })),
      fallbacks: (Array.isArray(node.fallbacks) ? node.fallbacks : []).map(boxesOf),
    },
  ];
}

/** The same of a recorded version, of which only the places are known. */
export function boxesOfPlaces(places: readonly PlaceStanding[]): readonly Box[] {
  const below = Map.groupBy(places, ({ path }) => parentOf(path));
  const build = (within: string): readonly Box[] => {
    const boxes: Box[] = [];
    for (const { path, after } of below.get(within) ?? []) {
      const inside = [...below.keys()].filter(
        (key) => key === path || (key.startsWith(`${path}[`) && parentOf(key) === path),
      );
      const box: Box = {
        path,
        name: partText(path.slice(within.length)),
        kind: "",
        models: [],
        qualifiers: [],
        lines: inside.map((key) => ({ name: lineName(path, key), boxes: build(key) })),
        fallbacks: [],
      };
      const failed = after.endsWith("?") ? boxes.at(-1) : undefined;
      if (failed === undefined) boxes.push(box);
      else boxes.splice(-1, 1, { ...failed, fallbacks: [...failed.fallbacks, [box]] });
    }
    return boxes;
  };
  return build("");
}

/** `left` of `/q3/both[left]`; nothing for the body of a map, a loop or a pipeline. */
const lineName = (path: string, within: string): string =>
  within === path || within === `${path}[]` ? "" : partText(within.slice(path.length));

/** The path one part shorter, where a part is `/name` or `[key]`. */
const parentOf = (path: string): string =>
  path.slice(0, Math.max(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("["))));

const objectsIn = (json: Json | undefined): readonly JsonObject[] =>
  Array.isArray(json)
    ? json.filter((one): one is JsonObject => typeof one === "object" && one !== null && !Array.isArray(one))
    : [];
const textsIn = (json: Json | undefined): readonly string[] =>
  Array.isArray(json) ? json.filter((one) => typeof one === "string") : [];
const textOf = (json: Json | undefined): string => (typeof json === "string" ? json : "");

/** How a place stands: by what its operations have come to, or, before it has an end of its own, what is inside it. */
export function statusOf(box: Box, standing: ReadonlyMap<string, PlaceStanding>): string | undefined {
  const own = standing.get(box.path)?.operations ?? {};
  const found = order.find((status) => (own[status] ?? 0) > 0);
  if (found !== undefined) return found;
  const inside = box.lines.flatMap(({ boxes }) => boxes).flatMap((inner) => statusOf(inner, standing) ?? []);
  if (inside.length === 0) return undefined;
  return order.find((status) => status !== "completed" && inside.includes(status)) ?? "running";
}

const order = ["running", "waiting", "failed", "stopped", "completed"];
