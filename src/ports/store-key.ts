import { randomBytes } from "node:crypto";
import { StoreUnavailableError } from "../core/errors.ts";
import type { Store } from "./store.ts";

/**
 * A key that a store keeps, for signing: 256 random bits in base64url, made by whoever needs it first, and the same for
 * all from then on. Whoever reads the store can sign with it.
 *
 * @param name of its note.
 * @throws StoreUnavailableError where the store keeps none.
 */
export async function storeKey(store: Store, name: string): Promise<string> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const note = (await store.notes({ prefix: name, limit: 1 })).find(({ key }) => key === name);
    if (typeof note?.value === "string") return note.value;
    const made = randomBytes(32).toString("base64url");
    if ((await store.putNote(name, made, note?.version)) !== undefined) return made;
  }
  throw new StoreUnavailableError(`${store.name} keeps no key under ${name}`, { retryable: true });
}
