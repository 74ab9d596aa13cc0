import {
  cpSync,
  globSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, afterEach, describe, expect, test } from "vitest";
import type * as compose from "../../src/core/compose.ts";
import type * as pauses from "../../src/core/pauses.ts";
import type * as runners from "../../src/engine/runner.ts";
import type * as outboxes from "../../src/events/outbox.ts";
import type * as memory from "../../src/stores/memory.ts";
import type * as markets from "../../src/testing/market.ts";
import type * as shared from "../../src/testing/simulation/shared.ts";
import type * as simulation from "../../src/testing/simulation.ts";
import type * as ledger from "../../src/testing/test-ledger.ts";
import type * as worlds from "../../src/testing/virtual-world.ts";
import { claims } from "./claims.ts";
import { deliveries } from "./deliveries.ts";
import { type Mutant, ofAccounts, ofTheEngine, ofTheOutbox } from "./mutants.ts";

const root = join(import.meta.dirname, "../..");

/** The folders of the sources of which something is loaded here. */
const folders = "{core,budget,ports,engine,agents,events,stores,testing}";
const files = globSync(`src/${folders}/**/*.{ts,json}`, { cwd: root }).filter(
  (file) => !file.endsWith(".test.ts"),
);

/** All copies, as links to one: to write hundreds of files anew for each would take as long as to find it out. */
const copies = mkdtempSync(join(tmpdir(), "flujo-mutant-"));
for (const file of files) cpSync(join(root, file), join(copies, "whole", file));
cpSync(join(root, "package.json"), join(copies, "package.json"));
symlinkSync(join(root, "node_modules"), join(copies, "node_modules"), "junction");
afterAll(() => rmSync(copies, { recursive: true }));

let last: string | undefined;
afterEach(() => {
  if (last !== undefined) rmSync(last, { recursive: true });
  last = undefined;
});

/** A copy of the sources without a guard; with all of them when none is named. */
function copyWithout(mutant?: Mutant): string {
  const folder = mkdtempSync(join(copies, "copy-"));
  last = folder;
  for (const parent of new Set(files.map(dirname))) mkdirSync(join(folder, parent), { recursive: true });
  const mutated = mutant === undefined ? undefined : join("src", mutant.file);
  for (const file of files) if (file !== mutated) linkSync(join(copies, "whole", file), join(folder, file));
  if (mutant === undefined || mutated === undefined) return folder;
  const text = readFileSync(join(root, mutated), "utf8");
  expect(text.split(mutant.from)).toHaveLength(2);
  writeFileSync(
    join(folder, mutated),
    text.replace(mutant.from, () => mutant.to),
  );
  return folder;
}

const load = <T>(folder: string, file: string): Promise<T> =>
  import(pathToFileURL(join(folder, "src", file)).href);

/** The claims about the ledger of a store that do not hold in a copy, up to the first. */
async function brokenClaims(folder: string): Promise<string[]> {
  const { ledgerClaims } = await load<typeof ledger>(folder, "testing/test-ledger.ts");
  const store = await load<typeof memory>(folder, "stores/memory.ts");
  for (const [claim, holds] of Object.entries(ledgerClaims)) {
    const made = store.memory();
    try {
      await holds({ store: made, other: async () => made });
    } catch {
      return [claim];
    }
  }
  return [];
}

/** What goes wrong in the scenes and simulations of a copy, up to the first that does. */
async function brokenPromises(folder: string, seeds: number): Promise<readonly string[]> {
  const on = {
    ...(await load<typeof compose>(folder, "core/compose.ts")),
    ...(await load<typeof pauses>(folder, "core/pauses.ts")),
    ...(await load<typeof markets>(folder, "testing/market.ts")),
  };
  for (const [claim, holds] of Object.entries(claims)) {
    try {
      await holds(on);
    } catch (error) {
      return [`${claim}: ${String(error)}`];
    }
  }
  const { simulateShared } = await load<typeof shared>(folder, "testing/simulation/shared.ts");
  const { simulate } = await load<typeof simulation>(folder, "testing/simulation.ts");
  for (let seed = 1; seed <= seeds; seed++) {
    for (const run of [simulateShared, simulate]) {
      const { violations } = await run({ seed });
      if (violations.length > 0) return violations;
    }
  }
  return [];
}

/** What goes wrong where runs are told to a sink, up to the first that does. */
async function brokenDeliveries(folder: string, seeds: number): Promise<readonly string[]> {
  const on = {
    ...(await load<typeof compose>(folder, "core/compose.ts")),
    ...(await load<typeof pauses>(folder, "core/pauses.ts")),
    ...(await load<typeof runners>(folder, "engine/runner.ts")),
    ...(await load<typeof outboxes>(folder, "events/outbox.ts")),
    ...(await load<typeof memory>(folder, "stores/memory.ts")),
    ...(await load<typeof worlds>(folder, "testing/virtual-world.ts")),
  };
  for (const [claim, holds] of Object.entries(deliveries)) {
    try {
      await holds(on);
    } catch (error) {
      return [`${claim}: ${String(error)}`];
    }
  }
  const { simulate } = await load<typeof simulation>(folder, "testing/simulation.ts");
  for (let seed = 1; seed <= seeds; seed++) {
    const { violations } = await simulate({ seed, sinks: true });
    if (violations.length > 0) return violations;
  }
  return [];
}

describe("a ledger without one of its guards is found out", () => {
  test.each(ofAccounts)("$file: $guard", async (mutant) => {
    expect(await brokenClaims(copyWithout(mutant))).not.toEqual([]);
  });

  test("and with all of them, every claim holds", async () => {
    expect(await brokenClaims(copyWithout())).toEqual([]);
  });
});

describe("an engine without one of its guards is found out", () => {
  test.each(ofTheEngine)("$file: $guard", async (mutant) => {
    expect(await brokenPromises(copyWithout(mutant), 100)).not.toEqual([]);
  });

  test("and with all of them, every promise is kept", async () => {
    expect(await brokenPromises(copyWithout(), 10)).toEqual([]);
  });
});

describe("an outbox without one of its guards is found out", () => {
  test.each(ofTheOutbox)("$file: $guard", async (mutant) => {
    expect(await brokenDeliveries(copyWithout(mutant), 150)).not.toEqual([]);
  });

  test("and with all of them, everything is told", async () => {
    expect(await brokenDeliveries(copyWithout(), 10)).toEqual([]);
  });
});
