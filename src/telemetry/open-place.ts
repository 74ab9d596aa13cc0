import type { PicoUsd } from "../core/limits.ts";
import { around } from "./place.ts";
import type { ToldEvent } from "./told.ts";

/** More moments than this within one span are left out, as an SDK would. */
const mostEvents = 128;

/** A place in which something has happened and whose end has not been seen yet: a span to be. */
export class OpenPlace {
  readonly path: string;
  readonly inside = new Map<string, OpenPlace>();
  readonly events: ToldEvent[] = [];
  /** When the first and the last thing in it happened. */
  start = Number.POSITIVE_INFINITY;
  end = Number.NEGATIVE_INFINITY;
  kind: string | undefined;
  attempt: number | undefined;
  /** The model last called in it, and what all calls in it came to. */
  model: string | undefined;
  inputTokens = 0;
  outputTokens = 0;
  picoUsd: PicoUsd = 0n;

  constructor(path: string) {
    this.path = path;
  }

  /** The place a path lies in; it and those between are opened when they are not yet. */
  enclosing(path: string, from: number, to: number = from): OpenPlace {
    let place: OpenPlace = this.stretch(from, to);
    for (const next of around(path)) place = place.child(next, from, to);
    return place;
  }

  /** An open place anywhere inside. */
  find(path: string): OpenPlace | undefined {
    let place: OpenPlace | undefined = this;
    for (const next of [...around(path), path]) place = place?.inside.get(next);
    return place;
  }

  child(path: string, from: number, to: number = from): OpenPlace {
    const known = this.inside.get(path);
    if (known !== undefined) return known.stretch(from, to);
    const made = new OpenPlace(path).stretch(from, to);
    this.inside.set(path, made);
    return made;
  }

  note(event: ToldEvent): void {
    if (this.events.length < mostEvents) this.events.push(event);
  }

  stretch(from: number, to: number): this {
    this.start = Math.min(this.start, from);
    this.end = Math.max(this.end, to);
    return this;
  }
}
