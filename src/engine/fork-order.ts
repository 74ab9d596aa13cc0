/** What is asked of a fork, looked at before anything of it is made. */
import type { RunCreated } from "../core/entries.ts";
import type { Limits } from "../core/limits.ts";
import type { Overlay } from "../core/overlay.ts";
import type { Path } from "../core/paths.ts";
import { percents, type ScopeRecord, scopeRecord } from "../core/scopes.ts";
import { examine } from "./examine.ts";
import { load } from "./load.ts";
import type { ForkOptions } from "./options.ts";
import { overlayOf } from "./recorded-overlay.ts";
import { fittingInput, overlaidRoot } from "./root.ts";
import type { Setting } from "./setting.ts";
import { limitsOver, scopesWith } from "./terms.ts";

/** What becomes of a run at a point. */
export interface ForkOrder {
  readonly runId: string;
  /** The run it comes from. */
  readonly from: string;
  readonly at: Path;
  /** The input of the place at the point; of the run, where the point is its pipeline. */
  readonly input?: { readonly value: unknown };
  readonly overlay: Overlay;
  readonly limits: Limits | undefined;
  readonly scopes: readonly ScopeRecord[];
  readonly alertAt: readonly number[];
  readonly origin: RunCreated["origin"];
  readonly force: boolean;
}

/** @throws UnknownRunError, InvalidInputError, InvalidOptionError, InvalidPipelineError, UnpricedModelError */
export async function forkOrder<State>(
  setting: Setting<State>,
  runId: string,
  from: string,
  given: ForkOptions,
): Promise<ForkOrder> {
  const { root: bare, options } = setting;
  const { at, input, overlay = [] } = given;
  const { created } = await load(options.store, from);
  const recorded = await overlayOf(created, options.store);
  const root = await overlaidRoot(bare, [...recorded, ...overlay]);
  const limits = limitsOver(options.budget, given.budget) ?? root.limits;
  const scopes = scopesWith(options.scopes, given.scopes?.map(scopeRecord) ?? created?.scopes);
  await examine(setting, limits, scopes, root);
  const isWhole = at === bare.path; // then the pipeline's schema has a say
  return {
    ...{ runId, from, at, overlay, limits, scopes },
    alertAt: percents(options.alertAt),
    origin: options.origin,
    force: given.forceVersion === true,
    ...(input === undefined ? {} : { input: { value: isWhole ? await fittingInput(bare, input) : input } }),
  };
}
