import type { JsonObject } from "../../core/json.ts";
import type { Overlay } from "../../core/overlay.ts";
import { baseOf, type Candidate, candidateOf, fieldsAt, idOf, patchFrom } from "./candidate.ts";
import type { Contender } from "./contender.ts";
import { type ImprovablesDocument, valuesOf } from "./document.ts";
import type { Proposal } from "./laboratory.ts";

/** What a check says of a patch. */
export type Checked =
  | { readonly ok: true; readonly patch: Overlay; readonly values: JsonObject }
  | { readonly ok: false; readonly faults: readonly string[] };

/** Whether a patch, of unknown origin, may be made of the document. */
export type Check = (document: ImprovablesDocument, patch: unknown) => Promise<Checked>;

/** A candidate that has passed its check. */
export interface Fledgling {
  readonly candidate: Candidate;
  readonly values: JsonObject;
}

/** What became of the proposals so far. */
export interface NurseryCount {
  readonly made: number;
  /** Refused by the check. `faults`: why, of the first few. */
  readonly refused: number;
  readonly faults: readonly string[];
  /** The same as another candidate. */
  readonly known: number;
}

const mostFaults = 5;

/** Where candidates are made of proposals: of those that pass their check, and are new. */
export class Nursery {
  /** The pipeline as it is. */
  readonly base: Fledgling;
  readonly #document: ImprovablesDocument;
  readonly #check: Check;
  readonly #known: Set<string>;
  readonly #count = { made: 0, refused: 0, known: 0 };
  readonly #faults: string[] = [];

  constructor(document: ImprovablesDocument, check: Check) {
    const values = valuesOf(document);
    this.base = { candidate: baseOf(values), values };
    this.#document = document;
    this.#check = check;
    this.#known = new Set([this.base.candidate.id]);
  }

  get count(): NurseryCount {
    return { ...this.#count, faults: this.#faults };
  }

  /** Whether there was a candidate of these values already. */
  knows(values: JsonObject): boolean {
    return this.#known.has(idOf(values));
  }

  /**
   * The candidate of a proposal, whose patch is over the values of the first parent.
   *
   * @returns undefined where it is refused, or known.
   */
  async made({ patch, note, by }: Proposal, parents: readonly Contender[]): Promise<Fledgling | undefined> {
    this.#count.made += 1;
    const from = parents[0]?.values ?? this.base.values;
    const first = await this.#check(under(this.#document, from), patch);
    if (!first.ok) return this.#refuse(patch === null && note !== "" ? [note] : first.faults);
    // Of what many small steps add up to, the bounds hold as of one.
    const whole = await this.#check(this.#document, patchFrom(this.base.values, first.values));
    if (!whole.ok) return this.#refuse(whole.faults);
    const { values } = whole;
    const ids = parents.map(({ candidate }) => candidate.id);
    const candidate = candidateOf(this.base.values, values, { parents: ids, by, note });
    if (this.#known.has(candidate.id)) {
      this.#count.known += 1;
      return undefined;
    }
    this.#known.add(candidate.id);
    return { candidate, values };
  }

  #refuse(faults: readonly string[]): undefined {
    this.#count.refused += 1;
    for (const fault of faults) {
      if (this.#faults.length < mostFaults && !this.#faults.includes(fault)) this.#faults.push(fault);
    }
    return undefined;
  }
}

/** The document with other values: what a patch of a candidate is checked against. */
function under(document: ImprovablesDocument, values: JsonObject): ImprovablesDocument {
  const places = Object.entries(document.places).map(([place, fields]) => {
    const now = fieldsAt(values, place);
    const known = Object.entries(fields).map(([field, { value: _, ...bounds }]) => {
      const value = now[field];
      return [field, value === undefined ? bounds : { ...bounds, value }] as const;
    });
    return [place, Object.fromEntries(known)] as const;
  });
  return { ...document, places: Object.fromEntries(places) };
}
