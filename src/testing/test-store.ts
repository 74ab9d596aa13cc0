import type { Store } from "../ports/store.ts";
import type { Bench, Claims } from "./store-claims/bench.ts";
import { besidesClaims, noteClaims } from "./store-claims/besides.ts";
import { contentClaims, journalClaims } from "./store-claims/journal.ts";
import { fenceClaims, leaseClaims } from "./store-claims/lease.ts";
import { listClaims } from "./store-claims/list.ts";
import { newsClaims } from "./store-claims/news.ts";
import { removalClaims } from "./store-claims/removal.ts";
import { crowdClaims, sharedClaims } from "./store-claims/together.ts";
import { ledgerClaims, sharedLedgerClaims } from "./test-ledger.ts";

/** A store to be tested, empty. */
export interface StoreUnderTest {
  readonly store: Store;
  /** A second store on the same data, as another process would open it. Leave it out where data cannot be shared. */
  readonly reopen?: () => Promise<Store>;
  /** Called after each test, whatever came of it. The stores are closed by then. */
  readonly dispose?: () => Promise<void>;
}

/** The two words every test runner knows: vitest, `node:test`, jest, mocha. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (name: string, body: () => Promise<void>) => void;
}

/**
 * The contract of a store, as tests. Whatever passes is one.
 *
 *     import { describe, it } from "node:test";
 *     import { testStore } from "flujo/testing";
 *
 *     testStore("my store", async () => ({ store: await myStore() }), { describe, it });
 *
 * @param make is called once for each test.
 */
export function testStore(name: string, make: () => Promise<StoreUnderTest>, runner: TestRunner): void {
  const claims: readonly [section: string, claims: Claims][] = [
    ["journal", journalClaims],
    ["fence", fenceClaims],
    ["lease", leaseClaims],
    ["list", listClaims],
    ["blobs, signals, cache", besidesClaims],
    ["notes", noteClaims],
    ["removal", removalClaims],
    ["content", contentClaims],
    ["many at once", crowdClaims],
    ["another process", sharedClaims],
    ["news", newsClaims],
    ["shared ledger", ledgerClaims],
    ["shared ledger, another process", sharedLedgerClaims],
  ];
  runner.describe(`${name}: the contract of a store`, () => {
    for (const [section, tests] of claims) {
      runner.describe(section, () => {
        for (const [claim, test] of Object.entries(tests)) runner.it(claim, () => run(make, test));
      });
    }
  });
}

async function run(
  make: () => Promise<StoreUnderTest>,
  test: (bench: Bench) => Promise<void>,
): Promise<void> {
  const made = await make();
  const opened = [made.store];
  const other = async (): Promise<Store> => {
    if (made.reopen === undefined) return made.store;
    const store = await made.reopen();
    opened.push(store);
    return store;
  };
  try {
    await test({ store: made.store, other });
  } finally {
    for (const store of opened) await store.close();
    await made.dispose?.();
  }
}
