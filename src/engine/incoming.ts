import type { Path } from "../core/paths.ts";
import type { KnownText, Piece } from "../core/streamed.ts";
import type { Tenure } from "./tenure.ts";

/** Pieces are put into the journal so many milliseconds after the first of them has come. */
const gatherMs = 50;
/** No entry holds more characters of text. */
const mostCharacters = 8_192;

/** Whose answer it is. */
export interface Answered {
  readonly path: Path;
  /** The seq of the call's reservation. */
  readonly of: number;
  readonly request?: string;
  readonly follows?: number;
}

/**
 * The answer of one call while it comes: its pieces are gathered for a moment and put into the journal, one entry for
 * each of its texts, and nobody waits for them to be written.
 */
export class Incoming {
  readonly #tenure: Tenure;
  readonly #answered: Answered;
  readonly #texts: { text: string; readonly kind: Piece["kind"] }[] = [];
  #waiting = new Map<number, string[]>();
  #characters = 0;
  #timer: (() => void) | undefined;
  #begun = false;
  #over = false;

  constructor(tenure: Tenure, answered: Answered) {
    this.#tenure = tenure;
    this.#answered = answered;
  }

  /** Takes a piece in. What comes after the end is nobody's. */
  hear({ block, kind, chunk }: Piece): void {
    if (this.#over || chunk === "") return;
    this.#texts[block] ??= { kind, text: "" };
    this.#texts[block].text += chunk;
    for (const part of parts(chunk)) {
      if (this.#characters + part.length > mostCharacters) this.#put();
      const waiting = this.#waiting.get(block);
      if (waiting === undefined) this.#waiting.set(block, [part]);
      else waiting.push(part);
      this.#characters += part.length;
    }
    this.#timer ??= this.#tenure.world.timer(gatherMs, () => this.#put(), { background: true });
  }

  /** Puts what is left. */
  end(): void {
    this.#over = true;
    this.#put();
  }

  /** The texts so far, each with where the journal has it. */
  known(): KnownText[] {
    const { of } = this.#answered;
    return this.#texts.flatMap(({ text }, block) => [{ text, from: [[of, block]] }]); // an empty text left a gap
  }

  #put(): void {
    this.#timer?.();
    this.#timer = undefined;
    const { path, of, request, follows } = this.#answered;
    for (const [block, chunks] of this.#waiting) {
      const { kind = "text" } = this.#texts[block] ?? {};
      this.#tenure.journal.put({
        type: "text-streamed",
        path,
        of,
        block,
        ...(kind === "text" ? {} : { kind }),
        chunks,
        ...(this.#begun || request === undefined ? {} : { request }),
        ...(this.#begun || follows === undefined ? {} : { follows }),
      });
      this.#begun = true;
    }
    this.#waiting = new Map();
    this.#characters = 0;
  }
}

/** A chunk, or, of one that is too long for an entry, its parts. */
function* parts(chunk: string): Generator<string> {
  for (let at = 0; at < chunk.length; at += mostCharacters) yield chunk.slice(at, at + mostCharacters);
}
