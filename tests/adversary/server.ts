/**
 * The adversary: a server that speaks OpenAI's chat completions, keeps its own books, and treats its callers badly. It
 * bills what it did, whether or not the caller ever hears of it.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { ratesFor, type Scenario, scenarioOf, type Tariff, type Whim, whimOf } from "./scenario.ts";

/** What one scenario's requests have cost, in pico-dollars, by the place that made them: `a`, `a/3`. */
export interface Bill {
  requests: number;
  picoUsd: bigint;
  tokens: number;
  calls: number;
  readonly places: { [place: string]: { picoUsd: bigint; tokens: number; calls: number } };
  /** Answers, complete and with their usage, that cost more than their caller allowed. */
  toldExcesses: number;
  /** Requests whose output had no cap. */
  uncapped: number;
}

interface Book extends Bill {
  readonly scenario: Scenario;
  readonly seen: Map<string, Served>;
}

/** One request's meal: what is said, and what it costs. */
interface Served {
  readonly whim: Whim;
  readonly text: string;
  readonly counts: Counts;
}

interface Counts {
  readonly input: number;
  readonly cached: number;
  readonly written: number;
  readonly output: number;
  readonly thought: number;
}

/** Starts it on a free port. Scenarios are told apart by the URL: `URL/SEED/v1`, and `URL/SEED/bill` shows the books. */
export async function adversary(): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const books = new Map<number, Book>();
  const bookOf = (seed: number): Book => {
    const known = books.get(seed);
    if (known !== undefined) return known;
    const book = {
      scenario: scenarioOf(seed),
      seen: new Map(),
      ...{ requests: 0, picoUsd: 0n, tokens: 0, calls: 0, places: {}, toldExcesses: 0, uncapped: 0 },
    };
    books.set(seed, book);
    return book;
  };
  const server = createServer((incoming, response) => {
    const [, seed = "", what] = (incoming.url ?? "").split("/");
    const book = bookOf(Number(seed));
    if (what === "bill") send(response, 200, JSON.stringify(billOf(book), plain));
    else receive(book, incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a listening TCP server has one
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function billOf({ requests, picoUsd, tokens, calls, places, toldExcesses, uncapped }: Book): Bill {
  return { requests, picoUsd, tokens, calls, places, toldExcesses, uncapped };
}

const plain = (_: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}` : value);

async function receive(book: Book, incoming: IncomingMessage, response: ServerResponse): Promise<void> {
  const index = book.requests++;
  const whim = whimOf(book.scenario, index);
  if (whim.ending === "unheard") {
    incoming.destroy();
    return;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const request = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Request;
  if (whim.ending === "rate-limit" || whim.ending === "refused") {
    refuse(response, whim.ending === "refused" ? 400 : 429, { "retry-after": "1" });
    return;
  }
  const key = String(incoming.headers["idempotency-key"]);
  let served = serve(book, request, whim, key);
  for (let again = 1; again < whim.delivered; again++) served = serve(book, request, whim, key);
  if (whim.delayMs > 0) await pause(whim.delayMs);
  if (request.stream) stream(response, served, request);
  else answer(response, served, request);
}

interface Request {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: unknown }[];
  readonly max_completion_tokens?: number;
  readonly max_tokens?: number;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
}

/** Does the work and writes the bill. A request that was served already, by its key, is not served again. */
function serve(book: Book, request: Request, whim: Whim, key: string): Served {
  const known = book.seen.get(key);
  if (known !== undefined) return known;
  const { scenario } = book;
  const cap = request.max_completion_tokens ?? request.max_tokens;
  if (cap === undefined) book.uncapped += 1;
  const input = inputTokens(request, scenario.density);
  const allowed = cap ?? 100_000;
  const output = Math.max(1, Math.floor(allowed * whim.length)) * whim.excess;
  const thought = Math.floor(output * whim.thought);
  const cached = Math.floor(input * whim.cached);
  const written = Math.floor((input - cached) * whim.written);
  const counts = { input, cached, written, output, thought };
  const picoUsd = costOf(scenario.tariff, counts);
  if (output > allowed && whim.ending === "whole") book.toldExcesses += 1;
  const place = /place=(\S+)/.exec(JSON.stringify(request.messages))?.[1] ?? "?";
  for (const part of [place.split("/")[0] as string, place]) {
    book.places[part] ??= { picoUsd: 0n, tokens: 0, calls: 0 };
    add(book.places[part], picoUsd, input + output);
  }
  add(book, picoUsd, input + output);
  const served = { whim, counts, text: "word ".repeat(output - thought).slice(0, 4_000) };
  book.seen.set(key, served);
  return served;
}

function add(to: { picoUsd: bigint; tokens: number; calls: number }, picoUsd: bigint, tokens: number): void {
  to.picoUsd += picoUsd;
  to.tokens += tokens;
  to.calls += 1;
}

/** As many tokens as the densest tokenizer makes, and what chat formats add. */
function inputTokens({ messages }: Request, density: number): number {
  const perMessage = 7;
  const perRequest = 30;
  const bytes = messages.reduce((sum, { content }) => sum + Buffer.byteLength(textIn(content)), 0);
  return perRequest + perMessage * messages.length + Math.ceil(bytes * density);
}

const textIn = (content: unknown): string =>
  typeof content === "string"
    ? content
    : Array.isArray(content)
      ? content.map((part: { text?: string }) => part.text ?? "").join("")
      : "";

function costOf(tariff: Tariff, { input, cached, written, output }: Counts): bigint {
  const rates = ratesFor(tariff, input);
  return (
    BigInt(input - cached - written) * BigInt(rates.input) +
    BigInt(written) * BigInt(rates.written) +
    BigInt(cached) * BigInt(rates.cached) +
    BigInt(output) * BigInt(rates.output)
  );
}

/** Usage in the wire format, as this whim tells it. */
function usageOf({ whim, counts }: Served): object | null | undefined {
  const { input, cached, written, output, thought } = counts;
  if (whim.ending === "no-usage") return undefined;
  if (whim.ending === "broken-usage") return brokenUsage(whim.broken, counts);
  return {
    prompt_tokens: input,
    completion_tokens: whim.thoughtCounted === "beside" ? output - thought : output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached, cache_write_tokens: written },
    ...(whim.thoughtCounted === "unsaid" ? {} : { completion_tokens_details: { reasoning_tokens: thought } }),
  };
}

/** Usages that cannot be right: whoever believes one of them pays too little. */
function brokenUsage(which: number, { input, output }: Counts): object | null {
  const total_tokens = input + output;
  const usages = [
    null,
    { prompt_tokens: -input, completion_tokens: output, total_tokens },
    { prompt_tokens: input, completion_tokens: -output, total_tokens },
    { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    { prompt_tokens: 0.5, completion_tokens: 0.5, total_tokens: 1 },
    {
      prompt_tokens: input,
      completion_tokens: 0,
      total_tokens,
      prompt_tokens_details: { cached_tokens: 2 * input },
    },
    {
      prompt_tokens: 1,
      completion_tokens: 1,
      total_tokens: 2,
      completion_tokens_details: { reasoning_tokens: 5 },
    },
    { prompt_tokens: input },
    {},
  ];
  return usages[which] ?? null;
}

function answer(response: ServerResponse, served: Served, request: Request): void {
  const { whim, text } = served;
  const choice = { index: 0, message: { role: "assistant", content: text }, finish_reason: "stop" };
  const usage = usageOf(served);
  const document = {
    id: "a",
    object: "chat.completion",
    created: 0,
    model: request.model,
    choices: [choice],
  };
  const json = JSON.stringify(usage === undefined ? document : { ...document, usage });
  const half = json.slice(0, json.length / 2);
  const { ending } = whim;
  if (ending === "silent") return; // the caller hangs up
  if (ending === "dropped") response.destroy();
  else if (ending === "server-error") refuse(response, 500);
  else if (ending === "malformed") send(response, 200, half);
  else if (ending === "cut") {
    response.writeHead(200, { "content-type": "application/json", "content-length": `${json.length + 9}` });
    response.write(half, () => response.destroy());
  } else send(response, 200, json);
}

/** Server-sent events; what is cut is cut after some of the text, and all of it is billed. */
function stream(response: ServerResponse, served: Served, request: Request): void {
  const { whim, text } = served;
  if (whim.ending === "silent") return;
  if (whim.ending === "server-error") {
    refuse(response, 500);
    return;
  }
  if (whim.ending === "dropped") {
    response.destroy();
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const event = (fields: object): void => {
    const chunk = { id: "a", object: "chat.completion.chunk", created: 0, model: request.model, ...fields };
    response.write(`data: ${JSON.stringify(chunk)}\n\n`);
  };
  const say = (delta: object, finish_reason: string | null = null): void =>
    event({ choices: [{ index: 0, delta, finish_reason }] });
  say({ role: "assistant", content: "" });
  const middle = Math.floor(text.length / 2);
  say({ content: text.slice(0, middle) });
  if (whim.ending === "malformed") response.write("data: {not json\n\n");
  if (whim.ending === "cut") {
    response.write(": ", () => response.destroy());
    return;
  }
  say({ content: text.slice(middle) });
  say({}, "stop");
  const usage = usageOf(served);
  if (usage !== undefined && request.stream_options?.include_usage) {
    event({ choices: [], usage });
    if (whim.delivered > 1) event({ choices: [], usage }); // told twice, billed once
  }
  response.end("data: [DONE]\n\n");
}

function refuse(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  send(response, status, JSON.stringify({ error: { message: `refused with ${status}` } }), headers);
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body);
}
