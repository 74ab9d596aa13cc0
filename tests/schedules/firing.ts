/** A process that fires the schedules of a store until it is killed, which is its purpose, or told to stop. */
import { pipeline, step } from "../../src/core/compose.ts";
import { Flujo } from "../../src/flujo.ts";
import { file } from "../../src/stores/file.ts";
import { sqlite } from "../../src/stores/sqlite.ts";

const [kind, place = ""] = process.argv.slice(2);
const leave = (): never => process.exit(1); // no parent, no purpose
process.once("disconnect", leave);

const report = pipeline(
  "report",
  step("write", (input: string) => input.toUpperCase()),
);

const store = kind === "file" ? file(place) : sqlite(place);
const flujo = new Flujo(report, { store, lease: "2s" });
const schedules = await flujo.schedules();
await schedules.fire();
process.send?.("fires");
const recovery = setInterval(() => void flujo.recover().catch(() => {}), 1_000); // runs whose process was killed

process.once("message", async () => {
  clearInterval(recovery);
  await flujo[Symbol.asyncDispose]();
  await store.close();
  process.off("disconnect", leave);
  process.disconnect(); // and nothing is left that keeps the process
});
