/** How a run stands, place by place, told by its events. Pure: drawing is `live.ts` and `plain.ts`. */
import type { RunEvent } from "../core/events.ts";
import { links, type Node, type Place } from "../core/node.ts";
import { childPath, type Path } from "../core/paths.ts";
import { inside, places } from "../core/tree.ts";

/** One place of the tree, and what has happened there so far, in all items and turns together. */
export interface Line {
  /** As the tree writes it, `[]` for every item: `/q3/AnalyseAll[]/fetch`. */
  readonly place: Path;
  readonly name: string;
  readonly kind: Place["kind"];
  readonly depth: number;
  /** Inside a map or loop, where one line stands for many operations. */
  readonly repeated: boolean;
  done: number;
  failed: number;
  cached: number;
  /** Paths begun and not finished. */
  readonly running: Set<Path>;
  waiting: boolean;
  tookMs: number;
  picoUsd: bigint;
  /** Of a map: items finished, and how many there are as far as is known. */
  items: number;
  total: number | undefined;
}

export class Progress {
  readonly lines: readonly Line[];
  /** Settled costs of the run, as far as its events tell. */
  picoUsd = 0n;
  calls = 0;
  readonly #byPlace = new Map<Path, Line>();
  /** Where the branches of the tree hang: `/q3/both[left]`. */
  readonly #branches = new Set<Path>();
  /** The maps whose item is finished when something at this place is. */
  readonly #lastIn = new Map<Path, Line>();
  /** Lengths of recorded lists, by the entry that holds them. */
  readonly #lengths = new Map<number, number>();
  readonly #mapsSeen = new Set<Path>();

  constructor(node: Node) {
    const lines: Line[] = [];
    this.#list(node, "", 0, false, lines);
    this.lines = lines;
  }

  /** The line of a path; undefined when the tree has no such place. */
  lineOf(path: Path): Line | undefined {
    return this.#byPlace.get(this.#placeOf(path));
  }

  take(event: RunEvent): void {
    this.#measure(event);
    if (!("path" in event)) return;
    const { path } = event;
    const line = this.lineOf(path);
    switch (event.type) {
      case "step-started":
        line?.running.add(path);
        return;
      case "step-completed":
      case "container-completed":
        if (line === undefined) return;
        line.done += 1;
        line.tookMs += event.took;
        line.waiting = false;
        line.running.delete(path);
        if (event.type === "step-completed" && event.cached) line.cached += 1;
        this.#countItem(path, line, event.in);
        return;
      case "signal-received":
        if (line === undefined) return;
        line.done += 1;
        line.waiting = false;
        this.#countItem(path, line, undefined);
        return;
      case "step-failed":
        line?.running.delete(path);
        if (line !== undefined) line.failed += 1;
        return;
      case "signal-awaited":
        if (line !== undefined) line.waiting = true;
        return;
      case "map-started":
        if (line !== undefined) this.#expect(path, line, event.count);
        return;
      case "timer-set":
        line?.running.add(path);
        return;
      case "failure-collected":
        if (line !== undefined && line.kind === "mapOver") line.items += 1;
        return;
      case "budget-reserved":
        this.calls += 1;
        return;
      case "budget-settled":
        this.picoUsd += event.picoUsd;
        if (line !== undefined) line.picoUsd += event.picoUsd;
        return;
      default:
        return;
    }
  }

  #list(node: Node, within: Path, depth: number, repeated: boolean, lines: Line[]): void {
    for (const place of places(node)) {
      const path = childPath(within, place.name);
      const line: Line = {
        place: path,
        name: place.name,
        kind: place.kind,
        depth,
        repeated,
        done: 0,
        failed: 0,
        cached: 0,
        running: new Set(),
        waiting: false,
        tookMs: 0,
        picoUsd: 0n,
        items: 0,
        total: undefined,
      };
      lines.push(line);
      this.#byPlace.set(path, line);
      const again = repeated || place.kind === "mapOver" || place.kind === "loopUntil";
      for (const sub of inside(place, path)) {
        this.#branches.add(sub.within);
        this.#list(sub.node, sub.within, depth + 1, again, lines);
        if (place.kind === "mapOver")
          for (const last of lastPlaces(sub.node, sub.within)) this.#lastIn.set(last, line);
      }
    }
  }

  /** `/q3/all[Alpha]/fetch:get#0` is `/q3/all[]/fetch`; keys of branches stay. */
  #placeOf(path: Path): Path {
    let place = "";
    for (const [, name, key] of path.replace(/:.*$/, "").matchAll(/\/([^/[@]+)(?:@\d+)?(?:\[([^\]]*)\])?/g)) {
      place += `/${name}`;
      if (key === undefined) continue;
      const { kind } = this.#byPlace.get(place) ?? {};
      if (kind === "parallel" || kind === "branchOn")
        place += this.#branches.has(`${place}[${key}]`) ? `[${key}]` : "[otherwise]";
      else place += "[]";
    }
    return place.endsWith("]") ? place.slice(0, place.lastIndexOf("[")) : place;
  }

  /** Notes how long recorded lists are: maps over them say only where their items came from. */
  #measure(event: RunEvent): void {
    if (event.type === "run-created" && Array.isArray(event.input)) this.#lengths.set(0, event.input.length);
    if (event.type === "step-completed" && Array.isArray(event.output))
      this.#lengths.set(event.seq, event.output.length);
    if (event.type === "container-completed" && event.kind === "mapOver" && Array.isArray(event.out)) {
      this.#lengths.set(event.seq, event.out.length);
    }
  }

  #countItem(path: Path, line: Line, from: unknown): void {
    const map = this.#lastIn.get(line.place);
    if (map !== undefined) map.items += 1;
    const item = path.lastIndexOf("[");
    if (item < 0 || !Array.isArray(from) || from.length !== 2) return;
    const around = this.lineOf(path.slice(0, item));
    const length = this.#lengths.get(from[0]);
    if (around?.kind === "mapOver" && length !== undefined) this.#expect(path.slice(0, item), around, length);
  }

  #expect(path: Path, map: Line, count: number): void {
    if (this.#mapsSeen.has(path)) return;
    this.#mapsSeen.add(path);
    map.total = (map.total ?? 0) + count;
  }
}

/** The places whose end is the end of the tree: each of them, where there are branches. */
function lastPlaces(node: Node, within: Path): Path[] {
  const all = links(node);
  return places(all[all.length - 1] as Node).flatMap((place) => {
    const path = childPath(within, place.name);
    if (place.kind !== "pipeline" && place.kind !== "branchOn") return [path];
    return inside(place, path).flatMap((sub) => lastPlaces(sub.node, sub.within));
  });
}
