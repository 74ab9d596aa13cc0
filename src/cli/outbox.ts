import { Outbox } from "../events/outbox.ts";
import { AnswerLinks } from "../links/answer-links.ts";
import { nodeWorld } from "../node-world.ts";
import type { LinksFor } from "../ports/sink.ts";
import type { Store } from "../ports/store.ts";
import type { Settings } from "./settings.ts";
import { say } from "./terminal.ts";

/** The outbox of the configured sinks; undefined when there are none. @throws InvalidOptionError */
export function outboxOf(settings: Settings, store: Store): Outbox | undefined {
  const { sinks } = settings;
  if (sinks === undefined) return undefined;
  const links = linksOf(settings, store);
  const linksFor: LinksFor = (runId, event) => links.forEvent(runId, event);
  return new Outbox({ store, world: nodeWorld(), sinks, linksFor, onError: ({ message }) => say(message) });
}

/** The answer links of the configured server and secret. @throws InvalidOptionError */
export const linksOf = ({ server, secret }: Settings, store: Store): AnswerLinks =>
  new AnswerLinks({ store, world: nodeWorld(), publicUrl: server?.publicUrl, secret });
