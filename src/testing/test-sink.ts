import assert from "node:assert/strict";
import { inspect } from "node:util";
import { DeliveryFailedError, FlujoError } from "../core/errors.ts";
import type { RunEvent } from "../core/events.ts";
import { factsOf } from "../core/facts.ts";
import type { Delivery, Sink } from "../ports/sink.ts";
import type { TestRunner } from "./test-store.ts";

/** What the far end of a sink does with what it is sent. */
export type FarEnd =
  /** Takes it. */
  | "takes"
  /** Cannot take it now: HTTP 503, SMTP 451. */
  | "busy"
  /** Will never take it: HTTP 410, SMTP 550. */
  | "refuses"
  /** Breaks the connection off. */
  | "breaks"
  /** Accepts the connection, and says nothing more. */
  | "hangs";

/** A sink to be tested, and a real far end. */
export interface SinkUnderTest {
  readonly sink: Sink;
  /** From now on the far end does this. It begins with `takes`. */
  readonly farEnd: (does: FarEnd) => void;
  /** What the far end has taken so far, oldest first: all of each message, headers included, readable as text. */
  readonly taken: () => readonly string[];
  /** What must never show in an error: keys, passwords, addresses that are secrets. */
  readonly secrets: readonly string[];
  /** Called after each test. */
  readonly dispose?: () => Promise<void>;
}

/** How long a sink may take to let go once nobody waits for it, in real milliseconds: much more than it needs. */
const letGoMs = 10_000;

/**
 * The contract of a sink, as tests. Whatever passes is one.
 *
 *     import { describe, it } from "node:test";
 *     import { testSink } from "flujo/testing";
 *
 *     testSink("my sink", async () => ({ sink, farEnd, taken, secrets: [key] }), { describe, it });
 *
 * @param make is called once for each test.
 */
export function testSink(name: string, make: () => Promise<SinkUnderTest>, runner: TestRunner): void {
  runner.describe(`${name}: the contract of a sink`, () => {
    for (const [claim, test] of Object.entries(claims)) {
      runner.it(claim, async () => {
        const made = await make();
        try {
          await test(made);
        } finally {
          await made.dispose?.();
        }
      });
    }
  });
}

const never = new AbortController().signal;

const claims: { readonly [claim: string]: (made: SinkUnderTest) => Promise<void> } = {
  async "hands over what it is given, and returns once it has been taken"({ sink, taken }) {
    for (const event of events) await sink.deliver(deliveryOf(event), never);
    assert.equal(taken().length, events.length);
    events.forEach((event, i) => {
      assert.ok(taken()[i]?.includes(deliveryOf(event).id), `message ${i} does not hold its id`);
    });
  },

  async "says the same id when the same is sent again"({ sink, taken }) {
    const [first] = events.map(deliveryOf) as [Delivery];
    await sink.deliver(first, never);
    await sink.deliver({ ...first, attempt: 2 }, never);
    assert.equal(taken().length, 2);
    assert.ok(taken().every((message) => message.includes(first.id)));
  },

  async "says whose event it is"({ sink, taken }) {
    await sink.deliver(deliveryOf(events[0] as RunEvent), never); // there are some
    for (const part of ["r-1", "q3"]) assert.ok(taken()[0]?.includes(part), `${part} is not told`);
  },

  async "tells nothing of outputs and of the messages of errors by itself"({ sink, taken }) {
    for (const event of events) await sink.deliver(deliveryOf(event), never);
    for (const message of taken()) assert.ok(!message.includes(confidential));
  },

  async "takes any text: markup, quotes, line breaks, 100,000 characters"({ sink, taken }) {
    const wild = "<script>&\"'*_`|\r\nSubject: forged\r\n\r\n@everyone <!here> ñ日本🌊\u0000".repeat(2_000);
    await sink.deliver({ ...deliveryOf(asked(wild)), pipeline: wild.slice(0, 200) }, never);
    assert.equal(taken().length, 1);
  },

  async "throws what means another try while the far end is busy"({ sink, farEnd, taken }) {
    farEnd("busy");
    const error = await thrownBy(sink.deliver(deliveryOf(events[0] as RunEvent), never));
    assert.ok(isTemporary(error), `not to be tried again: ${error}`);
    farEnd("takes");
    await sink.deliver(deliveryOf(events[0] as RunEvent), never);
    assert.equal(taken().length, 1);
  },

  async "throws what means no other try when the far end will never take it"({ sink, farEnd }) {
    farEnd("refuses");
    const error = await thrownBy(sink.deliver(deliveryOf(events[0] as RunEvent), never));
    assert.ok(
      error instanceof DeliveryFailedError || FlujoError.isInstance(error),
      `not one of ours: ${error}`,
    );
    assert.equal(isTemporary(error), false);
  },

  async "throws what means another try when the connection breaks"({ sink, farEnd }) {
    farEnd("breaks");
    assert.ok(isTemporary(await thrownBy(sink.deliver(deliveryOf(events[0] as RunEvent), never))));
  },

  async "lets go when its signal fires"({ sink, farEnd }) {
    farEnd("hangs");
    const stop = new AbortController();
    const thrown = thrownBy(sink.deliver(deliveryOf(events[0] as RunEvent), stop.signal));
    setTimeout(() => stop.abort(), 50);
    const late = new Promise<"late">((resolve) => setTimeout(() => resolve("late"), letGoMs).unref());
    assert.notEqual(await Promise.race([thrown, late]), "late");
  },

  async "tells no secrets in its name and its errors"({ sink, farEnd, secrets }) {
    assert.ok(secrets.length > 0, "name at least one secret");
    const told = [sink.name];
    for (const does of ["busy", "refuses", "breaks"] as const) {
      farEnd(does);
      const error = await thrownBy(sink.deliver(deliveryOf(events[0] as RunEvent), never));
      told.push(inspect(error, { depth: 20, showHidden: true }), String(error));
    }
    for (const secret of secrets) {
      for (const text of told) assert.ok(!text.includes(secret), `a secret is told: ${text}`);
    }
  },
};

const isTemporary = (error: unknown): boolean => !FlujoError.isInstance(error) || error.retryable;

async function thrownBy(work: Promise<void>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: "it was taken, and should not have been" });
}

const at = "2030-01-01T00:00:00.000Z";
const confidential = "a-confidential-text";
const error = { code: "step-failed", message: confidential, retryable: true, path: "/q3/fetch" };

const asked = (prompt: string): RunEvent => ({
  seq: 9,
  at,
  path: "/q3/approve",
  type: "signal-awaited",
  prompt,
});

const events: readonly RunEvent[] = [
  { seq: 3, at, path: "/", type: "run-completed", output: confidential, from: 2 },
  { seq: 4, at, path: "/", type: "run-failed", error },
  { seq: 5, at, path: "/", type: "run-halted", error: { ...error, code: "budget-exceeded" } },
  { seq: 6, at, path: "/q3/fetch", type: "step-failed", kind: "step", attempt: 1, error, took: 3 },
  asked("Shall it be published?"),
  {
    seq: 10,
    at,
    path: "/q3/agent:tool#0",
    type: "signal-awaited",
    prompt: `May ${confidential}?`,
    asks: "approval",
  },
  { seq: 7, at, path: "/", type: "budget-threshold", scope: "/", percent: 80, of: "cost" },
  {
    ...{ seq: 8, at, path: "/q3/fetch", type: "step-completed", kind: "step" },
    ...{ output: { text: confidential }, attempt: 1, took: 3 },
  } as RunEvent, // in two parts, to be read
];

const deliveryOf = (event: RunEvent): Delivery => ({
  id: `evt_${String(event.seq).padStart(32, "0")}`,
  runId: "r-1",
  pipeline: "q3",
  facts: factsOf(event),
  event,
  costUsd: "0.0123",
  attempt: 1,
});
