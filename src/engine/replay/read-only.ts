import { InvalidOptionError } from "../../core/errors.ts";
import type { Store } from "../../ports/store.ts";
import type { Enclosure } from "./body-walk.ts";

/** A store of which a replay only reads: what it would write goes nowhere, and results kept by other runs are not seen. */
export function readOnly(store: Store, { outside }: Pick<Enclosure, "outside">): Store {
  const refuse = async (): Promise<never> => {
    throw new InvalidOptionError("a replay writes nothing");
  };
  return {
    name: store.name,
    durability: "volatile",
    read: (runId, from, limit) => outside(() => store.read(runId, from, limit)),
    blob: (hash) => outside(() => store.blob(hash)),
    signals: (runId) => outside(() => store.signals(runId)),
    list: (filter) => outside(() => store.list(filter)),
    accounts: (filter) => outside(() => store.accounts(filter)),
    notes: (filter) => outside(() => store.notes(filter)),
    cacheGet: async () => undefined,
    cachePut: async () => {},
    commit: refuse,
    acquire: refuse,
    renew: refuse,
    release: refuse,
    send: refuse,
    ledger: refuse,
    putNote: refuse,
    dropNote: refuse,
    drop: refuse,
    sweep: refuse,
    close: async () => {},
  };
}
