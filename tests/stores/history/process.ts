/** One process of a history: works on a store, and writes down what it asks and what it is answered. */
import { appendFileSync } from "node:fs";
import { openStore } from "../../../src/cli/stores.ts";
import { chance } from "../../../src/testing/chance.ts";
import { recorded } from "../../../src/testing/history/recorded.ts";
import { sharedClock } from "./clock.ts";
import { work } from "./work.ts";

const [uri, file, name, seed, turns, heirOf] = process.argv.slice(2) as [
  ...[uri: string, file: string, name: string, seed: string, turns: string],
  heirOf?: string,
];
const inner = await openStore(uri);
const store = recorded(inner, {
  process: name,
  now: sharedClock,
  write: (line) => appendFileSync(file, line),
});
await work({ store, name, chance: chance(Number(seed)), turns: Number(turns), heirOf });
await inner.close();
