import type { Overlay } from "../core/overlay.ts";
import { nodeOf, type Step, toStep } from "../core/step.ts";
import { rootOf, standingNode } from "./root.ts";

/**
 * The pipeline with an overlay over it: new runs begin with it and record it, and keep it, whatever is put over the pipeline
 * or taken from it later. The pipeline itself stays as it is.
 *
 * ```ts
 * const change = { op: "replace", path: "/~1hello~1greet/system", value: "Greet in one short sentence." } as const;
 * const flujo = new Flujo(await withOverlay(greet, [change]));
 * ```
 *
 * Put it over the whole pipeline, last: a qualifier around what comes of it makes another pipeline, whose runs record nothing.
 * A pipeline that has one already gets both, this one over the other.
 *
 * @param overlay a JSON Patch (RFC 6902) over `improvables(step)`. Empty: the pipeline as it is.
 * @throws InvalidOptionError for a patch that does not fit, InvalidPipelineError.
 */
export async function withOverlay<In, Out, State>(
  step: Step<In, Out, State>,
  overlay: Overlay,
): Promise<Step<In, Out, State>> {
  const root = rootOf(nodeOf(step, "what withOverlay was given"));
  const node = await standingNode(root, overlay);
  return node === root.node ? step : toStep(node);
}
