import { Outbox, type OutboxOptions } from "../events/outbox.ts";
import { AnswerLinks } from "../links/answer-links.ts";
import { nodeWorld } from "../node-world.ts";
import type { LinksFor } from "../ports/sink.ts";
import type { Store } from "../ports/store.ts";
import type { Settings } from "./settings.ts";
import { say } from "./terminal.ts";

/**
 * The outbox of the configured sinks; undefined when there are none.
 *
 * @param how told of what people should know, by default on stderr; and whether it looks for what others have left.
 * @throws InvalidOptionError
 */
export function outboxOf(
  settings: Settings,
  store: Store,
  how: Partial<Pick<OutboxOptions, "onError" | "sweepEveryMs">> = {},
): Outbox | undefined {
  const { sinks } = settings;
  if (sinks === undefined) return undefined;
  const links = linksOf(settings, store);
  const linksFor: LinksFor = (runId, event) => links.forEvent(runId, event);
  const onError: OutboxOptions["onError"] = ({ message }) => say(message);
  return new Outbox({ store, world: nodeWorld(), sinks, linksFor, onError, ...how });
}

/** The answer links of the configured server and secret. @throws InvalidOptionError */
export const linksOf = ({ server, secret }: Settings, store: Store): AnswerLinks =>
  new AnswerLinks({ store, world: nodeWorld(), publicUrl: server?.publicUrl, secret });
