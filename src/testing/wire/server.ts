/**
 * A server that speaks the wire formats of the large providers, each at its own paths, whole or streamed, and meters
 * every request itself. It bills calls whose answers never arrive, and can be told to misbehave.
 */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PicoUsd } from "../../core/limits.ts";
import { anthropicMessages } from "./anthropic.ts";
import { geminiEmbeddings, openaiEmbeddings, vertexEmbeddings } from "./embeddings.ts";
import type { Asked, Body, Frame, WireFormat } from "./format.ts";
import { gemini } from "./gemini.ts";
import { openaiImages } from "./images.ts";
import { billOf, type Habits, serve, type WirePrice, type WireReply, wirePrice } from "./meter.ts";
import { openaiChat } from "./openai-chat.ts";
import { openaiResponses } from "./openai-responses.ts";
import { sendJson } from "./send-json.ts";

const formats: readonly WireFormat[] = [
  openaiResponses,
  openaiChat,
  anthropicMessages,
  gemini,
  openaiEmbeddings,
  geminiEmbeddings,
  vertexEmbeddings,
  openaiImages,
];

/**
 * How a request goes wrong. `rate-limit` (429) and `unauthorised` (401) are not billed. The others are, in full:
 * `server-error` (500), `malformed` (half a document, or a stream that breaks off within one), `drop` (the connection
 * ends in the middle), `no-usage` (a good answer that does not say what it cost), `overbill` (1,000 tokens more than
 * the cap, and usage to match; of images, one more than asked for).
 */
export type WireFault =
  | "rate-limit"
  | "unauthorised"
  | "server-error"
  | "malformed"
  | "drop"
  | "no-usage"
  | "overbill";

export interface WireRequest extends Asked {
  /** From 0, in order of arrival. */
  readonly index: number;
  readonly format: WireFormat["name"];
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Body;
  /** Resolves when the connection is done with this request: to `"hung-up"` when the client left before the end. */
  readonly over: Promise<"answered" | "hung-up">;
}

export interface WireServerOptions extends Habits {
  /** What is answered. Default: `"ok"`. */
  readonly reply?: (request: WireRequest) => WireReply;
  readonly fault?: (request: WireRequest) => WireFault | undefined;
  /** Changes a document, or each frame of a stream, as the last thing before it is sent. */
  readonly rewrite?: (document: object, request: WireRequest) => object;
  /** Default `wirePrice`. */
  readonly price?: WirePrice;
  /** The message of refusals. Default: a plain sentence. */
  readonly message?: (request: WireRequest) => string;
  /** What a 429 asks the caller to wait. Default 1. */
  readonly retryAfterSeconds?: number;
}

export interface WireServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`; each provider puts its own path behind it. */
  readonly origin: string;
  readonly requests: readonly WireRequest[];
  /** The bill: what every request so far truly cost. */
  readonly billedPicoUsd: PicoUsd;
  /** Resolves once this many requests have arrived. */
  arrived(count: number): Promise<void>;
  /** From now on not a byte of an answer is sent before the returned function is called. */
  hold(): () => void;
  close(): Promise<void>;
}

/** Starts the server on a free port of this machine. */
export async function wireServer(options: WireServerOptions = {}): Promise<WireServer> {
  const requests: WireRequest[] = [];
  const waiting: { readonly count: number; readonly wake: () => void }[] = [];
  let billed: PicoUsd = 0n;
  let held: Promise<void> | undefined;

  const server = createServer((incoming, response) => {
    answer(incoming, response).catch(() => response.destroy());
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const over = once(response, "close").then(() => (response.writableFinished ? "answered" : "hung-up"));
    const understood = await understand(incoming);
    if (understood === undefined) {
      sendJson(response, 404, { error: { message: "no such endpoint" } });
      return;
    }
    const { format, asked, body } = understood;
    const request: WireRequest = {
      ...asked,
      index: requests.length,
      format: format.name,
      path: incoming.url ?? "",
      headers: incoming.headers,
      body,
      over,
    };
    requests.push(request);
    for (const { count, wake } of waiting) if (requests.length >= count) wake();

    const fault = options.fault?.(request);
    const refusal = refusals[fault ?? ""];
    const reply = options.reply?.(request) ?? "ok";
    const served = serve(request.index, understood, reply, options, fault === "overbill" ? 1_000 : 0);
    if (refusal?.billed !== false) billed += billOf(served.counts, options.price ?? wirePrice);
    await held;
    if (refusal !== undefined) {
      const message = options.message?.(request) ?? "the server was told to refuse this";
      const retryAfter = refusal.status === 429 ? (options.retryAfterSeconds ?? 1) : undefined;
      const { document, headers } = format.refusal(refusal.status, message, retryAfter);
      sendJson(response, refusal.status, document, headers);
      return;
    }
    const shown = fault === "no-usage" ? { ...served, counts: undefined } : served;
    const rewrite = (document: object): object => options.rewrite?.(document, request) ?? document;
    if (asked.stream) stream(response, format.frames(shown), fault, rewrite);
    else whole(response, rewrite(format.document(shown)), fault);
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a listening TCP server has one
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    get billedPicoUsd() {
      return billed;
    },
    arrived: (count) =>
      new Promise((wake) => {
        if (requests.length >= count) wake();
        else waiting.push({ count, wake });
      }),
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      held = promise;
      return resolve;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

const refusals: { readonly [fault: string]: { readonly status: number; readonly billed: boolean } } = {
  "rate-limit": { status: 429, billed: false },
  unauthorised: { status: 401, billed: false },
  "server-error": { status: 500, billed: true },
};

async function understand(
  incoming: IncomingMessage,
): Promise<{ format: WireFormat; asked: Asked; body: Body } | undefined> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  const body: Body = text === "" ? {} : JSON.parse(text);
  for (const format of formats) {
    const asked = format.read(incoming.url ?? "", body);
    if (asked !== undefined) return { format, asked, body };
  }
  return undefined;
}

/** Half of it with the length of the whole: the line then breaks. */
function whole(response: ServerResponse, document: object, fault: WireFault | undefined): void {
  const json = JSON.stringify(document);
  const half = json.slice(0, json.length / 2);
  const headers = { "content-type": "application/json" };
  if (fault === "malformed") {
    response.writeHead(200, headers).end(half);
  } else if (fault === "drop") {
    response.writeHead(200, { ...headers, "content-length": String(Buffer.byteLength(json)) });
    response.write(half, () => response.destroy());
  } else {
    sendJson(response, 200, document);
  }
}

function stream(
  response: ServerResponse,
  frames: readonly Frame[],
  fault: WireFault | undefined,
  rewrite: (document: object) => object,
): void {
  const lines = frames.map(({ event, data }) => {
    const text = data === "[DONE]" ? data : JSON.stringify(rewrite(data));
    return `${event === undefined ? "" : `event: ${event}\n`}data: ${text}\n\n`;
  });
  const half = lines.slice(0, Math.ceil(lines.length / 2)).join("");
  response.writeHead(200, { "content-type": "text/event-stream" });
  if (fault === "drop") response.write(half, () => response.destroy());
  else if (fault === "malformed") response.end(`${half}data: {"half":\n\n`);
  else response.end(lines.join(""));
}
