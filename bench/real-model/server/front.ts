/**
 * The server's face: both of OpenAI's wire formats in front of one voice, one request at a time.
 *
 * | model | |
 * | --- | --- |
 * | `smollm2-free` | no grammar, ever: tools are only described to the model, schemas ignored, as many servers do |
 * | `smollm2-calls` | must call a tool before it may answer: a grammar holds its first turn to a call |
 * | any other name | a grammar holds answers to the schema asked for; tools are only described |
 *
 * Beside them: `POST /count` counts the tokens of a chat request, `GET /log` gives back what was served, once the
 * request it is at has ended.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Asked, Said, Wire } from "./asked.ts";
import { chatWire } from "./chat-wire.ts";
import type { Served } from "./log.ts";
import { callsIn } from "./prompt.ts";
import { responsesWire } from "./responses-wire.ts";
import { untilMark } from "./stop.ts";
import type { Constraint, Ending, Voice } from "./voice.ts";

const wires: { readonly [path: string]: Wire } = {
  "/v1/chat/completions": chatWire,
  "/v1/responses": responsesWire,
};
const defaultCap = 512;

export function front(voice: Voice): Server {
  const log: Served[] = [];
  let asked = 0;
  let turn: Promise<unknown> = Promise.resolve();

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    if (incoming.url === "/log") {
      await turn;
      return send(response, 200, log);
    }
    const body = await json(incoming);
    if (incoming.url === "/count") {
      const requests: Record<string, unknown>[] = Array.isArray(body) ? body : [body];
      return send(
        response,
        200,
        requests.map((one) => voice.count(chatWire.read(one))),
      );
    }
    const wire = wires[incoming.url ?? ""];
    if (wire === undefined) return refuse(response, 404, "there is no such endpoint");
    let request: Asked;
    try {
      request = understood(wire.read(body));
    } catch (error) {
      return refuse(response, 400, error instanceof Error ? error.message : String(error));
    }
    const index = asked++;
    const key = incoming.headers["idempotency-key"];
    const from = performance.now();
    const mine = turn.then(async () => {
      const queued = performance.now() - from;
      log.push({
        index,
        key: key?.toString(),
        queued,
        ...(await answer(voice, wire, request, index, response)),
      });
    });
    turn = mine.catch(() => response.destroy());
    await mine;
  }

  return createServer((incoming, response) => {
    serve(incoming, response).catch((error) => {
      console.error(error);
      response.destroy();
    });
  });
}

async function answer(
  voice: Voice,
  wire: Wire,
  asked: Asked,
  index: number,
  response: ServerResponse,
): Promise<Omit<Served, "index" | "key" | "queued">> {
  const from = performance.now();
  const { api, model, stream, cap } = asked;
  let first: number | undefined;
  let text = "";
  const served = (finish: Served["finish"], ending?: Ending, left?: number) => ({
    ...{ api, model, stream, cap, finish, first, text },
    promptTokens: ending?.promptTokens ?? 0,
    outputTokens: ending?.outputTokens ?? 0,
    took: performance.now() - from,
    stoppedWithin: left === undefined ? undefined : performance.now() - left,
  });
  const room = voice.contextTokens - voice.count(asked);
  if (room < 1) {
    refuse(response, 400, `the prompt is longer than the ${voice.contextTokens} tokens this model reads`);
    return served("refused");
  }
  const client = new AbortController();
  let left: number | undefined;
  const leave = () => {
    left = performance.now();
    client.abort();
  };
  if (response.destroyed || response.closed) return served("gone");
  response.once("close", leave);
  const id = `smol-${index}`;
  const live = stream && asked.tools.length === 0 ? sse(wire, id, model, response) : undefined;
  const speech = voice.speak(asked, constraintOf(asked), Math.min(cap ?? defaultCap, room), client.signal);
  const heard = untilMark(speech, asked.stop, () => client.abort());
  let next = await heard.next();
  for (; !next.done; next = await heard.next()) {
    first ??= performance.now() - from;
    text += next.value;
    live?.(next.value);
  }
  const ending = next.value;
  response.off("close", leave);
  if (ending.finish === "aborted") return served("aborted", ending, left);
  const calls = asked.tools.length > 0 ? callsIn(text, id) : [];
  const finish = calls.length > 0 ? "tool_calls" : ending.finish === "length" ? "length" : "stop";
  const { promptTokens, outputTokens } = ending;
  const said: Said = { id, model, text, calls, finish, promptTokens, outputTokens };
  if (stream) close(wire, said, response, live);
  else send(response, 200, wire.document(said));
  return served(finish, ending);
}

const isFree = (model: string) => model.endsWith("-free");

const understood = (asked: Asked): Asked => (isFree(asked.model) ? { ...asked, schema: undefined } : asked);

function constraintOf({ model, schema, tools, turns }: Asked): Constraint {
  if (isFree(model)) return "none";
  if (tools.length > 0) {
    const answered = turns.at(-1)?.role === "result";
    return model.endsWith("-calls") && !answered ? "call" : "none";
  }
  return schema === undefined ? "none" : "schema";
}

type Tell = (text: string) => void;

/** Begins a stream; the texts handed to what it returns are its deltas, as they are: two alike are two. */
function sse(wire: Wire, id: string, model: string, response: ServerResponse): Tell {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-cache" });
  for (const event of wire.opening(id, model)) write(response, event);
  let begun = false;
  return (text) => {
    if (!begun && wire.firstDelta) write(response, wire.firstDelta(id));
    begun = true;
    write(response, wire.delta(id, model, text));
  };
}

function close(wire: Wire, said: Said, response: ServerResponse, live: Tell | undefined): void {
  const tell = live ?? sse(wire, said.id, said.model, response);
  if (live === undefined && said.calls.length === 0 && said.text !== "") tell(said.text);
  for (const event of wire.closing(said)) write(response, event);
  if (wire.last !== undefined) response.write(`data: ${wire.last}\n\n`);
  response.end();
}

/** The Responses API names its events, chat completions does not. */
function write(response: ServerResponse, event: object): void {
  const name = "type" in event ? `event: ${event.type}\n` : "";
  response.write(`${name}data: ${JSON.stringify(event)}\n\n`);
}

const refuse = (response: ServerResponse, status: number, message: string) =>
  send(response, status, { error: { message, type: "invalid_request_error", param: null, code: null } });

function send(response: ServerResponse, status: number, document: object): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(document));
}

async function json(incoming: IncomingMessage) {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? {} : JSON.parse(text);
}
