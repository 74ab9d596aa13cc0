import { type EventSourceMessage, EventSourceParserStream } from "eventsource-parser/stream";
import { ClientError } from "./error.ts";
import type { Query, Wire } from "./wire.ts";

/** How a reader comes back that was cut off, in milliseconds. */
const firstPauseMs = 250;
const longestPauseMs = 5_000;

export interface FollowOptions {
  /** Ends the reading when it fires. */
  readonly signal?: AbortSignal;
  /** How long a server that does not answer is asked again, in milliseconds. Default 60,000. */
  readonly giveUpMs?: number;
}

/**
 * Server-sent events, from connection to connection: each goes on after the last event of the one before.
 *
 * @param query of the first connection.
 * @throws ClientError when the server refuses, or has not answered for too long.
 */
export async function* follow(
  wire: Wire,
  path: string,
  query: Query,
  { signal, giveUpMs = 60_000 }: FollowOptions,
): AsyncGenerator<EventSourceMessage> {
  let last: string | undefined;
  let pauseMs = firstPauseMs;
  let silentSince: number | undefined;
  for (;;) {
    if (signal?.aborted) return;
    try {
      const headers: Record<string, string> = last === undefined ? {} : { "last-event-id": last };
      const response = await wire.open(path, query, headers, signal);
      if (response.status === 204 || response.body === null) return;
      pauseMs = firstPauseMs;
      silentSince = undefined;
      for await (const message of messagesIn(response.body)) {
        last = message.id ?? last;
        yield message;
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (ClientError.isInstance(error) && !error.retryable) throw error;
      silentSince ??= Date.now();
      if (Date.now() - silentSince >= giveUpMs) throw error;
    }
    await pause(pauseMs, signal);
    pauseMs = Math.min(longestPauseMs, pauseMs * 2);
  }
}

async function* messagesIn(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<EventSourceMessage> {
  const reader = body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream())
    .getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {}); // the connection is gone in any case
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    signal?.addEventListener("abort", wake, { once: true });
    if (signal?.aborted) wake();
  });
}
