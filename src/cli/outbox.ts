import { Outbox } from "../events/outbox.ts";
import { nodeWorld } from "../node-world.ts";
import type { Store } from "../ports/store.ts";
import type { Settings } from "./settings.ts";
import { say } from "./terminal.ts";

/** The outbox of the configured sinks; undefined when there are none. @throws InvalidOptionError */
export function outboxOf({ sinks }: Settings, store: Store): Outbox | undefined {
  return sinks && new Outbox({ store, world: nodeWorld(), sinks, onError: ({ message }) => say(message) });
}
