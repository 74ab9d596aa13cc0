import type { Store } from "../ports/store.ts";
import type { VirtualWorld } from "./virtual-world.ts";

/**
 * A store that waits for real things, in a virtual world: the world waits with it.
 *
 *     const world = virtualWorld({ seed: 7 });
 *     const store = grounded(postgres("postgres://localhost/test"), world);
 */
export function grounded(store: Store, world: VirtualWorld): Store {
  const { name, durability } = store;
  return {
    name,
    durability,
    commit: (appends) => world.outside(store.commit(appends)),
    read: (runId, from, limit) => world.outside(store.read(runId, from, limit)),
    blob: (hash) => world.outside(store.blob(hash)),
    acquire: (request) => world.outside(store.acquire(request)),
    renew: (lease, expiresAt) => world.outside(store.renew(lease, expiresAt)),
    release: (lease) => world.outside(store.release(lease)),
    list: (filter) => world.outside(store.list(filter)),
    send: (runId, signal) => world.outside(store.send(runId, signal)),
    signals: (runId) => world.outside(store.signals(runId)),
    cacheGet: (key, now) => world.outside(store.cacheGet(key, now)),
    cachePut: (key, record) => world.outside(store.cachePut(key, record)),
    ledger: (request) => world.outside(store.ledger(request)),
    accounts: (filter) => world.outside(store.accounts(filter)),
    notes: (filter) => world.outside(store.notes(filter)),
    putNote: (key, value, seen) => world.outside(store.putNote(key, value, seen)),
    dropNote: (key, seen) => world.outside(store.dropNote(key, seen)),
    drop: (lease, heard) => world.outside(store.drop(lease, heard)),
    // What it asks in between is the world's own again: it cannot be waited for as a whole.
    sweep: (hashes, used) => store.sweep(hashes, used),
    close: () => world.outside(store.close()),
  };
}
