/** How a run stands, place by place, told by its events. Pure: drawing is `live.ts` and `plain.ts`. */
import { isBlobRef } from "../core/entries.ts";
import type { Elsewhere, RunEvent } from "../core/events.ts";
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
  /** The outermost map or loop around it, where one line stands for many operations. */
  readonly repeats: Line | undefined;
  done: number;
  failed: number;
  cached: number;
  /** Paths begun and not finished. */
  readonly running: Set<Path>;
  waiting: boolean;
  /** The end of what a model is saying there: of the call heard last, while it is under way. */
  saying: { readonly path: Path; readonly text: string } | undefined;
  tookMs: number;
  picoUsd: bigint;
  /** Of a map: items finished, and how many there are as far as is known. */
  items: number;
  total: number | undefined;
}

/** The length of a list that the store keeps under a hash; undefined when it is none. */
export type CountAside = (hash: string) => Promise<number | undefined>;

export class Progress {
  readonly lines: readonly Line[];
  /** Settled costs of the run, as far as its events tell. */
  picoUsd = 0n;
  calls = 0;
  /** Places that are undone. */
  undone = 0;
  /** Whether the run has come to stand. */
  ended = false;
  readonly #byPlace = new Map<Path, Line>();
  /** Where the branches of the tree hang: `/q3/both[left]`. */
  readonly #branches = new Set<Path>();
  /** The maps whose item is finished when something at this place is. */
  readonly #lastIn = new Map<Path, Line>();
  /** Lengths of recorded lists, by the entry that holds them. */
  readonly #lengths = new Map<number, number>();
  /** Recorded lists kept aside, by the entry that refers to them. */
  readonly #aside = new Map<number, string>();
  readonly #mapsSeen = new Set<Path>();
  readonly #countAside: CountAside;

  /** @param countAside tells the length of a list kept aside, where that can be found out. */
  constructor(node: Node, countAside: CountAside = async () => undefined) {
    this.#countAside = countAside;
    const lines: Line[] = [];
    this.#list(node, "", 0, undefined, lines);
    this.lines = lines;
  }

  /** The line of a path; undefined when the tree has no such place. */
  lineOf(path: Path): Line | undefined {
    return this.#byPlace.get(this.#placeOf(path));
  }

  take(event: RunEvent): void {
    this.#measure(event);
    const { path, type } = event;
    if (type.startsWith("run-")) this.ended = type !== "run-created" && type !== "run-resumed";
    if (this.ended) for (const line of this.lines) line.saying = undefined;
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
        if (line === undefined) return;
        line.failed += 1;
        line.waiting = false;
        return;
      case "signal-awaited":
        if (line !== undefined) line.waiting = true;
        return;
      case "question-answered":
        if (line !== undefined) line.waiting = false;
        return;
      case "map-started":
        if (line !== undefined) this.#expect(path, line, event.count);
        return;
      case "timer-set":
        line?.running.add(path);
        return;
      case "text-streamed":
        if (line !== undefined && event.kind !== "tool-call") hear(line, path, event.chunks.join(""));
        return;
      case "failure-collected":
        if (line !== undefined && line.kind === "mapOver") line.items += 1;
        return;
      case "compensation-completed":
        this.undone += 1;
        return;
      case "budget-reserved":
        this.calls += 1;
        return;
      case "budget-settled":
        if (line?.saying?.path === path) line.saying = undefined; // its call is over, well or not
        this.picoUsd += event.picoUsd;
        if (line !== undefined) line.picoUsd += event.picoUsd;
        return;
      default:
        return;
    }
  }

  #list(node: Node, within: Path, depth: number, repeats: Line | undefined, lines: Line[]): void {
    for (const place of places(node)) {
      const path = childPath(within, place.name);
      const line: Line = {
        place: path,
        name: place.name,
        kind: place.kind,
        depth,
        repeats,
        done: 0,
        failed: 0,
        cached: 0,
        running: new Set(),
        waiting: false,
        saying: undefined,
        tookMs: 0,
        picoUsd: 0n,
        items: 0,
        total: undefined,
      };
      lines.push(line);
      this.#byPlace.set(path, line);
      const isMany = place.kind === "mapOver" || place.kind === "loopUntil";
      const around = repeats ?? (isMany ? line : undefined);
      for (const sub of inside(place, path)) {
        this.#branches.add(sub.within);
        this.#list(sub.node, sub.within, depth + 1, around, lines);
        if (place.kind === "mapOver")
          for (const last of lastPlaces(sub.node, sub.within)) this.#lastIn.set(last, line);
      }
    }
  }

  /** `/q3/all[Alpha]/fetch:get#0` is `/q3/all[]/fetch`; keys of branches stay. */
  #placeOf(path: Path): Path {
    let place = "";
    for (const [, name, key] of path
      .replace(/:.*$/, "")
      .matchAll(/\/([^/[@]+(?:@undo)?)(?:@\d+)?(?:\[([^\]]*)\])?/g)) {
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
    if (event.type === "run-created") {
      if (Array.isArray(event.input)) this.#lengths.set(0, event.input.length);
      else if (isBlobRef(event.input)) this.#aside.set(0, event.input.hash);
    } else if (event.type === "step-completed") {
      const output = event.output as Partial<Elsewhere> | null | undefined; // anything at all; only its shape is looked at
      if (Array.isArray(output)) this.#lengths.set(event.seq, output.length);
      else if (typeof output?.elsewhere === "string") this.#aside.set(event.seq, output.elsewhere);
    } else if (event.type === "container-completed" && event.kind === "mapOver" && Array.isArray(event.out)) {
      this.#lengths.set(event.seq, event.out.length);
    }
  }

  #countItem(path: Path, line: Line, from: unknown): void {
    const map = this.#lastIn.get(line.place);
    if (map !== undefined) map.items += 1;
    const item = path.lastIndexOf("[");
    if (item < 0 || !Array.isArray(from) || from.length !== 2) return;
    const around = this.lineOf(path.slice(0, item));
    if (around?.kind === "mapOver") this.#expectFrom(path.slice(0, item), around, from[0]);
  }

  #expectFrom(path: Path, map: Line, seq: number): void {
    const length = this.#lengths.get(seq);
    const hash = this.#aside.get(seq);
    if (length !== undefined) this.#expect(path, map, length);
    if (length !== undefined) return;
    if (hash === undefined || this.#mapsSeen.has(path)) return;
    this.#mapsSeen.add(path);
    this.#countAside(hash).then(
      (count) => {
        if (count !== undefined) map.total = (map.total ?? 0) + count;
      },
      () => {}, // a picture without a total will do
    );
  }

  #expect(path: Path, map: Line, count: number): void {
    if (this.#mapsSeen.has(path)) return;
    this.#mapsSeen.add(path);
    map.total = (map.total ?? 0) + count;
  }
}

/** Characters kept of what is being said: more than any terminal is wide. */
const mostKept = 1_000;

function hear(line: Line, path: Path, chunk: string): void {
  const before = line.saying?.path === path ? line.saying.text : "";
  line.saying = { path, text: (before + chunk).slice(-mostKept) };
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
