/** Chat completions that take so many milliseconds each, so many at once: `node slow-server.ts MS AT_ONCE`. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const [ms, atOnce] = process.argv.slice(2).map(Number) as [number, number]; // money.ts passes both
const document = JSON.stringify({
  id: "a",
  object: "chat.completion",
  created: 0,
  model: "model",
  choices: [{ index: 0, message: { role: "assistant", content: "A number." }, finish_reason: "stop" }],
  usage: { prompt_tokens: 20, completion_tokens: 3, total_tokens: 23 },
});
const waiting: (() => void)[] = [];
let serving = 0;

function serve(answer: () => void): void {
  if (serving >= atOnce) {
    waiting.push(answer);
    return;
  }
  serving += 1;
  setTimeout(() => {
    serving -= 1;
    answer();
    const next = waiting.shift();
    if (next !== undefined) serve(next);
  }, ms);
}

const server = createServer((request, response) => {
  request.resume();
  serve(() => response.writeHead(200, { "content-type": "application/json" }).end(document));
});
server.listen(0, "127.0.0.1", () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`); // a TCP server has a port
});
process.once("disconnect", () => process.exit());
