/**
 * The values behind references. The journal keeps each value once, where it was made; what came out of a container, and
 * what went into an operation, is put together from there.
 */
import { assign } from "./codec.ts";
import { type BlobRef, type Entry, type EntryOf, isBlobRef, type Ref } from "./entries.ts";
import type { Json } from "./json.ts";
import { type Block, blocksOf, filled } from "./streamed.ts";

/** Fetches a value kept aside; undefined leaves its stand-in where it is. */
export type ReadBlob = (blob: BlobRef) => Promise<string | undefined>;

type Streamed = EntryOf<"text-streamed">;

/** Values lately put together, so that the items of one list do not each build it anew. */
const maxKept = 16;

/** Resolves references within one run. */
export class Values {
  readonly #entries: readonly Entry[];
  readonly #readBlob: ReadBlob;
  readonly #kept = new Map<number, Promise<Json | undefined>>();
  #streams: ReadonlyMap<number, readonly Streamed[]> | undefined;

  /** @param entries the run's journal, from its first entry on. */
  constructor(entries: readonly Entry[], readBlob: ReadBlob) {
    this.#entries = entries;
    this.#readBlob = readBlob;
  }

  /** The stored form of a value; undefined when the journal does not have it. */
  async of(ref: Ref): Promise<Json | undefined> {
    if (typeof ref === "number") return this.#whole(ref);
    const [seq, ...keys] = ref;
    let part = await this.#whole(seq);
    for (const key of keys) {
      if (typeof part !== "object" || part === null || isBlobRef(part)) return part;
      part = Object.hasOwn(part, key) ? (part as { readonly [key: string]: Json })[key] : undefined;
    }
    return part;
  }

  /** A run's output: in its last entry, or where that one points. */
  async output({
    json,
    from,
  }: {
    readonly json: Json | undefined;
    readonly from: Ref;
  }): Promise<Json | undefined> {
    return json === undefined ? this.of(from) : this.fetch(json);
  }

  /** A stored form, fetched when it was kept aside. */
  async fetch(json: Json): Promise<Json> {
    if (!isBlobRef(json)) return json;
    const text = await this.#readBlob(json);
    return text === undefined ? json : (JSON.parse(text) as Json); // it was JSON when its hash was taken
  }

  #whole(seq: number): Promise<Json | undefined> {
    const known = this.#kept.get(seq);
    if (known !== undefined) return known;
    const made = this.#make(this.#entry(seq));
    this.#kept.set(seq, made);
    if (this.#kept.size > maxKept) this.#kept.delete(this.#kept.keys().next().value as number); // there is one
    return made;
  }

  /** Entries stand at their numbers, unless some are missing from the journal. */
  #entry(seq: number): Entry | undefined {
    const entry = this.#entries[seq];
    return entry?.seq === seq ? entry : this.#entries.find((one) => one.seq === seq);
  }

  async #make(entry: Entry | undefined): Promise<Json | undefined> {
    switch (entry?.type) {
      case "run-created":
        return this.fetch(entry.input);
      case "operation-completed":
        return this.#completed(entry);
      case "step-completed":
      case "signal-received":
      case "value-altered":
      case "input-replaced":
        return this.fetch(entry.output);
      case "run-completed":
        return entry.output === undefined ? this.of(entry.from) : this.fetch(entry.output);
      case "map-started":
        return entry.items === undefined ? undefined : this.fetch(entry.items);
      case "container-completed":
        return this.#compose(entry);
      case "compensation-started":
        return this.#undone(entry);
      default:
        return undefined;
    }
  }

  /** What a compensation is handed. */
  async #undone({ of, reason }: EntryOf<"compensation-started">): Promise<Json> {
    const owed = this.#entries[of] as EntryOf<"compensation-owed">; // as its `of` says
    const [input, output] = [await this.#present(owed.in), await this.#present(owed.out)];
    return { input, output, reason: reason as unknown as Json }; // a record is JSON
  }

  /** An operation's output, with the texts that were streamed. */
  async #completed({ output, texts }: EntryOf<"operation-completed">): Promise<Json> {
    const json = await this.fetch(output);
    if (texts === undefined) return json;
    const calls = new Map<number, readonly Block[]>();
    const blocks = (of: number): readonly Block[] => {
      const known = calls.get(of) ?? blocksOf(this.#streamed.get(of) ?? []);
      calls.set(of, known);
      return known;
    };
    return filled({ json, texts }, (of, block) => blocks(of)[block]?.text ?? "");
  }

  /** The entries of every streamed call, by its reservation: looked for once. */
  get #streamed(): ReadonlyMap<number, readonly Streamed[]> {
    this.#streams ??= Map.groupBy(
      this.#entries.filter((entry): entry is Streamed => entry.type === "text-streamed"),
      ({ of }) => of,
    );
    return this.#streams;
  }

  /** Only the kind tells a list of references from a reference to an element. */
  async #compose({ kind, out, collect }: EntryOf<"container-completed">): Promise<Json> {
    const part = (ref: Ref): Promise<Json> => (collect === true ? this.#settled(ref) : this.#present(ref));
    if (kind === "mapOver") {
      const list: Json[] = [];
      for (const ref of out as readonly Ref[]) list.push(await part(ref)); // what a map writes
      return list;
    }
    if (kind !== "parallel") return this.#present(out as Ref); // a loop's or a sleep's one value
    const branches: Record<string, Json> = {};
    for (const [name, ref] of Object.entries(out)) assign(branches, name, await part(ref as Ref)); // what a parallel writes
    return branches;
  }

  async #present(ref: Ref): Promise<Json> {
    return (await this.of(ref)) ?? { $type: "undefined" };
  }

  async #settled(ref: Ref): Promise<Json> {
    const entry = typeof ref === "number" ? this.#entry(ref) : undefined;
    if (entry?.type === "failure-collected") return { ok: false, error: entry.error as unknown as Json }; // a record is JSON
    return { ok: true, value: await this.#present(ref) };
  }
}
