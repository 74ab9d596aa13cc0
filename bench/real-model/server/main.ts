/**
 * `node server/main.ts WEIGHTS THREADS [PORT]`: serves the model on this machine alone. Prints its URL; started by
 * another process, it tells that one instead and ends with it.
 */
import type { AddressInfo } from "node:net";
import { front } from "./front.ts";
import { loadVoice } from "./model.ts";

const [, , weights = "", threads = "2", port = "0"] = process.argv;
const server = front(await loadVoice(weights, Number(threads)));
server.listen(Number(port), "127.0.0.1", () => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // a listening TCP server has one
  if (process.send) process.send(url);
  else console.log(url);
});
process.once("disconnect", () => process.exit());
