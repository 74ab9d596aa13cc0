/** A process that sends signals to one run until there is no such run any more, and prints what was acknowledged to it. */
import { setTimeout as pause } from "node:timers/promises";
import { openStore } from "../../src/cli/stores.ts";

const [uri, name] = process.argv.slice(2) as [string, string];
const store = await openStore(uri);
const acknowledged: string[] = [];
for (let at = 0; ; at++) {
  const id = `${name}:${at}`;
  if (!(await store.send("r", { id, path: "/p/ask", data: at, at }))) break;
  acknowledged.push(id);
  await pause(1); // lets the others come between
}
await store.close();
console.log(JSON.stringify(acknowledged));
