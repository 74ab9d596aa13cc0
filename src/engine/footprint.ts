import type { Frame } from "./frame.ts";

/**
 * Which fields of the state a part of the tree looked at and which it set: what its cached result depends on, and
 * brings about. Footprints nest: what an inner part does, the outer one does, too.
 */
export class Footprint {
  readonly read = new Set<string>();
  readonly written = new Set<string>();
  /** Something was taken from the journal: nobody knows any more what it looked at. */
  isPartial = false;
  readonly #outer: Footprint | undefined;

  constructor(outer: Footprint | undefined) {
    this.#outer = outer;
  }

  /** `*` stands for the set of fields there are. */
  noteRead(field: string): void {
    this.read.add(field);
    this.#outer?.noteRead(field);
  }

  noteWritten(field: string): void {
    this.written.add(field);
    this.#outer?.noteWritten(field);
  }

  notePartial(): void {
    this.isPartial = true;
    this.#outer?.notePartial();
  }
}

/** The state as the functions of the tree see it; what they look at is noted when somebody wants to know. */
export function stateSeen({ state, footprint }: Frame): Record<string, unknown> {
  return footprint === undefined ? state.view() : watched(state.view(), footprint);
}

/** A view that notes which fields are looked at. */
export function watched(view: Record<string, unknown>, footprint: Footprint): Record<string, unknown> {
  return new Proxy(view, {
    get(target, field) {
      if (typeof field === "string") footprint.noteRead(field);
      return Reflect.get(target, field);
    },
    has(target, field) {
      if (typeof field === "string") footprint.noteRead(field);
      return Reflect.has(target, field);
    },
    getOwnPropertyDescriptor(target, field) {
      if (typeof field === "string") footprint.noteRead(field);
      return Reflect.getOwnPropertyDescriptor(target, field);
    },
    ownKeys(target) {
      for (const field of Object.keys(target)) footprint.noteRead(field);
      footprint.noteRead("*");
      return Reflect.ownKeys(target);
    },
  });
}
