/** A process that runs a pipeline until its last step kills it: `node victim.ts SHAPE DATABASE`. */
import { Flujo } from "flujo";
import { sqlite } from "flujo/sqlite";
import { type Death, mortal } from "./workloads.ts";

const [, , shape, path] = process.argv;
const { flow, input } = mortal(shape as Death, false); // resumeAfterDeath passes one of these
await new Flujo(flow, { store: sqlite(path as string) }).run(input, { runId: "mortal" });
