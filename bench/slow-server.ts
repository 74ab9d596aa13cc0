/** Chat completions that take so many milliseconds each, however many there are: `node slow-server.ts MS`. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const ms = Number(process.argv[2]);
const document = JSON.stringify({
  id: "a",
  object: "chat.completion",
  created: 0,
  model: "model",
  choices: [{ index: 0, message: { role: "assistant", content: "A number." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 20, completion_tokens: 3, total_tokens: 23 },
});
const server = createServer((request, response) => {
  request.resume();
  setTimeout(() => response.writeHead(200, { "content-type": "application/json" }).end(document), ms);
});
server.listen(0, "127.0.0.1", () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`); // a TCP server has a port
});
process.once("disconnect", () => process.exit());
