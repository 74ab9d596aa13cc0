/**
 * A server that speaks OpenAI's wire format, chat completions and responses, in one piece and streamed, and meters
 * every request itself. It is the adversary of budgets: it bills calls whose answers never arrive, and can be told to
 * misbehave.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PicoUsd } from "../core/limits.ts";
import { inWire } from "./openai-wire.ts";
import { sendJson } from "./wire/send-json.ts";

/**
 * How a request goes wrong. `rate-limit` and `bad-request` are not billed. The others are, in full: `server-error`
 * (500), `malformed` (half a JSON document), `drop` (the connection ends in the middle of the body), `stall` (the
 * middle of the body is the last that comes), `end-early` (the body ends in its middle, in good order), `no-usage` (a
 * good answer without its usage), `overbill` (an answer longer than the cap, and usage to match).
 */
export type Fault =
  | "rate-limit"
  | "bad-request"
  | "server-error"
  | "malformed"
  | "drop"
  | "stall"
  | "end-early"
  | "no-usage"
  | "overbill";

/** One request as the server understood it. */
export interface ServedRequest {
  /** From 0, in order of arrival. */
  readonly index: number;
  readonly api: "chat" | "responses";
  readonly model: string;
  /** All text of the request's messages, joined by line ends. */
  readonly text: string;
  /** The output cap of the request, if it has one. */
  readonly cap: number | undefined;
  /** The answer is wanted piece by piece. */
  readonly stream: boolean;
  readonly headers: IncomingMessage["headers"];
  readonly body: { readonly [field: string]: unknown };
}

/** A text, or calls of tools with their arguments. */
export type ServedReply =
  | string
  | { readonly toolCalls: readonly { readonly name: string; readonly input: object }[] };

export interface OpenAIServerOptions {
  /** What is answered. Default: `"ok"`. */
  readonly reply?: (request: ServedRequest) => ServedReply;
  /** Pico-dollars a token. Default 150,000 in and 600,000 out: those of gpt-4o-mini. `cached` defaults to half of `input`. */
  readonly price?: { readonly input: PicoUsd; readonly output: PicoUsd; readonly cached?: PicoUsd };
  readonly fault?: (request: ServedRequest) => Fault | undefined;
  /** How a streamed text comes. Default: four characters at a time, a token each. */
  readonly pieces?: (text: string) => readonly string[];
  /** Awaited before each event of a stream, numbered from 0: it may take its time. */
  readonly beforeEvent?: (event: number, request: ServedRequest) => Promise<void> | undefined;
  /** How long each answer takes. Default: no time. */
  readonly latencyMs?: number | ((request: ServedRequest) => number);
  /** Output tokens spent on thinking before each answer, within the cap. Default 0. */
  readonly reasoningTokens?: number;
  /** How many percent of the input counts as read from the cache. Default 0. */
  readonly cachedPercent?: number;
  /** What a 429 asks the caller to wait. Default 1. */
  readonly retryAfterSeconds?: number;
}

export interface OpenAIServer {
  /** For OPENAI_BASE_URL: `http://127.0.0.1:PORT/v1`. */
  readonly url: string;
  readonly requests: readonly ServedRequest[];
  /** The bill: what every request so far truly cost. */
  readonly billedPicoUsd: PicoUsd;
  /** The bill of some of them. */
  billedFor(isMeant: (request: ServedRequest) => boolean): PicoUsd;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts the server on a free port of this machine. */
export async function openaiServer(options: OpenAIServerOptions = {}): Promise<OpenAIServer> {
  const requests: ServedRequest[] = [];
  const bills = new Map<ServedRequest, PicoUsd>();
  const billedFor = (isMeant: (request: ServedRequest) => boolean): PicoUsd =>
    [...bills].reduce((sum, [request, picoUsd]) => (isMeant(request) ? sum + picoUsd : sum), 0n);
  const server = createServer((incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  });

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await understand(incoming, requests.length);
    if (request === undefined) {
      sendJson(response, 404, { error: { message: "no such endpoint" } });
      return;
    }
    requests.push(request);
    const fault = options.fault?.(request);
    const meal = cook(request, fault, options);
    if (fault !== "rate-limit" && fault !== "bad-request") bills.set(request, meal.picoUsd);
    const { latencyMs = 0 } = options;
    const wait = typeof latencyMs === "number" ? latencyMs : latencyMs(request);
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    const isGood = fault === undefined || refusals[fault] === undefined;
    if (request.stream && isGood) {
      const pause = async (event: number) => options.beforeEvent?.(event, request);
      await streamed(response, fault, meal.events, pause);
    } else answer(response, fault, meal.document, options.retryAfterSeconds ?? 1);
  }

  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a listening TCP server has one
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    url: `http://127.0.0.1:${port}/v1`,
    requests,
    get billedPicoUsd() {
      return billedFor(() => true);
    },
    billedFor,
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function understand(incoming: IncomingMessage, index: number): Promise<ServedRequest | undefined> {
  const api = incoming.url?.endsWith("/chat/completions")
    ? "chat"
    : incoming.url?.endsWith("/responses")
      ? "responses"
      : undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  if (api === undefined) return undefined;
  const body: Record<string, unknown> = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  const cap = body.max_output_tokens ?? body.max_completion_tokens ?? body.max_tokens;
  return {
    index,
    api,
    model: String(body.model),
    text: texts(body.messages ?? body.input).join("\n"),
    cap: typeof cap === "number" ? cap : undefined,
    stream: body.stream === true,
    headers: incoming.headers,
    body,
  };
}

/** Every text under `content`, `text` and `output` fields. */
function texts(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(texts);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === "string" ? (["content", "text", "output"].includes(key) ? [inner] : []) : texts(inner),
  );
}

/** A token is four characters of text. */
const charactersPerToken = 4;
const tokensOf = (text: string): number => Math.ceil(text.length / charactersPerToken);

/** The answer and its price. */
function cook(request: ServedRequest, fault: Fault | undefined, options: OpenAIServerOptions) {
  const { price = { input: 150_000n, output: 600_000n }, reasoningTokens = 0, cachedPercent = 0 } = options;
  const cap = fault === "overbill" ? Number.POSITIVE_INFINITY : (request.cap ?? Number.POSITIVE_INFINITY);
  const reply = options.reply?.(request) ?? "ok";
  const reasoning = Math.min(reasoningTokens, cap);
  const said = typeof reply === "string" ? reply : "";
  const long =
    fault === "overbill" ? said.padEnd(((request.cap ?? 100) + 1_000) * charactersPerToken, ".") : said;
  const text = long.slice(0, (cap - reasoning) * charactersPerToken);
  const toolCalls = typeof reply === "string" ? [] : reply.toolCalls;
  const written = toolCalls.reduce((sum, call) => sum + tokensOf(JSON.stringify(call)), tokensOf(text));
  const output = reasoning + Math.min(written, cap - reasoning);
  const beside = [request.body.tools, request.body.response_format, request.body.text].filter(
    (one) => one !== undefined,
  );
  const input =
    3 + tokensOf(request.text) + beside.reduce<number>((sum, one) => sum + tokensOf(JSON.stringify(one)), 0);
  const cached = Math.floor((input * cachedPercent) / 100);
  const picoUsd =
    BigInt(input - cached) * price.input +
    BigInt(cached) * (price.cached ?? price.input / 2n) +
    BigInt(output) * price.output;
  const served = {
    request,
    text,
    toolCalls,
    cut: text.length < long.length,
    counts: { input, cached, output, reasoning },
  };
  const pieces = (options.pieces ?? tokens)(text);
  return { picoUsd, ...inWire(served, pieces, fault !== "no-usage") };
}

const tokens = (text: string): readonly string[] => text.match(/[\s\S]{1,4}/g) ?? [];

const refusals: { readonly [fault: string]: readonly [status: number, message: string] } = {
  "rate-limit": [429, "slow down"],
  "bad-request": [400, "not like this"],
  "server-error": [500, "something broke"],
};

function answer(
  response: ServerResponse,
  fault: Fault | undefined,
  document: object,
  retryAfter: number,
): void {
  const json = JSON.stringify(document);
  const half = json.slice(0, json.length / 2);
  const refusal = refusals[fault ?? ""];
  if (fault === "stall") {
    response.writeHead(200, { "content-type": "application/json" });
    response.write(half);
  } else if (refusal !== undefined) {
    const [status, message] = refusal;
    sendJson(
      response,
      status,
      { error: { message } },
      status === 429 ? { "retry-after": String(retryAfter) } : {},
    );
  } else if (fault === "malformed" || fault === "end-early") {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(half);
  } else if (fault === "drop") {
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(json)),
    });
    response.write(half, () => response.destroy());
  } else {
    sendJson(response, 200, document);
  }
}

/** Server-sent events, one after the other, until the fault. */
async function streamed(
  response: ServerResponse,
  fault: Fault | undefined,
  events: readonly object[],
  pause: (event: number) => Promise<void>,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const isCut = fault !== undefined && ["malformed", "drop", "stall", "end-early"].includes(fault);
  const sent = isCut ? events.slice(0, events.length / 2) : events;
  for (const [i, event] of sent.entries()) {
    await pause(i);
    if (response.destroyed) return; // the caller has hung up
    response.write(`data: ${JSON.stringify(event)}\n\n`);
  }
  if (fault === "malformed") response.end(`data: {"half": \n\n`);
  else if (fault === "drop") response.write(": going\n\n", () => response.destroy());
  else if (fault === "end-early") response.end();
  else if (fault !== "stall") response.end("data: [DONE]\n\n");
}
