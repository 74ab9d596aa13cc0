/** Connections that stay open: server-sent events. */
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { World } from "../ports/world.ts";
import { Refusal } from "./letter.ts";
import { defaultStreams } from "./options.ts";

/** One message to whoever follows. */
export interface Message {
  /** What a reader shows when it comes back: `Last-Event-ID`. */
  readonly id?: string;
  /** Absent: `message`. */
  readonly event?: string;
  readonly data: string;
}

/** How often a silent connection says that it lives, so that nothing between takes it for dead. */
const heartbeatMs = 15_000;
/** How soon a reader that was cut off comes back. */
const retryMs = 1_000;

/** The open connections of a server, counted and ended together. */
export class Streams {
  readonly #world: World;
  readonly #most: number;
  readonly #open = new Set<AbortController>();
  #ended = false;

  constructor(world: World, most = defaultStreams) {
    this.#world = world;
    this.#most = most;
  }

  /**
   * Answers with messages as they come, until there are no more, the reader leaves, or the server ends. A slow reader is
   * waited for: nothing is kept for it.
   *
   * @throws Refusal when there are too many already.
   */
  answer(c: Context, messages: (signal: AbortSignal) => AsyncIterable<Message>): Response {
    if (this.#ended || this.#open.size >= this.#most) {
      c.header("Retry-After", "5");
      throw new Refusal(
        503,
        "too-many-streams",
        "too many connections follow events here",
        "Again in a while.",
      );
    }
    if (c.req.method === "HEAD") return c.body(null); // nobody would read it, nor leave
    const stop = new AbortController();
    this.#open.add(stop);
    c.header("X-Accel-Buffering", "no");
    const response = streamSSE(c, async (stream) => {
      stream.onAbort(() => stop.abort());
      let rest = (): void => {};
      const beat = (): void => {
        rest = this.#world.timer(
          heartbeatMs,
          () => {
            void stream.write(": \n\n"); // to nobody, when the reader has just left
            beat();
          },
          { background: true },
        );
      };
      beat();
      try {
        await stream.write(`retry: ${retryMs}\n\n`);
        for await (const message of messages(stop.signal)) {
          if (stop.signal.aborted) break;
          await stream.writeSSE(message);
        }
      } catch {
        // A store that fails in the middle ends the connection: the reader comes back, and is told in a letter.
      } finally {
        rest();
        this.#open.delete(stop);
      }
    });
    response.headers.set("Cache-Control", "no-store");
    return response;
  }

  /** Ends all of them, and takes no more. */
  end(): void {
    this.#ended = true;
    for (const stop of this.#open) stop.abort();
  }
}
