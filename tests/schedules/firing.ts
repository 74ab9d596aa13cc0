/** A process that fires the schedules of a store until it is killed: that is its purpose. */
import { pipeline, step } from "../../src/core/compose.ts";
import { Flujo } from "../../src/flujo.ts";
import { file } from "../../src/stores/file.ts";
import { sqlite } from "../../src/stores/sqlite.ts";

const [kind, place = ""] = process.argv.slice(2);
process.once("disconnect", () => process.exit()); // no parent, no purpose

export const report = pipeline(
  "report",
  step("write", (input: string) => input.toUpperCase()),
);

const store = kind === "file" ? file(place) : sqlite(place);
const flujo = new Flujo(report, { store, lease: "2s" });
const schedules = await flujo.schedules();
await schedules.fire();
process.send?.("fires");
setInterval(() => void flujo.recover().catch(() => {}), 1_000); // runs whose process was killed
