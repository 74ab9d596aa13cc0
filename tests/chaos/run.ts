/** `npm run chaos -- --kills 100 [--store sqlite|file]`: as many real kills as wanted, and their figures. */
import { parseArgs } from "node:util";
import { kinds } from "./job.ts";
import { series } from "./kills.ts";

const { values } = parseArgs({
  options: { kills: { type: "string", default: "100" }, store: { type: "string" } },
});
const kills = Number(values.kills);
if (!Number.isSafeInteger(kills) || kills < 1)
  throw new RangeError(`--kills takes a whole number from 1, not ${values.kills}`);
const chosen = kinds.filter((kind) => values.store === undefined || values.store === kind);
if (chosen.length === 0) throw new RangeError(`--store takes ${kinds.join(" or ")}, not ${values.store}`);
for (const kind of chosen) console.log(kind, await series(kind, kills));
