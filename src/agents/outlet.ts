import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { partsOf, type RecordedResult, withoutItemIds } from "./recorded-result.ts";

type Part = LanguageModelV4StreamPart;

/** Parts that only say that something is about to come. */
const opening = new Set<Part["type"]>([
  "stream-start",
  "response-metadata",
  "text-start",
  "reasoning-start",
  "tool-input-start",
]);

/**
 * Where the parts of one durable stream go: held until there is something to tell, so that a call that breaks before is
 * made again unseen; then handed on as they come. What was told cannot be taken back.
 */
export class Outlet {
  /** Ends with the error of the call, after all that came before it. */
  readonly stream: ReadableStream<Part>;
  readonly #open: () => void;
  readonly #waiting: Part[] = [];
  #held: Part[] = [];
  #isOpen = false;
  #end: { readonly error?: unknown } | undefined;
  #wake: (() => void) | undefined;

  /** @param open called with the first part that is told. */
  constructor(open: () => void) {
    this.#open = open;
    // A reader that leaves stops no call: it is paid for, goes on, and is recorded.
    this.stream = ReadableStream.from(this.#told());
  }

  readonly mayRepeat = (): boolean => !this.#isOpen;

  /** A call is made. */
  begin(): void {
    this.#held = [];
  }

  readonly onPart = (part: Part): void => {
    if (part.type === "finish") return; // told once the result is recorded
    const clean = withoutItemIds(part);
    if (!this.#isOpen && opening.has(part.type)) this.#held.push(clean);
    else this.#tell(clean);
  };

  /** The result is recorded. What the stream has not told of it yet is told now. */
  finish(result: RecordedResult): void {
    const parts = [...partsOf(result)];
    if (!this.#isOpen) this.#held = [];
    for (const part of this.#isOpen ? parts.slice(-1) : parts) this.#tell(part);
    this.#close({});
  }

  fail(error: unknown): void {
    this.#close({ error });
  }

  #tell(part: Part): void {
    this.#waiting.push(...this.#held, part);
    this.#held = [];
    if (!this.#isOpen) this.#open();
    this.#isOpen = true;
    this.#wake?.();
  }

  #close(end: { readonly error?: unknown }): void {
    this.#end = end;
    this.#wake?.();
  }

  async *#told(): AsyncGenerator<Part> {
    for (;;) {
      for (let part = this.#waiting.shift(); part !== undefined; part = this.#waiting.shift()) yield part;
      if (this.#end === undefined) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      } else if ("error" in this.#end) throw this.#end.error;
      else return;
    }
  }
}
