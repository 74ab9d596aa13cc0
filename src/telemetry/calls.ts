import type { Purchase } from "../core/context.ts";
import type { Amount, Entry, EntryOf } from "../core/entries.ts";
import type { Json } from "../core/json.ts";
import type { Path } from "../core/paths.ts";

/** Answers, vectors of texts, or images. */
type Asked = "chat" | "vectors" | "images";

/** Only what is answered in words has output tokens, and only words have input tokens. */
const askedBy = ({ inputTokens, outputTokens }: Amount): Asked =>
  outputTokens > 0 ? "chat" : inputTokens > 0 ? "vectors" : "images";

/** One thing paid for, as a physical call of a model: what was asked, and what came of it. */
export interface Call {
  /** The seq of its reservation. */
  readonly seq: number;
  readonly path: Path;
  readonly kind: Purchase;
  /** `"openai:gpt-4o"`. */
  readonly model: string;
  /** Milliseconds since 1970. */
  readonly start: number;
  /** What is asked of the model. */
  readonly asked: Asked;
  /** The most output tokens it may have. */
  readonly cap: number;
  end?: number;
  /** What it has cost; undefined while nobody knows. */
  amount?: Amount;
  /** Nobody knows what it cost: all of it counts. */
  inDoubt: boolean;
  /** The answer, as the journal keeps it. */
  answer?: Json;
  /** Why there is none: the code of an error. */
  error?: string;
  streamed: boolean;
}

/** The calls of a run that are under way, from its entries. */
export class Calls {
  readonly #open = new Map<number, Call>();
  readonly #ended = new Map<Path, Call>();

  /** Takes an entry in. Returns the call that it is the last word on. */
  take(entry: Entry): Call | undefined {
    switch (entry.type) {
      case "budget-reserved":
        return this.#begin(entry);
      case "text-streamed": {
        const call = this.#open.get(entry.of);
        if (call !== undefined) call.streamed = true;
        return undefined;
      }
      case "budget-settled":
      case "budget-released":
        return this.#settle(entry);
      case "operation-completed":
      case "operation-failed":
        return this.#close(entry);
      default:
        return undefined;
    }
  }

  /** The calls that nothing more will be said about. */
  rest(): Call[] {
    const calls = [...this.#ended.values(), ...this.#open.values()];
    this.#ended.clear();
    this.#open.clear();
    return calls;
  }

  /** A new try of an operation says that the one before has failed. */
  #begin(entry: EntryOf<"budget-reserved">): Call | undefined {
    const { seq, path, model, kind = "model-call", amount, at: start } = entry;
    const before = this.#ended.get(path);
    this.#ended.delete(path);
    const cap = amount.outputTokens;
    const asked = askedBy(amount);
    this.#open.set(seq, { seq, path, model, kind, asked, start, cap, inDoubt: false, streamed: false });
    return before;
  }

  #settle(entry: EntryOf<"budget-settled"> | EntryOf<"budget-released">): undefined {
    const call = this.#open.get(entry.of);
    if (call === undefined) return;
    this.#open.delete(entry.of);
    call.end = entry.at;
    if (entry.type === "budget-settled") {
      call.amount = entry.amount;
      call.inDoubt = entry.doubt ?? false;
    }
    this.#ended.set(call.path, call);
  }

  #close(entry: EntryOf<"operation-completed"> | EntryOf<"operation-failed">): Call | undefined {
    const call = this.#ended.get(entry.path);
    if (call === undefined) return undefined;
    this.#ended.delete(entry.path);
    if (entry.type === "operation-completed") call.answer = entry.output;
    else call.error = entry.error.code;
    return call;
  }
}
