import type { RunEvent } from "../core/events.ts";
import type { JsonObject } from "../core/json.ts";

/** Where a question is answered in a browser, by whoever has the link. Each works for a while, and for one answer. */
export interface QuestionLinks {
  /** Shows the question, and takes an answer. */
  readonly answer: string;
  /** Of an approval: the same with the answer in it, which has only to be confirmed. */
  readonly approve?: string;
  readonly reject?: string;
}

/** Makes the links of a question an event tells of. Who composes an outbox knows where they lead, and their secret; sinks do not. */
export type LinksFor = (runId: string, event: RunEvent) => Promise<QuestionLinks | undefined>;

/** One event of a run, on its way to one sink. */
export interface Delivery {
  /**
   * The same whenever this event is sent to this sink, and no other's: letters, digits and `_`. A receiver that has seen
   * it drops what comes again.
   */
  readonly id: string;
  readonly runId: string;
  readonly pipeline: string;
  /** What may leave without being asked for: no inputs, outputs, prompts of models, or messages of errors. */
  readonly facts: JsonObject;
  /** Everything the journal says: for templates that ask for it. */
  readonly event: RunEvent;
  /** What the run had spent or held by then: US dollars, an exact decimal. */
  readonly costUsd: string;
  /** Of a question to a person, where a public URL is configured. Made anew for each try. */
  readonly links?: QuestionLinks;
  /** From 1. */
  readonly attempt: number;
}

/** Where events are told to the outside. Passing `testSink()` of `flujo/testing` is what makes one. */
export interface Sink {
  /** For messages, without secrets: `webhook hooks.example.com`. */
  readonly name: string;
  /**
   * Hands an event over; returns once the receiver has it. Whatever it throws means that the same is tried again later,
   * except a DeliveryFailedError that is not `retryable`. What it throws tells no secrets: it is kept and shown.
   *
   * @param signal fires when nobody waits any longer: nothing is left open then.
   */
  deliver(delivery: Delivery, signal: AbortSignal): Promise<void>;
}
