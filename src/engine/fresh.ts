/** What a run is begun with, and the entry that says so. */
import { encode } from "../core/codec.ts";
import type { DispatchTerms } from "../core/dispatch.ts";
import type { RunCreated } from "../core/entries.ts";
import { versionOf } from "../core/fingerprint.ts";
import type { Json } from "../core/json.ts";
import type { Limits } from "../core/limits.ts";
import { outlineOf } from "../core/outline.ts";
import type { Overlay } from "../core/overlay.ts";
import { percents, type ScopeRecord, scopeRecord } from "../core/scopes.ts";
import type { Blob } from "../ports/store.ts";
import { examine } from "./examine.ts";
import type { StartOptions } from "./options.ts";
import { keptOverlay } from "./recorded-overlay.ts";
import { fittingInput, initialState, overlaidRoot, recordedOverlay } from "./root.ts";
import type { Setting } from "./setting.ts";
import { limitsOver, scopesWith } from "./terms.ts";
import { keep } from "./values.ts";

/** What a run is begun with. */
export interface Fresh {
  readonly input: unknown;
  readonly state: object;
  readonly limits: Limits | undefined;
  readonly scopes: readonly ScopeRecord[];
  readonly alertAt: readonly number[];
  readonly overlay: Overlay;
  /** One that exists is refused. */
  readonly isOnlyNew: boolean;
  /** Of a run that is submitted. */
  readonly dispatch?: DispatchTerms;
}

/**
 * What a run is to begin with, looked at before anything of it is made.
 *
 * @throws InvalidInputError, InvalidOptionError, InvalidPipelineError, UnpricedModelError
 */
export async function freshFor<State>(
  setting: Setting<State>,
  runId: string,
  input: unknown,
  given: StartOptions,
): Promise<Fresh> {
  const { root, options } = setting;
  const limits = limitsOver(options.budget, given.budget);
  const scopes = scopesWith(options.scopes, given.scopes?.map(scopeRecord));
  const overlay = recordedOverlay(root, given.overlay);
  await examine(setting, limits, scopes, await overlaidRoot(root, overlay));
  return {
    input: await inputFor(setting, runId, input),
    state: { ...initialState(root), ...options.state?.(), ...given.state },
    limits: limits ?? root.limits,
    scopes,
    alertAt: percents(options.alertAt),
    overlay,
    isOnlyNew: given.onlyNew ?? false,
  };
}

/** The input as the pipeline takes it. None is needed for a run that exists. */
async function inputFor<State>(
  { root, options }: Setting<State>,
  runId: string,
  input: unknown,
): Promise<unknown> {
  try {
    return await fittingInput(root, input);
  } catch (misfit) {
    if (input !== undefined) throw misfit;
    const known = await options.store.read(runId, 0, 1);
    if (known === undefined || known.length === 0) throw misfit;
    return undefined;
  }
}

/** A new run's first fact, made before anything of the run is. */
export interface First {
  readonly fact: RunCreated;
  readonly blobs: readonly (Blob | undefined)[];
  /** What the fact says, with nothing kept aside: the store does not have it yet. */
  readonly given: { readonly input: Json; readonly state: Json };
}

/** @throws UnstorableValueError for an input or a state that cannot be kept. */
export async function firstOf<State>({ root: bare, options }: Setting<State>, fresh: Fresh): Promise<First> {
  const root = await overlaidRoot(bare, fresh.overlay);
  const { fingerprint, blob } = versionOf(root.node);
  const outline = outlineOf(root.node, root.pipeline.name, options.release);
  const input = keep(fresh.input, `input of ${root.path}`, root.path);
  const overlay = keptOverlay(fresh.overlay, root.path);
  const fact: RunCreated = {
    type: "run-created",
    pipeline: root.pipeline.name,
    fingerprint,
    manifest: blob.hash,
    outline: outline.hash,
    input: input.entry,
    state: encode(fresh.state, `initial state of ${root.path}`, root.path).json,
    ...(fresh.limits ? { limits: fresh.limits } : {}),
    ...(fresh.scopes.length > 0 ? { scopes: fresh.scopes } : {}),
    ...(fresh.alertAt.length > 0 ? { alertAt: fresh.alertAt } : {}),
    ...(options.origin ? { origin: options.origin } : {}),
    ...overlay.field,
    ...(fresh.dispatch ? { dispatch: fresh.dispatch } : {}),
  };
  const blobs = [blob, outline, input.blob, overlay.blob];
  return { fact, blobs, given: { input: input.json, state: fact.state } };
}
