import { nodeWorld } from "../node-world.ts";
import type { Store } from "../ports/store.ts";
import { answers } from "../server/answers.ts";
import type { Mount, Served } from "../server/parts.ts";
import { linksOf } from "./outbox.ts";
import type { Settings } from "./settings.ts";

/**
 * Where answer links lead, as a part of a server.
 *
 * @param pipelines whose runs go on at once when they are answered.
 * @throws InvalidOptionError for a secret that is too short.
 */
export const answerPages = (settings: Settings, store: Store, pipelines: readonly Served[] = []): Mount => ({
  at: "/answer",
  app: answers({ store, world: nodeWorld(), links: linksOf(settings, store), pipelines }),
});
