import { type Manifest, placeFinder } from "../core/fingerprint.ts";
import type { Path } from "../core/paths.ts";
import type { Store } from "../ports/store.ts";

/** Versions whose manifests are remembered at once. */
const mostKept = 32;

/** The places of the tree that recorded paths stand for, each version's manifest read once. */
export class Places {
  readonly #store: Pick<Store, "blob">;
  readonly #kept = new Map<string, (path: Path) => Path>();

  constructor(store: Pick<Store, "blob">) {
    this.#store = store;
  }

  /**
   * How a version writes its places, items and turns as `[]`: of `/q3/all[Alpha]/fetch:get#0` it is `/q3/all[]/fetch`.
   *
   * @param manifest the hash it is kept by.
   */
  async of(manifest: string): Promise<(path: Path) => Path> {
    const known = this.#kept.get(manifest);
    if (known !== undefined) return known;
    const list = await readManifest(this.#store, manifest);
    const find = placeFinder(list);
    const place = (path: Path): Path => find(path) ?? anyItem(path);
    this.#kept.set(manifest, place);
    if (this.#kept.size > mostKept) this.#kept.delete(this.#kept.keys().next().value as string); // there is one
    return place;
  }
}

/** A path whose manifest is lost: keys of branches cannot be told from those of items. */
const anyItem = (path: Path): Path =>
  path
    .replace(/:.*$/, "")
    .replace(/@\d+/g, "")
    .replace(/\[[^\]]*\]/g, "[]");

/** A manifest by its hash; empty when the store has lost it. */
export async function readManifest(store: Pick<Store, "blob">, hash: string): Promise<Manifest> {
  const text = await store.blob(hash);
  return text === undefined ? [] : (JSON.parse(text) as Manifest); // as the engine wrote it
}
