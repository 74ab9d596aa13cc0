/** A process that watches its store until news come from it, prints so, and has nothing else to do. */
import { openStore } from "../../src/cli/stores.ts";

const [uri] = process.argv.slice(2) as [string];
const store = await openStore(uri);
const live = Promise.withResolvers<void>();
store.watch?.({ news: () => {}, live: () => live.resolve() });
const waiting = setInterval(() => {}, 1_000);
await live.promise;
clearInterval(waiting);
console.log("told");
