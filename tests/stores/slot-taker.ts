/** A process that takes slots under a limit from a store, has each for a moment, and prints from when to when it had them. */
import { setTimeout as pause } from "node:timers/promises";
import { openStore } from "../../src/cli/stores.ts";
import { Slots } from "../../src/dispatch/slots.ts";
import { nodeWorld } from "../../src/node-world.ts";

const [uri, most, perMinute, wanted] = process.argv.slice(2) as [string, string, string, string];
const cap = { scope: "queue/mail", most: Number(most), perMinute: Number(perMinute) };
const store = await openStore(uri);
const slots = new Slots(store, nodeWorld(), 15_000);
const had: { readonly from: number; readonly to: number }[] = [];

async function takeAndGive(): Promise<void> {
  for (let refused = 0; had.length < Number(wanted) && refused < 60; ) {
    const slot = await slots.take([cap], true);
    if (slot === undefined) {
      refused += 1;
      await pause(Math.random() * 20);
      continue;
    }
    const from = Date.now();
    await pause(Math.random() * 10);
    had.push({ from, to: Date.now() });
    slot.free(true);
  }
}

await Promise.all([takeAndGive(), takeAndGive(), takeAndGive()]);
while (
  (await store.notes({ prefix: "slots/" })).some(({ value }) =>
    JSON.stringify(value).includes(nodeWorld().owner),
  )
)
  await pause(5); // what was given back is noted
await store.close();
console.log(JSON.stringify(had));
