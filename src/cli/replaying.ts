/** A `Flujo` that replays runs: it advances none, and calls no model. */
import { models } from "../agents/models.ts";
import { Flujo } from "../flujo.ts";
import type { Store } from "../ports/store.ts";
import type { Loaded } from "./load/pipeline.ts";
import type { Settings } from "./settings.ts";

export const replaying = (
  { step }: Pick<Loaded, "step">,
  store: Store,
  { models: options }: Pick<Settings, "models">,
): Flujo<unknown, unknown> => new Flujo(step, { store, takeOver: false, models: models(options) });

export const bodiesChoices = ["none", "durable", "all"] as const;
export const bodiesHelp =
  "whose bodies run again: of steps with recorded operations (durable, the default), of all, of none";
