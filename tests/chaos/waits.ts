/** A pipeline for the command line: its second step waits until the file that GO names is there. */
import { existsSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { pipeline, step } from "flujo";

const begin = step("begin", () => process.pid);
const wait = step("wait", async (began: number, { signal }) => {
  console.error("waiting");
  while (!existsSync(process.env.GO ?? "")) await pause(20, undefined, { signal });
  return { began, ended: process.pid };
});

export default pipeline("waits", begin.to(wait));
