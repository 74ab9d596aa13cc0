/**
 * Texts that tell a training case word for word. A prompt that has learned its examples by heart scores well on them and
 * teaches nothing; and what customers wrote would travel in every request.
 *
 * A run of 50 characters in common is a leak: by that measure the GPT-4 report (OpenAI 2023, appendix C) tells what a
 * model may have seen; the 13 words of GPT-3 (Brown et al. 2020, appendix C) are about as long. White space and case
 * do not count. What three clusters or more have in common is the task's own wording, and may be said.
 */
import { isJsonObject, type Json } from "../../core/json.ts";
import type { Case } from "../dataset/case.ts";

export interface Leak {
  readonly caseId: string;
  /** What they have in common, shortened. */
  readonly run: string;
}

const telling = 50;
/** Every run so long holds a whole block of the case's text, counted from its beginning. */
const block = telling / 2;
const shared = 3;
/** A block that a text repeats is looked at in its first places, and a case that repeats it is compared so often. */
const mostPlaces = 8;
const mostCompared = 64;

/**
 * The cases that a text tells, a run of each.
 *
 * @param known texts that say so already: what stands in them is no news.
 */
export function leaksIn(text: string, training: readonly Case[], known: readonly string[] = []): Leak[] {
  const said = plain(text);
  if (said.length < telling) return [];
  const tally = new Tally(said);
  for (const [cluster, cases] of clustersOf(training).entries()) {
    for (const one of cases) {
      for (const leaf of [...leaves(one.input), ...leaves(one.expected)])
        tally.compare(plain(leaf), one.id, cluster);
    }
  }
  return tally.leaks(known.map(plain));
}

const clustersOf = (training: readonly Case[]): readonly (readonly Case[])[] => [
  ...Map.groupBy(training, ({ id, cluster }) =>
    cluster === undefined ? `case ${id}` : `cluster ${cluster}`,
  ).values(),
];

const plain = (text: string): string => text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim();

function leaves(value: Json | undefined): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap((one: Json) => leaves(one));
  return isJsonObject(value) ? Object.values(value).flatMap(leaves) : [];
}

/** For each place of a text where a telling run could begin: of how many clusters one begins there. */
class Tally {
  readonly #said: string;
  readonly #blocks = new Map<string, number[]>();
  readonly #clusters: Int32Array;
  readonly #last: Int32Array;
  readonly #cases = new Map<number, string>();

  constructor(said: string) {
    this.#said = said;
    this.#clusters = new Int32Array(said.length);
    this.#last = new Int32Array(said.length).fill(-1);
    for (let at = 0; at + block <= said.length; at += 1) {
      const piece = said.slice(at, at + block);
      const places = this.#blocks.get(piece);
      if (places === undefined) this.#blocks.set(piece, [at]);
      else if (places.length < mostPlaces) places.push(at);
    }
  }

  compare(text: string, caseId: string, cluster: number): void {
    const looked = new Map<number, number>(); // by how far the texts are apart: how far they have been compared
    for (let at = 0; at + block <= text.length; at += block) {
      for (const place of this.#blocks.get(text.slice(at, at + block)) ?? []) {
        const apart = place - at;
        if ((looked.get(apart) ?? -1) >= place) continue;
        if (looked.size >= mostCompared && !looked.has(apart)) return;
        const [from, to] = this.#run(text, at, place);
        looked.set(apart, to);
        for (let start = from; start + telling <= to; start += 1) this.#note(start, caseId, cluster);
      }
    }
  }

  /** The run around a block in common, in the text itself. */
  #run(text: string, at: number, place: number): readonly [from: number, to: number] {
    const said = this.#said;
    let [before, after] = [0, block];
    while (before < Math.min(at, place) && text[at - before - 1] === said[place - before - 1]) before += 1;
    while (
      at + after < text.length &&
      place + after < said.length &&
      text[at + after] === said[place + after]
    )
      after += 1;
    return [place - before, place + after];
  }

  #note(start: number, caseId: string, cluster: number): void {
    if (this.#last[start] === cluster) return;
    this.#last[start] = cluster;
    this.#clusters[start] = (this.#clusters[start] ?? 0) + 1;
    if (!this.#cases.has(start)) this.#cases.set(start, caseId);
  }

  leaks(known: readonly string[]): Leak[] {
    const found = new Map<string, Leak>();
    for (const [start, caseId] of [...this.#cases].sort(([a], [b]) => a - b)) {
      const run = this.#said.slice(start, start + telling);
      const isCommon = (this.#clusters[start] ?? 0) >= shared || known.some((text) => text.includes(run));
      if (!isCommon && !found.has(caseId)) found.set(caseId, { caseId, run: `${run}…` });
    }
    return [...found.values()];
  }
}
