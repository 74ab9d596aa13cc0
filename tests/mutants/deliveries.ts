/** Scenes in which a guard of the outbox is missed that the simulation does not miss: a later sweep would make up for it. */
import assert from "node:assert/strict";
import type * as compose from "../../src/core/compose.ts";
import type * as pauses from "../../src/core/pauses.ts";
import type * as runners from "../../src/engine/runner.ts";
import type * as outboxes from "../../src/events/outbox.ts";
import type { Delivery } from "../../src/ports/sink.ts";
import type { Store } from "../../src/ports/store.ts";
import type * as memories from "../../src/stores/memory.ts";
import type * as worlds from "../../src/testing/virtual-world.ts";

/** A copy of the sources, as far as scenes need it. */
export type Copy = typeof compose &
  typeof pauses &
  typeof runners &
  typeof outboxes &
  typeof memories &
  typeof worlds;

const noSweep = { onError: () => {} } as const;

/** The numbers of the events that a sink of one process has taken when its run is long over. Letting a cursor go takes a second. */
async function told(
  { memory, Outbox, pipeline, Runner, sleep, step, virtualWorld }: Copy,
  deliver: (delivery: Delivery) => void = () => {},
): Promise<{ readonly taken: readonly number[]; readonly written: number }> {
  const world = virtualWorld({ seed: 1 });
  const process = world.process("process");
  const wait = (ms: number) => new Promise<void>((resolve) => void process.timer(ms, resolve));
  const inner = memory();
  const store: Store = {
    ...inner,
    async putNote(key, value, seen) {
      if (seen !== undefined && !JSON.stringify(value).includes('"owner"')) await wait(1_000);
      return inner.putNote(key, value, seen);
    },
  };
  const taken: number[] = [];
  const to = {
    name: "receiver",
    deliver: async (delivery: Delivery) => {
      deliver(delivery);
      taken.push(delivery.event.seq);
    },
  };
  const outbox = new Outbox({ store, world: process, sinks: { all: { to, events: "all" } }, ...noSweep });
  const steps = step("a", (n: number) => n)
    .to(sleep<number>("nap", "500ms"))
    .to("b", (n) => n);
  const runner = new Runner(pipeline("p", steps), { store, world: process, listeners: [outbox] });
  await world.run(runner.run(1, { runId: "r" }));
  await world.run(wait(3_600_000), { ms: 3_600_001 });
  return { taken, written: (await store.read("r", 0, 99))?.length ?? 0 };
}

export const deliveries: { readonly [claim: string]: (on: Copy) => Promise<void> } = {
  async "what is recorded while a cursor is let go is told by whoever lets it go"(on) {
    const { taken, written } = await told(on);
    assert.deepEqual(taken, [...Array(written).keys()]);
  },

  async "what a sink did not take is tried again"(on) {
    const { taken, written } = await told(on, ({ attempt }) => {
      if (attempt < 3) throw new Error("not now");
    });
    assert.deepEqual(taken, [...Array(written).keys()]);
  },
};
