import { type Manifest, placeFinder } from "../core/fingerprint.ts";
import { decimalUsd, type PicoUsd } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import type { RunRecord } from "../core/run-record.ts";
import type { Operation, Recorded } from "./operations.ts";
import type { Charge } from "./spending.ts";

/** A place of a recorded version, and how a run stands there. */
export interface PlaceStanding {
  /** `[]` stands for any item or turn. */
  readonly path: Path;
  /** What comes before it, as the manifest has it. */
  readonly after: string;
  /** How many operations have come to what. */
  readonly operations: { readonly [status: string]: number };
  /** Of the place itself; what places inside it cost is theirs. */
  readonly costUsd: string;
}

/**
 * How a run stands at each place of its version, kept up entry by entry: an answer costs what there are places and operations
 * under way, however long the run is.
 */
export class PlaceTally {
  readonly #manifest: Manifest;
  readonly #find: (path: Path) => Path | undefined;
  readonly #counted = new Map<Operation, { readonly place: Path; readonly status: Operation["status"] }>();
  /** By place and status: operations that have a result. */
  readonly #ended = new Map<Path, Map<string, number>>();
  readonly #open = new Map<Operation, Path>();
  readonly #costs = new Map<Path, PicoUsd>();

  /** @param find finds the place of a path; default: that of the manifest. */
  constructor(manifest: Manifest, find: (path: Path) => Path | undefined = placeFinder(manifest)) {
    this.#manifest = manifest;
    this.#find = find;
  }

  /** Takes in what an entry tells. */
  take(told: readonly Operation[], charge: Charge | undefined): void {
    for (const operation of told) this.#count(operation);
    if (charge === undefined) return;
    const place = this.#find(charge.path) ?? charge.path;
    this.#costs.set(place, (this.#costs.get(place) ?? 0n) + charge.spent.picoUsd);
  }

  standing(recorded: Recorded, run: RunRecord): PlaceStanding[] {
    const open = new Map<Path, Record<string, number>>();
    for (const [operation, place] of this.#open) {
      const counts = open.get(place) ?? {};
      const status = recorded.statusOf(operation, run);
      counts[status] = (counts[status] ?? 0) + 1;
      open.set(place, counts);
    }
    return this.#manifest.map(([path, , after]) => {
      const operations = { ...open.get(path) };
      for (const [status, n] of this.#ended.get(path) ?? [])
        operations[status] = (operations[status] ?? 0) + n;
      return { path, after, operations, costUsd: decimalUsd(this.#costs.get(path) ?? 0n) };
    });
  }

  #count(operation: Operation): void {
    const { path, status } = operation;
    const known = this.#counted.get(operation);
    if (known?.status === status) return;
    const place = known?.place ?? this.#placeOf(path);
    if (place === undefined) return;
    this.#counted.set(operation, { place, status });
    if (known !== undefined && hasResult(known.status)) this.#add(place, known.status, -1);
    if (hasResult(status)) {
      this.#open.delete(operation);
      this.#add(place, status, 1);
    } else this.#open.set(operation, place);
  }

  /** An operation inside a body is none of a place: its step is counted. Nor is an item, a turn or a branch. */
  #placeOf(path: Path): Path | undefined {
    if (path.includes(":")) return undefined;
    const place = this.#find(path);
    return place !== undefined && path.endsWith("]") === place.endsWith("]") ? place : undefined;
  }

  #add(place: Path, status: string, n: number): void {
    const counts = this.#ended.get(place) ?? new Map<string, number>();
    const sum = (counts.get(status) ?? 0) + n;
    if (sum === 0) counts.delete(status);
    else counts.set(status, sum);
    this.#ended.set(place, counts);
  }
}

const hasResult = (status: Operation["status"]): boolean => status === "completed" || status === "failed";
